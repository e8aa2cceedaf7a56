namespace Gimlet.Sockets;

/// <summary>
/// What an ICMP message said about a datagram that this socket sent earlier. Anybody on the way, and whoever can guess
/// the ports, can make one: a hint to try something else sooner, never a reason to give up what still answers.
/// </summary>
/// <param name="Remote">Where the datagram was sent.</param>
/// <param name="Kind">What went wrong.</param>
public readonly record struct DatagramError(TransportAddress Remote, DatagramErrorKind Kind);

/// <summary>What went wrong with a datagram on its way.</summary>
public enum DatagramErrorKind
{
    /// <summary>The machine is there and nothing listens on the port (ICMP port unreachable).</summary>
    Refused,

    /// <summary>A router, or the neighbour discovery of this machine, found no way there.</summary>
    Unreachable,

    /// <summary>The time to live ran out on the way: expected of a datagram that was sent with a small one.</summary>
    TimeToLiveExceeded,

    /// <summary>Too large for the path.</summary>
    TooLarge,

    /// <summary>A firewall said so (administratively prohibited).</summary>
    Denied,

    /// <summary>Anything else.</summary>
    Other,
}
