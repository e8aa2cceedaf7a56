using System.Net;
using System.Net.Sockets;
using Gimlet.Calls;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// The node's sockets: one per address family, both on the same port where that is to be had, and a second IPv4 socket for filtering
/// tests. IPv4 is required; a machine without IPv6 has one socket less.
/// </summary>
internal sealed class NodeSockets : IDisposable
{
    // A second family on the same port is worth a few tries: firewalls and people think in one port.
    private const int SamePortTries = 8;

    // Bursts of checks from many calls, and QUIC later: four times Linux's default of 208 KiB.
    private const int BufferBytes = 1 << 20;

    private NodeSockets(DatagramSocket? ipv4, DatagramSocket? ipv6)
    {
        IPv4 = ipv4;
        IPv6 = ipv6;
    }

    /// <summary>No sockets at all.</summary>
    public static NodeSockets None() => new(null, null);

    public DatagramSocket? IPv4 { get; }

    public DatagramSocket? IPv6 { get; }

    /// <summary>The socket for filtering tests; bound when first needed.</summary>
    public DatagramSocket? Probe { get; private set; }

    public (int IPv4, int IPv6) Ports => (IPv4?.LocalAddress.Port ?? 0, IPv6?.LocalAddress.Port ?? 0);

    /// <summary>Binds.</summary>
    /// <param name="port">The port; 0 for any.</param>
    /// <param name="orAny">Any port when that one is in use.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: no socket could be bound.</exception>
    public static NodeSockets Bind(int port, bool orAny)
    {
        try
        {
            return BindBoth(port);
        }
        catch (DatagramBindException) when (orAny && port != 0)
        {
            return Bind(0, orAny: false);
        }
        catch (DatagramBindException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, e.Message, port == 0 ? null : "Use another --port, or leave it out for any free port.", e);
        }
    }

    /// <summary>Binds to the loopback address alone; no sockets where that is not to be had.</summary>
    public static NodeSockets BindLoopback()
    {
        try
        {
            return new NodeSockets(BindOne(IPAddress.Loopback, 0), null);
        }
        catch (DatagramBindException)
        {
            return None();
        }
    }

    public DatagramSocket BindProbe() => Probe ??= DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(IPAddress.Any, 0) });

    public DatagramSocket? For(in Datagram datagram) => datagram.Socket == NodeSocketKind.Probe ? Probe : For(datagram.Remote);

    public DatagramSocket? For(in TransportAddress remote) => remote.IsIPv4 ? IPv4 : IPv6;

    public void Dispose()
    {
        IPv4?.Dispose();
        IPv6?.Dispose();
        Probe?.Dispose();
    }

    private static NodeSockets BindBoth(int port)
    {
        for (int i = 1; ; i++)
        {
            DatagramSocket? ipv4 = Socket.OSSupportsIPv4 ? BindOne(IPAddress.Any, port) : null;
            if (!Socket.OSSupportsIPv6)
            {
                return new NodeSockets(ipv4, null);
            }

            try
            {
                return new NodeSockets(ipv4, BindOne(IPAddress.IPv6Any, ipv4?.LocalAddress.Port ?? port));
            }
            catch (DatagramBindException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && port == 0 && i < SamePortTries)
            {
                ipv4?.Dispose();
            }
            catch (DatagramBindException) when (ipv4 is not null && port == 0)
            {
                // IPv6 is compiled in but switched off on this machine.
                return new NodeSockets(ipv4, null);
            }
            catch (DatagramBindException e) when (ipv4 is not null && e.SocketErrorCode != SocketError.AddressAlreadyInUse)
            {
                return new NodeSockets(ipv4, null);
            }
            catch
            {
                ipv4?.Dispose();
                throw;
            }
        }
    }

    private static DatagramSocket BindOne(IPAddress address, int port) =>
        DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(address, port), ReceiveBufferBytes = BufferBytes, SendBufferBytes = BufferBytes, ReportErrors = true });
}
