namespace Gimlet.Sockets;

/// <summary>What the system really gave a <see cref="DatagramSocket"/>; everything works without, only slower or less exactly.</summary>
[Flags]
public enum DatagramSocketCapabilities
{
    /// <summary>Nothing beyond sending and receiving one datagram at a time.</summary>
    None = 0,

    /// <summary>
    /// The local address of every datagram is known, and a datagram can leave from a chosen local address. Without it a
    /// socket on the wildcard address answers from whatever address the system picks: bind each address instead.
    /// </summary>
    PacketInfo = 1,

    /// <summary>Several datagrams are received by one system call (recvmmsg).</summary>
    BatchReceive = 2,

    /// <summary>Several datagrams are sent by one system call (sendmmsg).</summary>
    BatchSend = 4,

    /// <summary>ICMP errors are reported with the address they are about (<see cref="DatagramSocket.TryReadError"/>).</summary>
    ErrorReports = 8,

    /// <summary>
    /// The system cuts a payload of several segments into datagrams (UDP_SEGMENT). Taken back for good when the kernel
    /// refuses it while sending, as old ones do on a device that computes no checksums.
    /// </summary>
    SegmentationOffload = 16,

    /// <summary>
    /// Several datagrams of one sender may arrive as one <see cref="ReceivedDatagram"/> (UDP_GRO). Needs
    /// <see cref="DatagramSocketOptions.ReceiveOffload"/>.
    /// </summary>
    ReceiveOffload = 32,

    /// <summary>
    /// Marks of explicit congestion notification are sent and reported. Needs <see cref="DatagramSocketOptions.ReportEcn"/>.
    /// </summary>
    Ecn = 64,

    /// <summary>No datagram is fragmented, here or on the way. Needs <see cref="DatagramSocketOptions.DontFragment"/>.</summary>
    DontFragment = 128,
}
