using System.Text.Json;

namespace Gimlet.Quic.Tests.Trace.Support;

/// <summary>Reads JSON text sequences (RFC 7464) strictly: every record begins with RS, ends with LF, and is one JSON object.</summary>
internal static class QlogRecords
{
    public static List<JsonElement> Parse(byte[] bytes)
    {
        var records = new List<JsonElement>();
        int at = 0;
        while (at < bytes.Length)
        {
            Assert.Equal(0x1e, bytes[at]);
            int end = Array.IndexOf(bytes, (byte)'\n', at);
            Assert.InRange(end, at + 2, bytes.Length - 1);
            using var document = JsonDocument.Parse(bytes.AsMemory((at + 1)..end));
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
            records.Add(document.RootElement.Clone());
            at = end + 1;
        }

        return records;
    }

    public static string Text(this JsonElement element, params string[] path) => element.At(path).GetString()!;

    public static long Number(this JsonElement element, params string[] path) => element.At(path).GetInt64();

    public static JsonElement At(this JsonElement element, params string[] path)
    {
        foreach (string name in path)
        {
            element = element.GetProperty(name);
        }

        return element;
    }
}
