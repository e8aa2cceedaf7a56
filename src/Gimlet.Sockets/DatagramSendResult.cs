namespace Gimlet.Sockets;

/// <summary>What became of a datagram that was handed to <see cref="DatagramSocket"/>. UDP promises nothing beyond <see cref="Sent"/>.</summary>
public enum DatagramSendResult
{
    /// <summary>The system took it.</summary>
    Sent,

    /// <summary>The send buffer is full (EAGAIN, ENOBUFS). Later may work; dropping it is what a router would do.</summary>
    WouldBlock,

    /// <summary>
    /// No way from this socket to that address: no route, interface down, the other address family, or the local
    /// address to send from is not (or no longer) this machine's.
    /// </summary>
    Unreachable,

    /// <summary>An ICMP port-unreachable of an earlier datagram was reported (ECONNREFUSED).</summary>
    Refused,

    /// <summary>Larger than the path or the system allows (EMSGSIZE).</summary>
    TooLarge,

    /// <summary>A local firewall or policy forbids it (EPERM, EACCES).</summary>
    Denied,

    /// <summary>Any other error of the system, for example port 0.</summary>
    Failed,
}
