using System.Security.Cryptography;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>
/// The secrets of Initial packets (RFC 9001 section 5.2). Whoever sees the client's first packet can derive them: they keep out only those
/// who do not.
/// </summary>
internal sealed class InitialSecrets : IDisposable
{
    private readonly SecretBytes _client = new(SHA256.HashSizeInBytes);
    private readonly SecretBytes _server = new(SHA256.HashSizeInBytes);

    private InitialSecrets()
    {
    }

    /// <summary>RFC 9001 section 5.2: "initial_salt = 0x38762cf7f55934b34d179ae6a4c80cadccbb7f0a".</summary>
    private static ReadOnlySpan<byte> Salt =>
    [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
    ];

    /// <summary>Protects what the client sends.</summary>
    public ReadOnlySpan<byte> Client => _client.Span;

    /// <summary>Protects what the server sends.</summary>
    public ReadOnlySpan<byte> Server => _server.Span;

    /// <summary>Derives both secrets.</summary>
    /// <param name="destination">
    /// The Destination Connection ID of the client's first Initial packet; after a Retry, of the first one after it.
    /// </param>
    public static InitialSecrets Derive(in ConnectionId destination)
    {
        Span<byte> id = stackalloc byte[ConnectionId.MaxLength];
        Span<byte> initial = stackalloc byte[SHA256.HashSizeInBytes];
        destination.CopyTo(id);
        HKDF.Extract(HashAlgorithmName.SHA256, id[..destination.Length], Salt, initial);

        var secrets = new InitialSecrets();
        HkdfLabel.Expand(HashAlgorithmName.SHA256, initial, "client in"u8, [], secrets._client.Span);
        HkdfLabel.Expand(HashAlgorithmName.SHA256, initial, "server in"u8, [], secrets._server.Span);
        return secrets;
    }

    /// <summary>What an endpoint of this role sends with.</summary>
    public ReadOnlySpan<byte> WriteSecret(EndpointRole role) => role == EndpointRole.Client ? Client : Server;

    /// <summary>What an endpoint of this role receives with.</summary>
    public ReadOnlySpan<byte> ReadSecret(EndpointRole role) => role == EndpointRole.Client ? Server : Client;

    /// <summary>Wipes the secrets.</summary>
    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
