using System.Net;
using System.Net.Sockets;

namespace Gimlet.Cli.Tests.Support;

/// <summary>Ports on this machine.</summary>
internal static class Loopback
{
    /// <summary>A TCP port on which nobody listens at this moment.</summary>
    public static int ClosedTcpPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A UDP port that is taken until the socket is disposed.</summary>
    public static Socket TakeUdpPort(out int port, int wanted = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, wanted));
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    /// <summary>A UDP port that is free at this moment.</summary>
    public static int FreeUdpPort()
    {
        using Socket socket = TakeUdpPort(out int port);
        return port;
    }
}
