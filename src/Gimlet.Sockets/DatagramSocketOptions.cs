using System.Net;

namespace Gimlet.Sockets;

/// <summary>
/// How a <see cref="DatagramSocket"/> is made. The system's path MTU discovery (IP_MTU_DISCOVER) is left at its default:
/// whoever sends full-size datagrams gets <see cref="DatagramSendResult.TooLarge"/> where the system knows the path.
/// </summary>
public sealed record DatagramSocketOptions
{
    /// <summary>
    /// The address and port to bind. Port 0 takes any free port. The address chooses the family: an IPv6 socket never
    /// carries IPv4 (IPV6_V6ONLY), a node that wants both has two sockets.
    /// </summary>
    public IPEndPoint LocalEndPoint { get; init; } = new(IPAddress.Any, 0);

    /// <summary>
    /// The receive buffer to ask for, in bytes; null keeps the system's default. Systems cap it (Linux: net.core.rmem_max);
    /// <see cref="DatagramSocket.ReceiveBufferBytes"/> says what was given.
    /// </summary>
    public int? ReceiveBufferBytes { get; init; }

    /// <summary>The send buffer to ask for, in bytes; null keeps the system's default, which is capped as well.</summary>
    public int? SendBufferBytes { get; init; }

    /// <summary>
    /// Lets several sockets of the same user bind the same address and port; Linux then spreads incoming datagrams over
    /// them by a hash of their addresses (SO_REUSEPORT). Off by default: a port in use should be an error.
    /// </summary>
    public bool ReuseAddress { get; init; }

    /// <summary>
    /// Asks the system to report ICMP errors through <see cref="DatagramSocket.TryReadError"/>. Off by default: a server
    /// that answers strangers has no use for them, a node learns at once that nobody listens instead of timing out.
    /// </summary>
    public bool ReportErrors { get; init; }

    /// <summary>Which implementation to use; tests run the same suite over each.</summary>
    internal DatagramSocketImplementation Implementation { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(LocalEndPoint);
        if (ReceiveBufferBytes <= 0)
        {
            throw new ArgumentException(
                $"{nameof(ReceiveBufferBytes)} is {ReceiveBufferBytes}; it must be positive, or null for the system's default.",
                nameof(ReceiveBufferBytes));
        }

        if (SendBufferBytes <= 0)
        {
            throw new ArgumentException(
                $"{nameof(SendBufferBytes)} is {SendBufferBytes}; it must be positive, or null for the system's default.",
                nameof(SendBufferBytes));
        }
    }
}

/// <summary>The implementations of <see cref="DatagramSocket"/>.</summary>
internal enum DatagramSocketImplementation
{
    /// <summary>The best one for this system.</summary>
    Best,

    /// <summary>Linux, but one datagram per system call, as on a kernel or sandbox without recvmmsg and sendmmsg.</summary>
    LinuxWithoutBatches,

    /// <summary>The framework's socket only.</summary>
    Portable,
}
