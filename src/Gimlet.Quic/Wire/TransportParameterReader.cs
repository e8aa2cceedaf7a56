namespace Gimlet.Quic.Wire;

/// <summary>Reads the quic_transport_parameters extension. It runs once per connection and may allocate.</summary>
internal static class TransportParameterReader
{
    /// <summary>Reads the extension's data.</summary>
    /// <param name="data">extension_data (RFC 9001 section 8.2).</param>
    /// <param name="sender">Whose parameters these are.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="error">TRANSPORT_PARAMETER_ERROR, with what is wrong.</param>
    public static bool TryRead(ReadOnlySpan<byte> data, EndpointRole sender, out TransportParameters parameters, out QuicError error)
    {
        parameters = new TransportParameters();
        error = default;
        HashSet<long> seen = [];
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadInteger(out long id)
                || !reader.TryReadInteger(out long length)
                || !reader.TryReadBytes(length, out ReadOnlySpan<byte> value))
            {
                error = Error("the transport parameters end in the middle of one");
                return false;
            }

            // RFC 9000 section 7.4: "An endpoint SHOULD treat receipt of duplicate transport parameters as a connection error of type
            // TRANSPORT_PARAMETER_ERROR."
            if (!seen.Add(id))
            {
                error = Error("a transport parameter appears twice");
                return false;
            }

            // RFC 9000 section 18.2: "A server MUST treat receipt of any of these transport parameters as a connection error of type
            // TRANSPORT_PARAMETER_ERROR."
            if (sender == EndpointRole.Client && ((TransportParameterId)id).IsServerOnly())
            {
                error = Error("a client sent a transport parameter of servers");
                return false;
            }

            if (!TryApply((TransportParameterId)id, value, ref parameters))
            {
                error = Error("a transport parameter has a bad value");
                return false;
            }
        }

        return true;
    }

    private static bool TryApply(TransportParameterId id, ReadOnlySpan<byte> value, ref TransportParameters p)
    {
        switch (id)
        {
            case TransportParameterId.OriginalDestinationConnectionId when TryReadId(value, out ConnectionId original):
                p = p with { OriginalDestinationConnectionId = original };
                return true;
            case TransportParameterId.InitialSourceConnectionId when TryReadId(value, out ConnectionId source):
                p = p with { InitialSourceConnectionId = source };
                return true;
            case TransportParameterId.RetrySourceConnectionId when TryReadId(value, out ConnectionId retry):
                p = p with { RetrySourceConnectionId = retry };
                return true;
            case TransportParameterId.StatelessResetToken when value.Length == StatelessResetToken.Length:
                p = p with { StatelessResetToken = new StatelessResetToken(value) };
                return true;
            case TransportParameterId.PreferredAddress when PreferredAddress.TryRead(value, out PreferredAddress address):
                p = p with { PreferredAddress = address };
                return true;

            // "This parameter is a zero-length value" (RFC 9000 section 18.2), and so is RFC 9287's.
            case TransportParameterId.DisableActiveMigration when value.IsEmpty:
                p = p with { DisableActiveMigration = true };
                return true;
            case TransportParameterId.GreaseQuicBit when value.IsEmpty:
                p = p with { GreaseQuicBit = true };
                return true;
            case TransportParameterId.OriginalDestinationConnectionId:
            case TransportParameterId.InitialSourceConnectionId:
            case TransportParameterId.RetrySourceConnectionId:
            case TransportParameterId.StatelessResetToken:
            case TransportParameterId.PreferredAddress:
            case TransportParameterId.DisableActiveMigration:
            case TransportParameterId.GreaseQuicBit:
                return false;
            default:
                return TryApplyInteger(id, value, ref p);
        }
    }

    private static bool TryApplyInteger(TransportParameterId id, ReadOnlySpan<byte> value, ref TransportParameters p)
    {
        // RFC 9000 section 7.4.2: "An endpoint MUST ignore transport parameters that it does not support."
        if (!IsInteger(id))
        {
            return true;
        }

        if (!VariableLengthInteger.TryRead(value, out long number, out int length) || length != value.Length || !IsInRange(id, number))
        {
            return false;
        }

        p = id switch
        {
            TransportParameterId.MaxIdleTimeout => p with { MaxIdleTimeout = number },
            TransportParameterId.MaxUdpPayloadSize => p with { MaxUdpPayloadSize = number },
            TransportParameterId.InitialMaxData => p with { InitialMaxData = number },
            TransportParameterId.InitialMaxStreamDataBidirectionalLocal => p with { InitialMaxStreamDataBidirectionalLocal = number },
            TransportParameterId.InitialMaxStreamDataBidirectionalRemote => p with { InitialMaxStreamDataBidirectionalRemote = number },
            TransportParameterId.InitialMaxStreamDataUnidirectional => p with { InitialMaxStreamDataUnidirectional = number },
            TransportParameterId.InitialMaxStreamsBidirectional => p with { InitialMaxStreamsBidirectional = number },
            TransportParameterId.InitialMaxStreamsUnidirectional => p with { InitialMaxStreamsUnidirectional = number },
            TransportParameterId.AckDelayExponent => p with { AckDelayExponent = number },
            TransportParameterId.MaxAckDelay => p with { MaxAckDelay = number },
            TransportParameterId.ActiveConnectionIdLimit => p with { ActiveConnectionIdLimit = number },
            TransportParameterId.MaxDatagramFrameSize => p with { MaxDatagramFrameSize = number },
            _ => p with { GimletPaths = number },
        };
        return true;
    }

    private static bool IsInteger(TransportParameterId id) => id
        is TransportParameterId.MaxIdleTimeout
        or TransportParameterId.MaxDatagramFrameSize
        or TransportParameterId.ActiveConnectionIdLimit
        or TransportParameterId.GimletPaths
        or (>= TransportParameterId.MaxUdpPayloadSize and <= TransportParameterId.MaxAckDelay);

    private static bool IsInRange(TransportParameterId id, long number) => id switch
    {
        TransportParameterId.MaxUdpPayloadSize => number >= TransportParameters.MinMaxUdpPayloadSize,
        TransportParameterId.AckDelayExponent => number <= TransportParameters.MaxAckDelayExponent,
        TransportParameterId.MaxAckDelay => number <= TransportParameters.MaxMaxAckDelay,

        // RFC 9000 section 18.2: "An endpoint that receives a value less than 2 MUST close the connection with an error of type
        // TRANSPORT_PARAMETER_ERROR."
        TransportParameterId.ActiveConnectionIdLimit => number >= TransportParameters.MinActiveConnectionIdLimit,

        // RFC 9000 section 4.6: "If a max_streams transport parameter or a MAX_STREAMS frame is received with a value greater than 2^60 ...
        // the connection MUST be closed immediately with a connection error of type TRANSPORT_PARAMETER_ERROR".
        TransportParameterId.InitialMaxStreamsBidirectional or TransportParameterId.InitialMaxStreamsUnidirectional =>
            number <= TransportParameters.MaxStreams,
        _ => true,
    };

    private static bool TryReadId(ReadOnlySpan<byte> value, out ConnectionId id)
    {
        bool fits = value.Length <= ConnectionId.MaxLength;
        id = fits ? new ConnectionId(value) : default;
        return fits;
    }

    private static QuicError Error(string reason) => new(TransportErrorCode.TransportParameterError, reason);
}
