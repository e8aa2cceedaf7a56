using System.Net;
using System.Net.Sockets;

namespace Gimlet.Bench.Stun;

/// <summary>When a server that was just started can be measured.</summary>
internal static class Readiness
{
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
}
