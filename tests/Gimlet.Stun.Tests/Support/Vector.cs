namespace Gimlet.Stun.Tests.Support;

/// <summary>Reads the vectors, see <c>Vectors/README.md</c>.</summary>
internal static class Vector
{
    public static byte[] Read(string name)
    {
        using Stream stream = typeof(Vector).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"There is no vector {name}.");
        using var reader = new StreamReader(stream);
        return Hex(reader.ReadToEnd());
    }

    public static byte[] Hex(string text)
    {
        IEnumerable<string> lines = text.Split('\n').Select(line => line.Split('#')[0]);
        return Convert.FromHexString(string.Concat(string.Concat(lines).Where(c => !char.IsWhiteSpace(c))));
    }
}
