using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Bench.Relay;

/// <summary>coturn's turnserver with everything off that would cost it time.</summary>
internal static class Coturn
{
    public static PinnedProcess? TryStart(int core, string address, out int port)
    {
        port = FreePort(address);
        try
        {
            return !File.Exists("/usr/bin/turnserver") ? null : PinnedProcess.Start(
                core,
                "turnserver",
                "-n",
                "--no-auth",
                "--allow-loopback-peers",
                "--listening-ip", address,
                "--relay-ip", address,
                "--listening-port", port.ToString(CultureInfo.InvariantCulture),
                "--relay-threads", "1",
                "--no-tcp",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--no-rfc5780",
                "--no-software-attribute",
                "--no-stdout-log",
                "--simple-log",
                "--log-file", "/dev/null",
                "--pidfile", Path.Combine(Path.GetTempPath(), $"gimlet-bench-turnserver-{Environment.ProcessId}.pid"));
        }
        catch (Win32Exception)
        {
            return null; // no taskset, no turnserver: the caller says that there is nothing to compare with
        }
    }

    private static int FreePort(string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
