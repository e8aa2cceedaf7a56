using System.Net;

namespace Gimlet.Sockets;

/// <summary>
/// How a <see cref="DatagramSocket"/> is made. What the system does not give is missing in
/// <see cref="DatagramSocket.Capabilities"/>; it is no error.
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

    /// <summary>
    /// Sends every datagram whole or not at all, as QUIC must (RFC 9000 section 14), and ignores what the system remembers of
    /// paths, so that probes may be larger (IP_PMTUDISC_PROBE): <see cref="DatagramSendResult.TooLarge"/> then means larger
    /// than the interface takes. Off by default: the system fragments what it knows to be too large.
    /// </summary>
    public bool DontFragment { get; init; }

    /// <summary>
    /// Lets the system hand over several datagrams of one sender as one <see cref="ReceivedDatagram"/> with segments. Off by
    /// default, because every slot must then hold <see cref="DatagramReceiveBatch.OffloadDatagramBytes"/>: take few of them.
    /// </summary>
    public bool ReceiveOffload { get; init; }

    /// <summary>Asks for the mark of each datagram (<see cref="ReceivedDatagram.Ecn"/>). Off by default: few protocols answer it.</summary>
    public bool ReportEcn { get; init; }

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

    /// <summary>Linux with recvmmsg and sendmmsg, but without segmentation and receive offload, as before Linux 4.18.</summary>
    LinuxWithoutOffloads,

    /// <summary>
    /// Linux that offers segmentation and refuses it when sending, as on a device without checksums: these sockets send
    /// without a checksum, which the kernel cannot combine with it (EINVAL).
    /// </summary>
    LinuxRefusingSegmentation,

    /// <summary>The framework's socket only.</summary>
    Portable,
}
