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
        var draft = new TransportParameterDraft(parameters);
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

            if (!TryApply((TransportParameterId)id, value, ref draft))
            {
                error = Error("a transport parameter has a bad value");
                return false;
            }
        }

        parameters = draft.ToParameters();
        return true;
    }

    private static bool TryApply(TransportParameterId id, ReadOnlySpan<byte> value, ref TransportParameterDraft draft)
    {
        switch (id)
        {
            case TransportParameterId.OriginalDestinationConnectionId when TryReadId(value, out ConnectionId original):
                draft.OriginalDestinationConnectionId = original;
                return true;
            case TransportParameterId.InitialSourceConnectionId when TryReadId(value, out ConnectionId source):
                draft.InitialSourceConnectionId = source;
                return true;
            case TransportParameterId.RetrySourceConnectionId when TryReadId(value, out ConnectionId retry):
                draft.RetrySourceConnectionId = retry;
                return true;
            case TransportParameterId.StatelessResetToken when value.Length == StatelessResetToken.Length:
                draft.StatelessResetToken = new StatelessResetToken(value);
                return true;
            case TransportParameterId.PreferredAddress when PreferredAddress.TryRead(value, out PreferredAddress address):
                draft.PreferredAddress = address;
                return true;

            // "This parameter is a zero-length value" (RFC 9000 section 18.2), and so is RFC 9287's.
            case TransportParameterId.DisableActiveMigration when value.IsEmpty:
                draft.DisableActiveMigration = true;
                return true;
            case TransportParameterId.GreaseQuicBit when value.IsEmpty:
                draft.GreaseQuicBit = true;
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
                return TryApplyInteger(id, value, ref draft);
        }
    }

    private static bool TryApplyInteger(TransportParameterId id, ReadOnlySpan<byte> value, ref TransportParameterDraft draft)
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

        switch (id)
        {
            case TransportParameterId.MaxIdleTimeout:
                draft.MaxIdleTimeout = number;
                break;
            case TransportParameterId.MaxUdpPayloadSize:
                draft.MaxUdpPayloadSize = number;
                break;
            case TransportParameterId.InitialMaxData:
                draft.InitialMaxData = number;
                break;
            case TransportParameterId.InitialMaxStreamDataBidirectionalLocal:
                draft.InitialMaxStreamDataBidirectionalLocal = number;
                break;
            case TransportParameterId.InitialMaxStreamDataBidirectionalRemote:
                draft.InitialMaxStreamDataBidirectionalRemote = number;
                break;
            case TransportParameterId.InitialMaxStreamDataUnidirectional:
                draft.InitialMaxStreamDataUnidirectional = number;
                break;
            case TransportParameterId.InitialMaxStreamsBidirectional:
                draft.InitialMaxStreamsBidirectional = number;
                break;
            case TransportParameterId.InitialMaxStreamsUnidirectional:
                draft.InitialMaxStreamsUnidirectional = number;
                break;
            case TransportParameterId.AckDelayExponent:
                draft.AckDelayExponent = number;
                break;
            case TransportParameterId.MaxAckDelay:
                draft.MaxAckDelay = number;
                break;
            case TransportParameterId.ActiveConnectionIdLimit:
                draft.ActiveConnectionIdLimit = number;
                break;
            case TransportParameterId.MaxDatagramFrameSize:
                draft.MaxDatagramFrameSize = number;
                break;
            default:
                draft.GimletPaths = number;
                break;
        }

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
