using System.Security.Cryptography;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>
/// The Retry Integrity Tag (RFC 9001 section 5.8). One per endpoint; not thread-safe. It proves that the sender of a Retry packet saw the
/// client's Initial packet, no more: the key is in the standard.
/// </summary>
internal sealed class RetryIntegrity : IDisposable
{
    /// <summary>
    /// The longest Retry packet that is made or believed, in bytes: more than a datagram on any path of the internet. A longer token would not
    /// fit into the client's next Initial packet.
    /// </summary>
    public const int MaxPacketLength = 1500;

    private readonly byte[] _pseudoPacket = new byte[1 + ConnectionId.MaxLength + MaxPacketLength];
    private readonly IPacketProtector _protector;

    public RetryIntegrity(IProtectionProvider provider) =>
        _protector = provider.CreatePacketProtector(PacketCipher.Aes128GcmSha256, Key);

    /// <summary>RFC 9001 section 5.8: "The secret key, K, is 128 bits equal to 0xbe0c690b9f66575a1d766b54e368c84e."</summary>
    private static ReadOnlySpan<byte> Key =>
        [0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e];

    /// <summary>RFC 9001 section 5.8: "The nonce, N, is 96 bits equal to 0x461599d35d632bf2239825bb."</summary>
    private static ReadOnlySpan<byte> Nonce => [0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb];

    /// <summary>Makes the tag of a Retry packet.</summary>
    /// <param name="originalDestination">The Destination Connection ID of the client's Initial packet.</param>
    /// <param name="packetWithoutTag">What <see cref="RetryPacket.Write"/> wrote.</param>
    /// <param name="tag">Filled: 16 bytes.</param>
    public void WriteTag(in ConnectionId originalDestination, ReadOnlySpan<byte> packetWithoutTag, Span<byte> tag)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(packetWithoutTag.Length, MaxPacketLength, nameof(packetWithoutTag));

        // RFC 9001 section 5.8: "taking the transmitted Retry packet, removing the Retry Integrity Tag and prepending the two following
        // fields": ODCID Length and Original Destination Connection ID.
        var writer = new WireWriter(_pseudoPacket);
        writer.WriteByte((byte)originalDestination.Length);
        originalDestination.CopyTo(writer.Reserve(originalDestination.Length));
        writer.WriteBytes(packetWithoutTag);
        _protector.Seal(Nonce, writer.Written, payload: default, tag[..RetryPacket.TagLength]);
    }

    /// <summary>
    /// Verifies a tag. RFC 9000 section 17.2.5.2: "Clients MUST discard Retry packets that have a Retry Integrity Tag that cannot be validated".
    /// </summary>
    /// <param name="originalDestination">The Destination Connection ID of our Initial packet.</param>
    /// <param name="packet">The packet.</param>
    public bool IsValid(in ConnectionId originalDestination, RetryPacket packet)
    {
        if (packet.WithoutTag.Length > MaxPacketLength)
        {
            return false;
        }

        Span<byte> tag = stackalloc byte[RetryPacket.TagLength];
        WriteTag(originalDestination, packet.WithoutTag, tag);
        return CryptographicOperations.FixedTimeEquals(tag, packet.Tag);
    }

    public void Dispose() => _protector.Dispose();
}
