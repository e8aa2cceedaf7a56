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
}
