namespace Gimlet.Quic.Connections;

/// <summary>What a connection counts; never reset. The fields are written by the connection only.</summary>
internal sealed class ConnectionCounters
{
    public long DatagramsSent;
    public long DatagramsReceived;
    public long BytesSent;
    public long BytesReceived;
    public long PacketsSent;
    public long PacketsReceived;
    public long PacketsLost;
    public long BytesLost;
    public long PacketsDropped;
    public long ProbeTimeouts;
    public long KeyUpdates;
    public long Migrations;
    public long DatagramFramesSent;
    public long DatagramFramesReceived;
    public long DatagramFramesLost;
    public long DatagramFramesDropped;
}

/// <summary>What can be told of a connection at one moment.</summary>
/// <param name="Rtt">Smoothed round-trip time of the current path.</param>
/// <param name="MinRtt">The smallest one seen there.</param>
/// <param name="CongestionWindow">In bytes.</param>
/// <param name="BytesInFlight">Sent, neither acknowledged nor lost, in bytes.</param>
/// <param name="UdpPayload">The largest UDP payload that the path is known to carry, in bytes.</param>
/// <param name="EcnCapable">Whether packets are marked, and marks arrive.</param>
/// <param name="Counters">Counts since the beginning.</param>
internal readonly record struct ConnectionStatistics(
    TimeSpan Rtt, TimeSpan MinRtt, long CongestionWindow, long BytesInFlight, int UdpPayload, bool EcnCapable, ConnectionCounters Counters);
