using System.Diagnostics;
using Gimlet.Sockets;

namespace Gimlet.Bench.Common;

/// <summary>
/// A closed loop: keeps a fixed number of datagrams under way to a server and counts what comes back. It sends and receives in batches, so that it
/// costs less per datagram than any server that takes one by one.
/// </summary>
/// <param name="sender">Sends to the server.</param>
/// <param name="receiver">Where what the server sends comes in; may be the same socket.</param>
/// <param name="server">The server.</param>
/// <param name="underWay">Enough that the server always has something waiting, and few enough for its receive buffer.</param>
public sealed class DatagramLoad(DatagramSocket sender, DatagramSocket receiver, TransportAddress server, int underWay)
{
    private const int Batch = 64;
    private const int MaxDatagram = 1500;

    // Lost datagrams would stop a closed loop; after this silence they are written off and counted.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    /// <summary>Looks at a datagram that came back, and throws when it is not what it should be.</summary>
    /// <param name="payload">The datagram.</param>
    /// <param name="received">How many came before it.</param>
    public delegate void DatagramCheck(ReadOnlySpan<byte> payload, long received);

    /// <summary>Keeps datagrams on their way for some time.</summary>
    /// <param name="next">The datagram to send next.</param>
    /// <param name="check">Called with every datagram that came back.</param>
    /// <param name="length">How long to go on.</param>
    public (long Received, long Lost, TimeSpan Elapsed) Run(Func<byte[]> next, DatagramCheck check, TimeSpan length)
    {
        var sending = new DatagramSendBatch(Batch, MaxDatagram);
        var receiving = new DatagramReceiveBatch(Batch, MaxDatagram);
        long received = 0;
        long lost = 0;
        long outstanding = 0;
        long start = Stopwatch.GetTimestamp();
        long last = start;
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(start, now) >= length)
            {
                return (received, lost, Stopwatch.GetElapsedTime(start, now));
            }

            sending.Clear();
            while (!sending.IsFull && outstanding + sending.Count < underWay)
            {
                _ = sending.TryAdd(next(), server);
            }

            if (sending.Count > 0)
            {
                outstanding += sender.Send(sending);
            }

            // With room for a whole batch again it is worth sending before looking for more.
            int count = receiver.Receive(receiving);
            for (int i = 0; i < count; i++)
            {
                check(receiving[i].Payload, received + i);
            }

            if (count > 0)
            {
                received += count;
                outstanding = Math.Max(0, outstanding - count);
                last = now;
            }
            else if (Stopwatch.GetElapsedTime(last, now) > Silence)
            {
                lost += outstanding;
                outstanding = 0;
                last = now;
            }
        }
    }
}
