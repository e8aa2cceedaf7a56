namespace Gimlet.Quic;

/// <summary>What can be told of one path of a connection at one moment; counts are since the connection has it.</summary>
public sealed record QuicPathStatistics
{
    /// <summary>The path, as its owner numbers it.</summary>
    public required QuicPath Path { get; init; }

    /// <summary>The smoothed round-trip time of the path (RFC 9002 section 5.3); zero before it was measured.</summary>
    public required TimeSpan Rtt { get; init; }

    /// <summary>The smallest round-trip time seen there; zero before it was measured.</summary>
    public required TimeSpan MinRtt { get; init; }

    /// <summary>UDP payload sent there, in bytes.</summary>
    public required long BytesSent { get; init; }

    /// <summary>UDP payload received from there, in bytes.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>QUIC packets sent there.</summary>
    public required long PacketsSent { get; init; }

    /// <summary>QUIC packets sent there that were declared lost.</summary>
    public required long PacketsLost { get; init; }

    /// <summary>Whether the peer is known to be reachable there: by the handshake, or by an answered challenge (RFC 9000 section 8.2).</summary>
    public required bool IsValidated { get; init; }

    /// <summary>Whether data goes out there now.</summary>
    public required bool IsCurrent { get; init; }
}
