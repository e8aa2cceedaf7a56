using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Relay;

/// <summary>
/// The load on Gimlet's relay: one node sends the same frame again and again, another one counts. A fixed number of bytes is under way, so that
/// nothing is dropped at the receiver's queue.
/// </summary>
internal static class RelayLoad
{
    // Half of the receiver's queue by default: enough that the server always has something to do.
    private const int UnderWay = 256 * 1024;

    // Dropped frames would stop a closed loop; after this silence they are written off and counted.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    public static int Run(string[] args)
    {
        IPEndPoint server = IPEndPoint.Parse(args[0]);
        var length = TimeSpan.FromSeconds(int.Parse(args[1], CultureInfo.InvariantCulture));
        int batch = int.Parse(args[2], CultureInfo.InvariantCulture);
        int size = int.Parse(args[3], CultureInfo.InvariantCulture);
        using RawNode sender = RawNode.Register(server);
        using RawNode receiver = RawNode.Register(server);
        RawNode.Meet(sender, receiver);
        byte[] frame = sender.Frame(receiver, batch, size);
        var counter = new FrameCounter(size, (received, header) => sender.IsSender(received, header, frame, batch, size));
        (long lost, TimeSpan elapsed) = Load(sender.Socket, receiver.Socket, frame, batch, counter, length);
        Measurement.Print(counter.Datagrams, lost, elapsed);
        return 0;
    }

    private static (long Lost, TimeSpan Elapsed) Load(Socket sender, Socket receiver, byte[] frame, int batch, FrameCounter counter, TimeSpan length)
    {
        // Many small frames go in one send: the load must not be what takes the time.
        int repeat = Math.Max(1, 65_536 / frame.Length);
        byte[] toSend = new byte[repeat * frame.Length];
        for (int i = 0; i < repeat; i++)
        {
            frame.CopyTo(toSend, i * frame.Length);
        }

        int window = Math.Max(2, UnderWay / frame.Length) * frame.Length;
        long sent = 0;
        long lost = 0;
        sender.Blocking = receiver.Blocking = false;
        long start = Stopwatch.GetTimestamp();
        long lastReceived = start;
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(start, now) >= length)
            {
                return (lost, Stopwatch.GetElapsedTime(start, now));
            }

            long underWay = sent - ((counter.Datagrams + lost) / batch * frame.Length);
            if (underWay < window)
            {
                int at = (int)(sent % toSend.Length);
                int room = (int)Math.Min(toSend.Length - at, window - underWay);
                sent += Math.Max(0, sender.Send(toSend.AsSpan(at, room), SocketFlags.None, out _));
            }

            int count = receiver.Receive(counter.Room, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success && count > 0)
            {
                counter.Received(count);
                lastReceived = now;
            }
            else if (error != SocketError.WouldBlock)
            {
                throw new InvalidOperationException($"The server closed the connection: {error}.");
            }
            else if (Stopwatch.GetElapsedTime(lastReceived, now) > Silence)
            {
                lost += underWay / frame.Length * batch;
                lastReceived = now;
            }
        }
    }
}
