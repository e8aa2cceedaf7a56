using System.Text;

namespace Gimlet.Identity;

/// <summary>
/// The bytes under every signature of the protocol (docs/protocol.md section 1). Each begins with the label of its purpose and a zero
/// byte, so that a signature made for one purpose is worth nothing for another.
/// </summary>
internal static class Statement
{
    public static byte[] Registration(string authority, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        [.. "gimlet.v1 register\0"u8, .. Encoding.ASCII.GetBytes(authority), 0, .. nonce, .. subjectPublicKeyInfo];

    public static byte[] Prekey(ReadOnlySpan<byte> point) => [.. "gimlet.v1 prekey\0"u8, .. point];

    public static byte[] Hello(ReadOnlySpan<byte> point) => [.. "gimlet.v1 hello\0"u8, .. point];

    public static byte[] CallKey(ReadOnlySpan<byte> callId, PeerId caller, PeerId callee, ReadOnlySpan<byte> point)
    {
        byte[] bytes = [.. "gimlet.v1 call\0"u8, .. callId, .. stackalloc byte[2 * PeerId.Size], .. point];
        int at = "gimlet.v1 call\0"u8.Length + callId.Length;
        caller.CopyTo(bytes.AsSpan(at));
        callee.CopyTo(bytes.AsSpan(at + PeerId.Size));
        return bytes;
    }

    /// <summary>What a worker signs to prove its peer id to the rendezvous (docs/workers.md).</summary>
    public static byte[] Worker(string authority, string workerId, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        [.. "gimlet.v1 worker\0"u8, .. Encoding.ASCII.GetBytes(authority), 0, .. Encoding.ASCII.GetBytes(workerId), 0, .. nonce, .. subjectPublicKeyInfo];

    /// <summary>The host and port that a node dialled, as both sides write it: lower case, IPv6 in brackets, the port always there.</summary>
    public static string Authority(string host, int port)
    {
        string bare = host.Trim('[', ']').ToLowerInvariant();
        return bare.Contains(':', StringComparison.Ordinal) ? $"[{bare}]:{port}" : $"{bare}:{port}";
    }
}
