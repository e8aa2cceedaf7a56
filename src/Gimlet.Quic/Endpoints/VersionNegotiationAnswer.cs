using System.Buffers.Binary;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// What an endpoint says to a version that it does not speak (RFC 9000 section 6.1). One per endpoint, for one thread at a time.
/// </summary>
internal sealed class VersionNegotiationAnswer
{
    /// <summary>
    /// RFC 9000 section 5.2.2: "Servers MUST drop smaller packets that specify unsupported versions": smaller than what could begin a connection
    /// of a supported version, which is 1200 bytes (section 14.1).
    /// </summary>
    public const int MinDatagramLength = 1200;

    /// <summary>
    /// The longest answer, in bytes: both ids with 255 bytes, which RFC 8999 permits, and two versions. Less than half of what it answers.
    /// </summary>
    public const int MaxLength = 1 + sizeof(uint) + (2 * (1 + byte.MaxValue)) + (VersionCount * sizeof(uint));

    /// <summary>
    /// Answers in a second. RFC 9000 section 5.2.2: "A server MAY limit the number of packets to which it responds with a Version Negotiation
    /// packet." An honest client asks once.
    /// </summary>
    public const int PerSecond = 1000;

    private const int VersionCount = 2;

    private readonly Action<Span<byte>> _random;
    private AnswerLimit _limit = new(PerSecond);

    /// <summary>Begins.</summary>
    /// <param name="random">Fills a span with random bytes.</param>
    public VersionNegotiationAnswer(Action<Span<byte>> random) => _random = random;

    /// <summary>Writes the answer to a datagram, if it gets one.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="datagram">The datagram.</param>
    /// <param name="answer">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="length">The length of the answer.</param>
    /// <returns>False: drop the datagram, unless its version is spoken.</returns>
    public bool TryWrite(TimeSpan now, ReadOnlySpan<byte> datagram, Span<byte> answer, out int length)
    {
        length = 0;

        // RFC 9000 section 6.1: "An endpoint MUST NOT send a Version Negotiation packet in response to receiving a Version Negotiation packet."
        if (datagram.Length < MinDatagramLength
            || !InvariantHeader.TryReadLong(datagram, out InvariantHeader header)
            || header.Version == QuicVersion.Negotiation
            || header.Version.IsSupported()
            || !_limit.TryTake(now))
        {
            return false;
        }

        Span<byte> random = stackalloc byte[sizeof(uint) + 1];
        _random(random);
        QuicVersion reserved = QuicVersions.Reserved(BinaryPrimitives.ReadUInt32BigEndian(random));
        if (reserved == header.Version)
        {
            // RFC 9000 section 6.2: "A client MUST discard a Version Negotiation packet that lists the QUIC version selected by the client."
            reserved = QuicVersions.Reserved(~(uint)reserved);
        }

        // In either order, so that nobody comes to rely on one.
        bool isReservedFirst = (random[^1] & 0x80) != 0;
        ReadOnlySpan<QuicVersion> versions =
            isReservedFirst ? [reserved, QuicVersion.Version1] : [QuicVersion.Version1, reserved];
        length = VersionNegotiationPacket.Write(answer, header, versions, random[^1]);
        return true;
    }
}
