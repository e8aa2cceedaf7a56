using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Bench.Stun;

/// <summary>coturn's turnserver as a pure STUN server, with everything off that would cost it time.</summary>
internal static class Coturn
{
    public static PinnedProcess? TryStart(int core, string address, out int port)
    {
        port = FreePort(address);
        try
        {
            if (!File.Exists("/usr/bin/turnserver"))
            {
                return null;
            }

            return PinnedProcess.Start(
                core,
                "turnserver",
                "-n",
                "--stun-only",
                "--no-auth",
                "--listening-ip", address,
                "--listening-port", port.ToString(CultureInfo.InvariantCulture),
                "--relay-threads", "1",
                "--no-tcp",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--no-rfc5780",
                "--no-stun-backward-compatibility",
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

    /// <summary>Waits until the server answers; it takes a moment to start.</summary>
    public static void WaitUntilItAnswers(string address, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 100 };
        socket.Connect(IPAddress.Parse(address), port);
        byte[] request = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        byte[] answer = new byte[512];
        for (int attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                _ = socket.Send(request);
                if (socket.Receive(answer) >= 32)
                {
                    return;
                }
            }
            catch (SocketException)
            {
                Thread.Sleep(50); // refused or silent: not up yet
            }
        }

        throw new InvalidOperationException("turnserver does not answer.");
    }

    private static int FreePort(string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
