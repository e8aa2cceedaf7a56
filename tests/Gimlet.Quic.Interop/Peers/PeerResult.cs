using System.Text.Json;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>The line of JSON that a foreign client ends with, or an event of a foreign server.</summary>
internal sealed class PeerResult
{
    private readonly JsonElement _json;

    private PeerResult(JsonElement json, string text)
    {
        _json = json;
        Text = text;
    }

    /// <summary>The line as it came, for messages.</summary>
    public string Text { get; }

    /// <summary>Whether the scenario came to the end it should have.</summary>
    public bool Ok => _json.GetProperty("ok").GetBoolean();

    public string Event => _json.GetProperty("event").GetString()!;

    public string Alpn => _json.GetProperty("alpn").GetString()!;

    public string Sha256 => _json.GetProperty("sha256").GetString()!;

    public string PeerCertificateSha256 => _json.GetProperty("peer_certificate_sha256").GetString()!;

    public long Bytes => _json.GetProperty("bytes").GetInt64();

    public long Count => _json.GetProperty("count").GetInt64();

    /// <summary>Those that the client asked for (quinn); quic-go counts them in <see cref="Stat"/>.</summary>
    public long KeyUpdates => _json.GetProperty("key_updates").GetInt64();

    public long Sent => _json.GetProperty("sent").GetInt64();

    public double CpuSeconds => _json.GetProperty("cpu_seconds").GetDouble();

    /// <summary>
    /// <c>application</c>, <c>transport</c>, <c>stream</c>, <c>timeout</c>, <c>stateless-reset</c>, <c>version</c> or <c>local</c>; none
    /// without an error.
    /// </summary>
    public string? ErrorKind => Error is { } error ? error.GetProperty("kind").GetString() : null;

    public long ErrorCode => Error is { } error ? error.GetProperty("code").GetInt64() : 0;

    private JsonElement? Error => _json.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error : null;

    /// <summary>A count of the library, none where this library does not count it.</summary>
    public double? Stat(string name) =>
        _json.GetProperty("stats") is { ValueKind: JsonValueKind.Object } stats && stats.TryGetProperty(name, out JsonElement value)
            ? value.GetDouble()
            : null;

    public static bool IsResult(string line) => line.StartsWith('{');

    public static PeerResult Parse(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return new PeerResult(document.RootElement.Clone(), line);
    }
}
