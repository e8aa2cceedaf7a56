using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>Takes a datagram.</summary>
/// <param name="local">The address the datagram came to, with the socket's port.</param>
/// <param name="remote">Who sent it, as it looks from here.</param>
/// <param name="datagram">Valid during the call.</param>
internal delegate void DatagramHandler(TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram);

/// <summary>A UDP socket of one IP version, bound to one port on all interfaces.</summary>
internal sealed class SimSocket(SimHost host, bool isIPv4, int port) : IDisposable
{
    public SimHost Host { get; } = host;

    public bool IsIPv4 { get; } = isIPv4;

    public int Port { get; } = port;

    public DatagramHandler? OnDatagram { get; set; }

    /// <summary>A notification came: a datagram to this remote address did not arrive.</summary>
    public Action<TransportAddress>? OnUnreachable { get; set; }

    /// <summary>Sends a datagram.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="datagram">At most <see cref="Packet.MaxBytes"/>; copied.</param>
    /// <param name="local">The source address, which also chooses the interface; empty lets the host's routes choose.</param>
    /// <param name="timeToLive">Hops that the packet may take.</param>
    /// <returns>False where a kernel would refuse at once: no route, no such local address, no carrier.</returns>
    public bool Send(TransportAddress remote, ReadOnlySpan<byte> datagram, TransportAddress local = default, int timeToLive = 64) =>
        Host.Send(this, remote, datagram, local, timeToLive);

    public void Dispose() => Host.Unbind(this);
}
