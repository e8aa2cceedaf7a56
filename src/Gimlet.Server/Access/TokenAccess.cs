using System.Security.Cryptography;
using System.Text;

namespace Gimlet.Server.Access;

/// <summary>A server for those who hold its token.</summary>
internal sealed class TokenAccess(string token) : IAccessPolicy
{
    private readonly byte[] _digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public string Description => "only for nodes that present this server's token";

    public string? Refuses(PeerId peer, string? token)
    {
        if (string.IsNullOrEmpty(token))
        {
            return "this server asks for a token";
        }

        // Digests have one length, so the comparison's time tells nothing about the token's length or its first characters.
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(Encoding.UTF8.GetBytes(token), digest);
        return CryptographicOperations.FixedTimeEquals(digest, _digest) ? null : "the token is not this server's";
    }

    public bool StillWelcome(PeerId peer) => true;
}
