namespace Gimlet.Quic.Wire;

/// <summary>Writes the quic_transport_parameters extension. What has its RFC's default is left out.</summary>
internal static class TransportParameterWriter
{
    /// <summary>
    /// Room that is always enough: all parameters at their longest take less than 300 bytes, and the reserved one at most
    /// <see cref="MaxReservedLength"/> and its id and length.
    /// </summary>
    public const int MaxLength = 512;

    /// <summary>The longest value of the reserved parameter in bytes: short enough for the first flight to stay one datagram.</summary>
    public const int MaxReservedLength = 16;

    /// <summary>Writes the extension's data.</summary>
    /// <param name="destination">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="parameters">The parameters; those of servers may be set only by one.</param>
    /// <param name="sender">Whose parameters these are.</param>
    /// <param name="random">
    /// Fills a span with random bytes: a reserved parameter is added (RFC 9000 section 18.1), so that peers which fail on unknown ones
    /// show up in tests. Null adds none.
    /// </param>
    /// <returns>The length in bytes.</returns>
    /// <exception cref="InvalidOperationException">A client's parameters hold one of servers.</exception>
    public static int Write(Span<byte> destination, TransportParameters parameters, EndpointRole sender, Action<Span<byte>>? random = null)
    {
        TransportParameters p = parameters;
        var writer = new WireWriter(destination);
        WriteServerOnly(ref writer, p, sender);
        WriteId(ref writer, TransportParameterId.InitialSourceConnectionId, p.InitialSourceConnectionId);
        WriteLimits(ref writer, p);
        WriteInteger(ref writer, TransportParameterId.MaxIdleTimeout, p.MaxIdleTimeout, 0);
        WriteInteger(ref writer, TransportParameterId.MaxUdpPayloadSize, p.MaxUdpPayloadSize, TransportParameters.DefaultMaxUdpPayloadSize);
        WriteInteger(ref writer, TransportParameterId.AckDelayExponent, p.AckDelayExponent, TransportParameters.DefaultAckDelayExponent);
        WriteInteger(ref writer, TransportParameterId.MaxAckDelay, p.MaxAckDelay, TransportParameters.DefaultMaxAckDelay);
        WriteInteger(
            ref writer, TransportParameterId.ActiveConnectionIdLimit, p.ActiveConnectionIdLimit, TransportParameters.MinActiveConnectionIdLimit);
        WriteFlag(ref writer, TransportParameterId.DisableActiveMigration, p.DisableActiveMigration);
        WriteInteger(ref writer, TransportParameterId.MaxDatagramFrameSize, p.MaxDatagramFrameSize, 0);
        WriteFlag(ref writer, TransportParameterId.GreaseQuicBit, p.GreaseQuicBit);
        WriteInteger(ref writer, TransportParameterId.GimletPaths, p.GimletPaths, 0);
        if (random is not null)
        {
            WriteReserved(ref writer, random);
        }

        return writer.Position;
    }

    private static void WriteServerOnly(ref WireWriter writer, TransportParameters p, EndpointRole sender)
    {
        bool isSet = p.OriginalDestinationConnectionId is not null
            || p.RetrySourceConnectionId is not null
            || p.StatelessResetToken is not null
            || p.PreferredAddress is not null;
        if (!isSet)
        {
            return;
        }

        if (sender == EndpointRole.Client)
        {
            throw new InvalidOperationException("A client must not send the transport parameters of servers (RFC 9000 section 18.2).");
        }

        WriteId(ref writer, TransportParameterId.OriginalDestinationConnectionId, p.OriginalDestinationConnectionId);
        WriteId(ref writer, TransportParameterId.RetrySourceConnectionId, p.RetrySourceConnectionId);
        if (p.StatelessResetToken is { } token)
        {
            WriteHead(ref writer, TransportParameterId.StatelessResetToken, StatelessResetToken.Length);
            token.CopyTo(writer.Reserve(StatelessResetToken.Length));
        }

        if (p.PreferredAddress is { } address)
        {
            WriteHead(ref writer, TransportParameterId.PreferredAddress, address.Length);
            address.Write(ref writer);
        }
    }

    private static void WriteLimits(ref WireWriter writer, TransportParameters p)
    {
        WriteInteger(ref writer, TransportParameterId.InitialMaxData, p.InitialMaxData, 0);
        WriteInteger(ref writer, TransportParameterId.InitialMaxStreamDataBidirectionalLocal, p.InitialMaxStreamDataBidirectionalLocal, 0);
        WriteInteger(ref writer, TransportParameterId.InitialMaxStreamDataBidirectionalRemote, p.InitialMaxStreamDataBidirectionalRemote, 0);
        WriteInteger(ref writer, TransportParameterId.InitialMaxStreamDataUnidirectional, p.InitialMaxStreamDataUnidirectional, 0);
        WriteInteger(ref writer, TransportParameterId.InitialMaxStreamsBidirectional, p.InitialMaxStreamsBidirectional, 0);
        WriteInteger(ref writer, TransportParameterId.InitialMaxStreamsUnidirectional, p.InitialMaxStreamsUnidirectional, 0);
    }

    private static void WriteReserved(ref WireWriter writer, Action<Span<byte>> random)
    {
        Span<byte> drawn = stackalloc byte[4 + MaxReservedLength];
        random(drawn);
        uint n = (uint)PacketNumber.ReadTruncated(drawn[..3]);
        int length = drawn[3] % (MaxReservedLength + 1);
        WriteHead(ref writer, (TransportParameterId)TransportParameterIds.Reserved(n), length);
        writer.WriteBytes(drawn.Slice(4, length));
    }

    private static void WriteInteger(ref WireWriter writer, TransportParameterId id, long value, long implied)
    {
        if (value != implied)
        {
            WriteHead(ref writer, id, VariableLengthInteger.LengthOf(value));
            writer.WriteInteger(value);
        }
    }

    private static void WriteFlag(ref WireWriter writer, TransportParameterId id, bool isSet)
    {
        if (isSet)
        {
            WriteHead(ref writer, id, 0);
        }
    }

    private static void WriteId(ref WireWriter writer, TransportParameterId id, ConnectionId? value)
    {
        if (value is { } bytes)
        {
            WriteHead(ref writer, id, bytes.Length);
            bytes.CopyTo(writer.Reserve(bytes.Length));
        }
    }

    private static void WriteHead(ref WireWriter writer, TransportParameterId id, int length)
    {
        writer.WriteInteger((long)id);
        writer.WriteInteger(length);
    }
}
