namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// Lines of the NSS key log format (RFC 9850, "SSLKEYLOGFILE"): label, client random, secret. Whoever holds these lines can read the
/// connection, so they are written only where the owner asked for it.
/// </summary>
internal sealed class KeyLog(Action<string>? sink)
{
    public const string ClientHandshake = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    public const string ServerHandshake = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    public const string ClientTraffic = "CLIENT_TRAFFIC_SECRET_0";
    public const string ServerTraffic = "SERVER_TRAFFIC_SECRET_0";

    public void Write(string label, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> secret) =>
        sink?.Invoke($"{label} {Convert.ToHexStringLower(clientRandom)} {Convert.ToHexStringLower(secret)}");
}
