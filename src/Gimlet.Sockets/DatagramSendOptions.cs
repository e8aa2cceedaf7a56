namespace Gimlet.Sockets;

/// <summary>What one datagram may have different from the socket's defaults; <c>default</c> changes nothing.</summary>
public readonly record struct DatagramSendOptions
{
    /// <summary>
    /// The IPv4 time to live or IPv6 hop limit of this datagram; 0 leaves the system's default. A small value opens the
    /// NAT in front of this machine with a datagram that dies before it reaches the peer's.
    /// </summary>
    public byte TimeToLive { get; init; }

    /// <summary>The mark of explicit congestion notification; ignored where the system offers no way to choose it.</summary>
    public EcnMark Ecn { get; init; }
}
