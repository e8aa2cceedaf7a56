namespace Gimlet.Quic.Wire;

/// <summary>
/// Transport parameters while they are read, one after the other: a record changed that often would leave 5 KB of copies behind in every handshake.
/// </summary>
internal struct TransportParameterDraft
{
    /// <summary>Begins with the defaults.</summary>
    public TransportParameterDraft(TransportParameters from)
    {
        OriginalDestinationConnectionId = from.OriginalDestinationConnectionId;
        MaxIdleTimeout = from.MaxIdleTimeout;
        StatelessResetToken = from.StatelessResetToken;
        MaxUdpPayloadSize = from.MaxUdpPayloadSize;
        InitialMaxData = from.InitialMaxData;
        InitialMaxStreamDataBidirectionalLocal = from.InitialMaxStreamDataBidirectionalLocal;
        InitialMaxStreamDataBidirectionalRemote = from.InitialMaxStreamDataBidirectionalRemote;
        InitialMaxStreamDataUnidirectional = from.InitialMaxStreamDataUnidirectional;
        InitialMaxStreamsBidirectional = from.InitialMaxStreamsBidirectional;
        InitialMaxStreamsUnidirectional = from.InitialMaxStreamsUnidirectional;
        AckDelayExponent = from.AckDelayExponent;
        MaxAckDelay = from.MaxAckDelay;
        DisableActiveMigration = from.DisableActiveMigration;
        PreferredAddress = from.PreferredAddress;
        ActiveConnectionIdLimit = from.ActiveConnectionIdLimit;
        InitialSourceConnectionId = from.InitialSourceConnectionId;
        RetrySourceConnectionId = from.RetrySourceConnectionId;
        MaxDatagramFrameSize = from.MaxDatagramFrameSize;
        GreaseQuicBit = from.GreaseQuicBit;
        GimletPaths = from.GimletPaths;
    }

    public ConnectionId? OriginalDestinationConnectionId { get; set; }

    public long MaxIdleTimeout { get; set; }

    public StatelessResetToken? StatelessResetToken { get; set; }

    public long MaxUdpPayloadSize { get; set; }

    public long InitialMaxData { get; set; }

    public long InitialMaxStreamDataBidirectionalLocal { get; set; }

    public long InitialMaxStreamDataBidirectionalRemote { get; set; }

    public long InitialMaxStreamDataUnidirectional { get; set; }

    public long InitialMaxStreamsBidirectional { get; set; }

    public long InitialMaxStreamsUnidirectional { get; set; }

    public long AckDelayExponent { get; set; }

    public long MaxAckDelay { get; set; }

    public bool DisableActiveMigration { get; set; }

    public PreferredAddress? PreferredAddress { get; set; }

    public long ActiveConnectionIdLimit { get; set; }

    public ConnectionId? InitialSourceConnectionId { get; set; }

    public ConnectionId? RetrySourceConnectionId { get; set; }

    public long MaxDatagramFrameSize { get; set; }

    public bool GreaseQuicBit { get; set; }

    public long GimletPaths { get; set; }

    /// <summary>Ends the reading.</summary>
    public readonly TransportParameters ToParameters() => new()
    {
        OriginalDestinationConnectionId = OriginalDestinationConnectionId,
        MaxIdleTimeout = MaxIdleTimeout,
        StatelessResetToken = StatelessResetToken,
        MaxUdpPayloadSize = MaxUdpPayloadSize,
        InitialMaxData = InitialMaxData,
        InitialMaxStreamDataBidirectionalLocal = InitialMaxStreamDataBidirectionalLocal,
        InitialMaxStreamDataBidirectionalRemote = InitialMaxStreamDataBidirectionalRemote,
        InitialMaxStreamDataUnidirectional = InitialMaxStreamDataUnidirectional,
        InitialMaxStreamsBidirectional = InitialMaxStreamsBidirectional,
        InitialMaxStreamsUnidirectional = InitialMaxStreamsUnidirectional,
        AckDelayExponent = AckDelayExponent,
        MaxAckDelay = MaxAckDelay,
        DisableActiveMigration = DisableActiveMigration,
        PreferredAddress = PreferredAddress,
        ActiveConnectionIdLimit = ActiveConnectionIdLimit,
        InitialSourceConnectionId = InitialSourceConnectionId,
        RetrySourceConnectionId = RetrySourceConnectionId,
        MaxDatagramFrameSize = MaxDatagramFrameSize,
        GreaseQuicBit = GreaseQuicBit,
        GimletPaths = GimletPaths,
    };
}
