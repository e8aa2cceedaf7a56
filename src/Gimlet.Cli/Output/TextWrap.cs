namespace Gimlet.Cli.Output;

/// <summary>Breaks text between words.</summary>
internal static class TextWrap
{
    /// <summary>Breaks a text into lines; a word that is too long keeps a line of its own.</summary>
    /// <param name="text">The text.</param>
    /// <param name="width">The most characters of a line.</param>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = string.Empty;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        if (line.Length > 0)
        {
            yield return line;
        }
    }
}
