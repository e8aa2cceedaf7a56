using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection.Support;

/// <summary>RFC 9001 appendix A, from its own text.</summary>
internal static class Rfc9001
{
    private static readonly string[] Lines = ReadLines();

    /// <summary>The client's first Destination Connection ID in all examples.</summary>
    public static ConnectionId OriginalDestination { get; } = new(Convert.FromHexString("8394c8f03e515708"));

    /// <summary>All hexadecimal digits of a block.</summary>
    /// <param name="section">The section's title.</param>
    /// <param name="block">The number of the block between <c>~~~</c>, from 0.</param>
    public static byte[] Bytes(string section, int block) => Hex(string.Concat(Block(section, block)));

    /// <summary>A named value: what follows the last equals sign of its paragraph.</summary>
    public static byte[] Value(string section, int block, string name)
    {
        IEnumerable<string> paragraph = Block(section, block)
            .SkipWhile(line => !line.StartsWith(name, StringComparison.Ordinal))
            .TakeWhile((line, i) => line.Length > 0 && (i == 0 || line[0] == ' '));
        string text = string.Concat(paragraph);
        return Hex(text[(text.LastIndexOf('=') + 1)..]);
    }

    /// <summary>The info of an HKDF label, from the list at the beginning.</summary>
    public static byte[] Label(string name)
    {
        int at = Array.IndexOf(Lines, name + ":");
        return Hex(Lines[at + 1].TrimStart(':'));
    }

    private static List<string> Block(string section, int block) => Lines
        .SkipWhile(line => !line.StartsWith("## " + section, StringComparison.Ordinal))
        .Skip(1)
        .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
        .Aggregate(new List<List<string>> { new() }, Split, blocks => blocks)[(2 * block) + 1];

    // Text and blocks take turns.
    private static List<List<string>> Split(List<List<string>> blocks, string line)
    {
        if (line.StartsWith("~~~", StringComparison.Ordinal))
        {
            blocks.Add([]);
        }
        else
        {
            blocks[^1].Add(line);
        }

        return blocks;
    }

    private static byte[] Hex(string text) => Convert.FromHexString(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));

    private static string[] ReadLines()
    {
        using Stream stream = typeof(Rfc9001).Assembly.GetManifestResourceStream("rfc9001-appendix-a")
            ?? throw new InvalidOperationException("The vectors are not there.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n');
    }
}
