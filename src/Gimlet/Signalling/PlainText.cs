namespace Gimlet.Signalling;

/// <summary>
/// Words of a server or of another node, on their way to a log, an exception or a terminal: cut to a length, and free of control characters, which
/// could end a log line or move a terminal's cursor.
/// </summary>
internal static class PlainText
{
    /// <summary>One sentence; what is longer is not meant for people.</summary>
    public const int MaxLength = 200;

    public static string Of(string? text, string otherwise)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return otherwise;
        }

        return string.Create(Math.Min(text.Length, MaxLength), text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                // Format characters turn the reading direction round and hide letters.
                bool plain = !char.IsControl(source[i]) && char.GetUnicodeCategory(source[i]) is not (
                    System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator);
                span[i] = plain ? source[i] : '?';
            }
        });
    }
}
