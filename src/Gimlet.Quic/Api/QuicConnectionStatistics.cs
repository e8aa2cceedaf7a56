namespace Gimlet.Quic;

/// <summary>What can be told of a connection at one moment; counts are since its beginning.</summary>
public sealed record QuicConnectionStatistics
{
    /// <summary>The smoothed round-trip time of the path in use (RFC 9002 section 5.3).</summary>
    public required TimeSpan Rtt { get; init; }

    /// <summary>The smallest round-trip time seen there.</summary>
    public required TimeSpan MinRtt { get; init; }

    /// <summary>Bytes that congestion control lets be under way.</summary>
    public required long CongestionWindow { get; init; }

    /// <summary>Bytes that are under way: neither acknowledged nor lost.</summary>
    public required long BytesInFlight { get; init; }

    /// <summary>The largest UDP payload that the path is known to carry, in bytes.</summary>
    public required int PathMtu { get; init; }

    /// <summary>Whether packets are marked for ECN, and the marks arrive.</summary>
    public required bool IsEcnCapable { get; init; }

    /// <summary>UDP datagrams sent.</summary>
    public required long DatagramsSent { get; init; }

    /// <summary>UDP datagrams received.</summary>
    public required long DatagramsReceived { get; init; }

    /// <summary>UDP payload sent, in bytes.</summary>
    public required long BytesSent { get; init; }

    /// <summary>UDP payload received, in bytes.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>QUIC packets sent.</summary>
    public required long PacketsSent { get; init; }

    /// <summary>QUIC packets received that were authentic and new.</summary>
    public required long PacketsReceived { get; init; }

    /// <summary>QUIC packets sent that were declared lost.</summary>
    public required long PacketsLost { get; init; }

    /// <summary>The bytes of those packets. What they carried is sent again; one that was late and not lost counts too.</summary>
    public required long BytesLost { get; init; }

    /// <summary>Received packets that were of no use: not authentic, seen before, or too early.</summary>
    public required long PacketsDropped { get; init; }

    /// <summary>Probe timeouts (RFC 9002 section 6.2).</summary>
    public required long ProbeTimeouts { get; init; }

    /// <summary>Key updates, by either side (RFC 9001 section 6).</summary>
    public required long KeyUpdates { get; init; }

    /// <summary>Changes of the path in use.</summary>
    public required long Migrations { get; init; }

    /// <summary>DATAGRAM frames sent (RFC 9221).</summary>
    public required long DatagramFramesSent { get; init; }

    /// <summary>DATAGRAM frames received.</summary>
    public required long DatagramFramesReceived { get; init; }

    /// <summary>DATAGRAM frames sent in packets that were declared lost.</summary>
    public required long DatagramFramesLost { get; init; }

    /// <summary>DATAGRAM frames received that the application did not take in time.</summary>
    public required long DatagramFramesDropped { get; init; }
}
