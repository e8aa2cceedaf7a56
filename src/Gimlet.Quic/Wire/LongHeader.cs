namespace Gimlet.Quic.Wire;

/// <summary>
/// The header of Initial, 0-RTT and Handshake packets of version 1 (RFC 9000 section 17.2), up to the packet number, which is protected.
/// </summary>
internal readonly ref struct LongHeader
{
    // Written before what it counts is known. Two bytes hold 16,383: more than any packet of the handshake is long.
    private const int LengthFieldLength = 2;

    private LongHeader(
        PacketType type, scoped in InvariantHeader invariant, ReadOnlySpan<byte> token, int packetNumberOffset, int packetLength)
    {
        Type = type;
        Destination = new ConnectionId(invariant.DestinationConnectionId);
        Source = new ConnectionId(invariant.SourceConnectionId);
        Token = token;
        PacketNumberOffset = packetNumberOffset;
        PacketLength = packetLength;
    }

    /// <summary>Initial, 0-RTT or Handshake.</summary>
    public PacketType Type { get; }

    public ConnectionId Destination { get; }

    public ConnectionId Source { get; }

    /// <summary>The token of an Initial packet; may be empty.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>Where the packet number begins.</summary>
    public int PacketNumberOffset { get; }

    /// <summary>The whole packet in bytes; the datagram may go on with another one.</summary>
    public int PacketLength { get; }

    /// <summary>Reads a header. False means: drop the packet, without a word to whoever sent it.</summary>
    /// <param name="datagram">The packet and what follows it.</param>
    /// <param name="header">The header.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out LongHeader header)
    {
        header = default;
        if (!InvariantHeader.TryReadLong(datagram, out InvariantHeader invariant) || !IsVersion1(invariant))
        {
            return false;
        }

        PacketType type = TypeOf(invariant.FirstByte);
        if (type == PacketType.Retry)
        {
            return false;
        }

        var reader = new WireReader(datagram[invariant.Length..]);
        ReadOnlySpan<byte> token = default;
        if (type == PacketType.Initial && !(reader.TryReadInteger(out long tokenLength) && reader.TryReadBytes(tokenLength, out token)))
        {
            return false;
        }

        // RFC 9000 section 17.2: "This is the length of the remainder of the packet (that is, the Packet Number and Payload fields)".
        if (!reader.TryReadInteger(out long length) || length > reader.Remaining.Length)
        {
            return false;
        }

        int packetNumberOffset = invariant.Length + reader.Position;
        header = new LongHeader(type, invariant, token, packetNumberOffset, packetNumberOffset + (int)length);
        return true;
    }

    /// <summary>The Long Packet Type of a version 1 packet.</summary>
    public static PacketType TypeOf(byte first) => (PacketType)((first & HeaderBits.TypeMask) >> HeaderBits.TypeShift);

    /// <summary>Whether this is a packet that version 1 permits to look at.</summary>
    public static bool IsVersion1(in InvariantHeader header) =>
        header.Version == QuicVersion.Version1

        // RFC 9000 section 17.2: "Packets containing a zero value for this bit are not valid packets in this version and MUST be discarded."
        && HeaderBits.IsFixed(header.FirstByte)

        // RFC 9000 section 17.2: "Endpoints that receive a version 1 long header with a value larger than 20 MUST drop the packet."
        && header.DestinationConnectionId.Length <= ConnectionId.MaxLength
        && header.SourceConnectionId.Length <= ConnectionId.MaxLength;

    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    public static int LengthOf(PacketType type, in ConnectionId destination, in ConnectionId source, int tokenLength, int packetNumberLength) =>
        InvariantHeader.LengthOfLong(destination.Length, source.Length)
        + (type == PacketType.Initial ? VariableLengthInteger.LengthOf(tokenLength) + tokenLength : 0)
        + LengthFieldLength
        + packetNumberLength;

    /// <summary>
    /// Writes a header with its packet number; the Length field stays open until the packet is sealed (<see cref="WriteLength"/>).
    /// </summary>
    /// <param name="packet">Where the packet begins.</param>
    /// <param name="type">Initial, 0-RTT or Handshake.</param>
    /// <param name="destination">The peer's id.</param>
    /// <param name="source">Our id.</param>
    /// <param name="token">The token of an Initial packet; empty in all others, and in every Initial packet of a server.</param>
    /// <param name="packetNumber">The full packet number.</param>
    /// <param name="packetNumberLength">How many of its bytes are sent.</param>
    public static PacketLayout Write(
        Span<byte> packet,
        PacketType type,
        in ConnectionId destination,
        in ConnectionId source,
        ReadOnlySpan<byte> token,
        long packetNumber,
        int packetNumberLength)
    {
        // RFC 9000 section 17.2: "The value included prior to protection MUST be set to 0." The reserved bits are.
        int first = HeaderBits.Long | HeaderBits.Fixed | ((int)type << HeaderBits.TypeShift) | (packetNumberLength - 1);
        var writer = new WireWriter(packet);
        InvariantHeader.WriteLong(ref writer, (byte)first, QuicVersion.Version1, destination, source);
        if (type == PacketType.Initial)
        {
            writer.WriteInteger(token.Length);
            writer.WriteBytes(token);
        }

        int lengthOffset = writer.Position;
        _ = writer.Reserve(LengthFieldLength);
        var layout = new PacketLayout(lengthOffset, writer.Position, packetNumberLength);
        PacketNumber.Write(writer.Reserve(packetNumberLength), packetNumber);
        return layout;
    }

    /// <summary>Fills in the Length field.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="layout">What <see cref="Write"/> returned.</param>
    /// <param name="protectedLength">The payload with its authentication tag, in bytes.</param>
    public static void WriteLength(Span<byte> packet, in PacketLayout layout, int protectedLength) =>
        VariableLengthInteger.Write(packet[layout.LengthOffset..], layout.PacketNumberLength + protectedLength, LengthFieldLength);
}
