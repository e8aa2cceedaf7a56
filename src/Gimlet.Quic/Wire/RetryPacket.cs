namespace Gimlet.Quic.Wire;

/// <summary>A Retry packet (RFC 9000 section 17.2.5). Its tag is made and verified by <c>Protection.RetryIntegrity</c>.</summary>
internal readonly ref struct RetryPacket
{
    /// <summary>The Retry Integrity Tag in bytes.</summary>
    public const int TagLength = 16;

    private RetryPacket(scoped in InvariantHeader invariant, ReadOnlySpan<byte> packet)
    {
        Destination = new ConnectionId(invariant.DestinationConnectionId);
        Source = new ConnectionId(invariant.SourceConnectionId);
        WithoutTag = packet[..^TagLength];
        Tag = packet[^TagLength..];
        Token = WithoutTag[invariant.Length..];
    }

    /// <summary>The client's id.</summary>
    public ConnectionId Destination { get; }

    /// <summary>The id that the client must send to from now on.</summary>
    public ConnectionId Source { get; }

    /// <summary>What the client must send back; not empty.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>What the tag covers.</summary>
    public ReadOnlySpan<byte> WithoutTag { get; }

    /// <summary>The Retry Integrity Tag, not verified.</summary>
    public ReadOnlySpan<byte> Tag { get; }

    /// <summary>Reads a packet. False means: drop it.</summary>
    /// <param name="datagram">The datagram: a Retry packet is alone in it.</param>
    /// <param name="packet">The packet.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out RetryPacket packet)
    {
        packet = default;
        if (!InvariantHeader.TryReadLong(datagram, out InvariantHeader invariant)
            || !LongHeader.IsVersion1(invariant)
            || LongHeader.TypeOf(invariant.FirstByte) != PacketType.Retry

            // RFC 9000 section 17.2.5.2: "A client MUST discard a Retry packet with a zero-length Retry Token field."
            || datagram.Length <= invariant.Length + TagLength)
        {
            return false;
        }

        packet = new RetryPacket(invariant, datagram);
        return true;
    }

    /// <summary>How many bytes a packet takes, with its tag.</summary>
    public static int LengthOf(in ConnectionId destination, in ConnectionId source, int tokenLength) =>
        InvariantHeader.LengthOfLong(destination.Length, source.Length) + tokenLength + TagLength;

    /// <summary>Writes a packet without its tag.</summary>
    /// <param name="destination">Where it goes; has room for <see cref="LengthOf"/>.</param>
    /// <param name="client">The Source Connection ID of the client's Initial packet.</param>
    /// <param name="server">
    /// A new id. RFC 9000 section 17.2.5.1: "This value MUST NOT be equal to the Destination Connection ID field of the packet sent by
    /// the client."
    /// </param>
    /// <param name="token">The token; not empty.</param>
    /// <param name="unusedBits">Any value; the lowest four bits show.</param>
    /// <returns>The length, without the tag.</returns>
    public static int Write(
        Span<byte> destination, in ConnectionId client, in ConnectionId server, ReadOnlySpan<byte> token, byte unusedBits)
    {
        int first = HeaderBits.Long | HeaderBits.Fixed | ((int)PacketType.Retry << HeaderBits.TypeShift) | (unusedBits & 0x0f);
        var writer = new WireWriter(destination);
        InvariantHeader.WriteLong(ref writer, (byte)first, QuicVersion.Version1, client, server);
        writer.WriteBytes(token);
        return writer.Position;
    }
}
