using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Bench.Common;

/// <summary>coturn's turnserver (Debian's package coturn) with everything off that would cost it time.</summary>
public static class Turnserver
{
    /// <summary>Starts it.</summary>
    /// <param name="core">The core that it runs on.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="port">The port that it listens on.</param>
    /// <param name="arguments">What is wanted of it.</param>
    /// <returns>Null where it, or taskset, is not installed: the report says that there is nothing to compare with.</returns>
    public static PinnedProcess? TryStart(string core, string address, out int port, params IEnumerable<string> arguments)
    {
        port = FreePort(address);
        try
        {
            return !File.Exists("/usr/bin/turnserver") ? null : PinnedProcess.Start(
                core,
                "turnserver",
                [
                    .. arguments,
                    "-n",
                    "--no-auth",
                    "--listening-ip", address,
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
                    "--pidfile", Path.Combine(Path.GetTempPath(), $"gimlet-bench-turnserver-{Environment.ProcessId}.pid"),
                ]);
        }
        catch (Win32Exception)
        {
            return null; // no taskset
        }
    }

    private static int FreePort(string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
