using System.Buffers.Binary;
using System.Security.Cryptography;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Server;

/// <summary>
/// The value of GIMLET-PROOF (docs/protocol.md section 4): the server's own note that it saw someone behind an address at a time. The STUN
/// side of a server writes it, its rendezvous side reads it back from the candidate, and nothing is stored in between.
/// </summary>
public static class ObservationProof
{
    /// <summary>The length in bytes: Unix seconds (4), then the first 16 bytes of an HMAC-SHA-256.</summary>
    public const int Length = GimletProofAttribute.ValueLength;

    /// <summary>The length of the server's key in bytes.</summary>
    public const int KeyLength = 32;

    private const int SecondsLength = 4;
    private const int MacLength = 16;
    private const int MaxTextLength = 19 + SecondsLength + sizeof(ushort) + 16;

    /// <summary>
    /// How old a proof may be: 10 min. A node asks again every 20 to 25 s and registers with what it has; an older address may be
    /// somebody else's by now.
    /// </summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    private static ReadOnlySpan<byte> Label => "gimlet.v1 observed\0"u8;

    /// <summary>Writes the proof for an address. Allocates nothing.</summary>
    /// <param name="address">The address that was seen; not empty.</param>
    /// <param name="key">The server's key, 32 bytes.</param>
    /// <param name="now">The wall-clock time.</param>
    /// <param name="proof">20 bytes.</param>
    public static void Create(TransportAddress address, ReadOnlySpan<byte> key, DateTimeOffset now, Span<byte> proof)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        ArgumentOutOfRangeException.ThrowIfLessThan(proof.Length, Length, nameof(proof));
        uint seconds = (uint)now.ToUnixTimeSeconds();
        BinaryPrimitives.WriteUInt32BigEndian(proof, seconds);
        Mac(address, key, seconds, proof.Slice(SecondsLength, MacLength));
    }

    /// <summary>Checks a proof, in constant time.</summary>
    /// <param name="proof">What the node presents.</param>
    /// <param name="address">The address it presents it for.</param>
    /// <param name="key">The server's key, 32 bytes.</param>
    /// <param name="now">The wall-clock time.</param>
    /// <returns>True when this key made the proof for this address, not longer than <see cref="MaxAge"/> ago and not in the
    /// future.</returns>
    public static bool TryVerify(ReadOnlySpan<byte> proof, TransportAddress address, ReadOnlySpan<byte> key, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        if (proof.Length != Length || address.IsEmpty)
        {
            return false;
        }

        uint seconds = BinaryPrimitives.ReadUInt32BigEndian(proof);
        Span<byte> expected = stackalloc byte[MacLength];
        Mac(address, key, seconds, expected);
        bool genuine = CryptographicOperations.FixedTimeEquals(expected, proof[SecondsLength..]);

        // The key never leaves the server, so a time in the future is a clock that was set back: not to be believed.
        long age = now.ToUnixTimeSeconds() - seconds;
        return genuine && age >= 0 && age <= (long)MaxAge.TotalSeconds;
    }

    private static void Mac(TransportAddress address, ReadOnlySpan<byte> key, uint seconds, Span<byte> destination)
    {
        Span<byte> text = stackalloc byte[MaxTextLength];
        Label.CopyTo(text);
        int position = Label.Length;
        BinaryPrimitives.WriteUInt32BigEndian(text[position..], seconds);
        position += SecondsLength;
        BinaryPrimitives.WriteUInt16BigEndian(text[position..], (ushort)address.Port);
        position += sizeof(ushort);
        position += address.WriteAddress(text[position..]);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _ = HMACSHA256.HashData(key, text[..position], mac);
        mac[..MacLength].CopyTo(destination);
    }
}
