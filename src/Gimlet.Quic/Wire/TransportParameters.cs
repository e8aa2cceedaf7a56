namespace Gimlet.Quic.Wire;

/// <summary>
/// What one side tells the other in the handshake (RFC 9000 section 18.2, RFC 9221, RFC 9287). A property that was not sent has the
/// default of its RFC.
/// </summary>
internal sealed record TransportParameters
{
    /// <summary>RFC 9000 section 18.2: "the maximum permitted UDP payload of 65527".</summary>
    public const long DefaultMaxUdpPayloadSize = 65527;

    /// <summary>RFC 9000 section 18.2: "Values below 1200 are invalid."</summary>
    public const long MinMaxUdpPayloadSize = 1200;

    /// <summary>RFC 9000 section 18.2: "a default value of 3 is assumed (indicating a multiplier of 8)".</summary>
    public const long DefaultAckDelayExponent = 3;

    /// <summary>RFC 9000 section 18.2: "Values above 20 are invalid."</summary>
    public const long MaxAckDelayExponent = 20;

    /// <summary>RFC 9000 section 18.2: "a default of 25 milliseconds is assumed".</summary>
    public const long DefaultMaxAckDelay = 25;

    /// <summary>RFC 9000 section 18.2: "Values of 2^14 or greater are invalid."</summary>
    public const long MaxMaxAckDelay = (1 << 14) - 1;

    /// <summary>RFC 9000 section 18.2: "If this transport parameter is absent, a default of 2 is assumed." Less is invalid.</summary>
    public const long MinActiveConnectionIdLimit = 2;

    /// <summary>RFC 9000 section 4.6: a count of streams greater than 2^60 would allow an id that is not a variable-length integer.</summary>
    public const long MaxStreams = 1L << 60;

    /// <summary>The version of <c>docs/protocol.md</c> section 5 that this code follows.</summary>
    public const long CurrentGimletPaths = 1;

    /// <summary>Server only: the Destination Connection ID of the client's very first Initial packet.</summary>
    public ConnectionId? OriginalDestinationConnectionId { get; init; }

    /// <summary>Milliseconds; 0 means none.</summary>
    public long MaxIdleTimeout { get; init; }

    /// <summary>Server only: the token of the id that was used in the handshake.</summary>
    public StatelessResetToken? StatelessResetToken { get; init; }

    /// <summary>The largest UDP payload that the sender of this wants to receive, in bytes.</summary>
    public long MaxUdpPayloadSize { get; init; } = DefaultMaxUdpPayloadSize;

    /// <summary>Bytes on all streams together.</summary>
    public long InitialMaxData { get; init; }

    /// <summary>Bytes on each bidirectional stream that the sender of this opens.</summary>
    public long InitialMaxStreamDataBidirectionalLocal { get; init; }

    /// <summary>Bytes on each bidirectional stream that the receiver of this opens.</summary>
    public long InitialMaxStreamDataBidirectionalRemote { get; init; }

    /// <summary>Bytes on each unidirectional stream that the receiver of this opens.</summary>
    public long InitialMaxStreamDataUnidirectional { get; init; }

    /// <summary>Bidirectional streams that the receiver of this may open.</summary>
    public long InitialMaxStreamsBidirectional { get; init; }

    /// <summary>Unidirectional streams that the receiver of this may open.</summary>
    public long InitialMaxStreamsUnidirectional { get; init; }

    /// <summary>ACK Delay fields count units of 2 to the power of this, in microseconds.</summary>
    public long AckDelayExponent { get; init; } = DefaultAckDelayExponent;

    /// <summary>Milliseconds by which an acknowledgement is put off at most.</summary>
    public long MaxAckDelay { get; init; } = DefaultMaxAckDelay;

    /// <summary>Whether the address of the handshake must not be migrated to.</summary>
    public bool DisableActiveMigration { get; init; }

    /// <summary>Server only.</summary>
    public PreferredAddress? PreferredAddress { get; init; }

    /// <summary>How many of the receiver's connection ids the sender of this stores.</summary>
    public long ActiveConnectionIdLimit { get; init; } = MinActiveConnectionIdLimit;

    /// <summary>The Source Connection ID of the sender's first Initial packet; mandatory.</summary>
    public ConnectionId? InitialSourceConnectionId { get; init; }

    /// <summary>Server only: the Source Connection ID of its Retry packet.</summary>
    public ConnectionId? RetrySourceConnectionId { get; init; }

    /// <summary>The largest DATAGRAM frame in bytes, with its type and length (RFC 9221 section 3); 0 means none.</summary>
    public long MaxDatagramFrameSize { get; init; }

    /// <summary>Whether the peer tolerates a cleared Fixed Bit (RFC 9287). Of no use to us, see <see cref="HeaderBits.Fixed"/>.</summary>
    public bool GreaseQuicBit { get; init; }

    /// <summary>
    /// The newest version of Gimlet's path rules that the sender follows; 0 means RFC 9000 and nothing more. A connection follows the
    /// smaller of both sides' numbers.
    /// </summary>
    public long GimletPaths { get; init; }
}
