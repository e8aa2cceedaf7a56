using System.Buffers.Binary;

namespace Gimlet.Quic.Wire;

/// <summary>
/// What every version of QUIC has in common (RFC 8999): enough to find the connection, and to answer a version that is not spoken.
/// Connection ids are spans, because other versions may have up to 255 bytes.
/// </summary>
internal readonly ref struct InvariantHeader
{
    // First byte and version.
    private const int DestinationLengthOffset = 1 + sizeof(uint);

    private InvariantHeader(byte first, uint version, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source, int length)
    {
        FirstByte = first;
        Version = (QuicVersion)version;
        DestinationConnectionId = destination;
        SourceConnectionId = source;
        Length = length;
    }

    /// <summary>The first byte; all but its highest bit belong to the version.</summary>
    public byte FirstByte { get; }

    /// <summary>Whether the header is long. The following three are empty otherwise.</summary>
    public bool IsLong => HeaderBits.IsLong(FirstByte);

    /// <summary>The version; <see cref="QuicVersion.Negotiation"/> for Version Negotiation.</summary>
    public QuicVersion Version { get; }

    /// <summary>0 to 255 bytes.</summary>
    public ReadOnlySpan<byte> DestinationConnectionId { get; }

    /// <summary>0 to 255 bytes; empty in a short header.</summary>
    public ReadOnlySpan<byte> SourceConnectionId { get; }

    /// <summary>How many bytes these fields take.</summary>
    public int Length { get; }

    /// <summary>Reads the header of a datagram's first packet.</summary>
    /// <param name="datagram">The datagram.</param>
    /// <param name="shortIdLength">
    /// The length of the ids this endpoint gives out. RFC 8999 section 5.2: a short header does not carry "the length of the
    /// Destination Connection ID".
    /// </param>
    /// <param name="header">The header.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, int shortIdLength, out InvariantHeader header)
    {
        header = default;
        if (datagram.IsEmpty)
        {
            return false;
        }

        if (HeaderBits.IsLong(datagram[0]))
        {
            return TryReadLong(datagram, out header);
        }

        if (datagram.Length < 1 + shortIdLength)
        {
            return false;
        }

        header = new InvariantHeader(datagram[0], version: 0, datagram.Slice(1, shortIdLength), source: default, 1 + shortIdLength);
        return true;
    }

    /// <summary>Reads a long header (RFC 8999 section 5.1).</summary>
    public static bool TryReadLong(ReadOnlySpan<byte> packet, out InvariantHeader header)
    {
        header = default;
        var reader = new WireReader(packet);
        if (!reader.TryReadByte(out byte first)
            || !HeaderBits.IsLong(first)
            || !reader.TryReadUInt32(out uint version)
            || !TryReadId(ref reader, out ReadOnlySpan<byte> destination)
            || !TryReadId(ref reader, out ReadOnlySpan<byte> source))
        {
            return false;
        }

        header = new InvariantHeader(first, version, destination, source, reader.Position);
        return true;
    }

    /// <summary>Writes the fields of a long header.</summary>
    public static void WriteLong(
        ref WireWriter writer, byte first, QuicVersion version, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source)
    {
        writer.WriteByte(first);
        writer.WriteUInt32((uint)version);
        writer.WriteByte(checked((byte)destination.Length));
        writer.WriteBytes(destination);
        writer.WriteByte(checked((byte)source.Length));
        writer.WriteBytes(source);
    }

    /// <summary>As <see cref="WriteLong(ref WireWriter, byte, QuicVersion, ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>.</summary>
    public static void WriteLong(ref WireWriter writer, byte first, QuicVersion version, in ConnectionId destination, in ConnectionId source)
    {
        writer.WriteByte(first);
        writer.WriteUInt32((uint)version);
        writer.WriteByte((byte)destination.Length);
        destination.CopyTo(writer.Reserve(destination.Length));
        writer.WriteByte((byte)source.Length);
        source.CopyTo(writer.Reserve(source.Length));
    }

    /// <summary>How many bytes the fields of a long header take.</summary>
    public static int LengthOfLong(int destinationLength, int sourceLength) =>
        DestinationLengthOffset + 1 + destinationLength + 1 + sourceLength;

    private static bool TryReadId(scoped ref WireReader reader, out ReadOnlySpan<byte> id)
    {
        id = default;
        return reader.TryReadByte(out byte length) && reader.TryReadBytes(length, out id);
    }
}
