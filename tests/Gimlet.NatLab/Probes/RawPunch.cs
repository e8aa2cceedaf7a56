using System.Net;
using System.Net.Sockets;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Probes;

/// <summary>
/// The plainest hole punch there is: both sides know the other's mapped address, send to it again and again, and answer whoever is heard. It shows
/// what a pair of lab NATs allows, independent of Gimlet.
/// </summary>
internal static class RawPunch
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);
    // Twelve exchanges at 40 ms: a pair that has not met by then never will, nothing in it changes any more.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly byte[] Hello = "hello"u8.ToArray();
    private static readonly byte[] HeardYou = "heard"u8.ToArray();

    /// <summary>Lets both sides play until each was heard, or until nothing can change any more.</summary>
    /// <returns>Whether each side heard the other and knows that it was heard.</returns>
    internal static async Task<bool> TryAsync(LabHost a, LabHost b, ProbeServer server)
    {
        using var left = new ProbeSocket(a);
        using var right = new ProbeSocket(b);
        var (mappedLeft, mappedRight) = (await left.MappedAsync(server, 0), await right.MappedAsync(server, 0));
        if (mappedLeft is null || mappedRight is null)
        {
            return false;
        }

        using var patience = new CancellationTokenSource(Patience);
        var sides = await Task.WhenAll(
            PlayAsync(left.Socket, mappedRight[0], patience.Token),
            PlayAsync(right.Socket, mappedLeft[0], patience.Token));
        return Array.TrueForAll(sides, wasHeard => wasHeard);
    }

    private static async Task<bool> PlayAsync(Socket socket, IPEndPoint peer, CancellationToken patience)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(patience);
        var peers = new HashSet<IPEndPoint> { peer };
        var hasHeard = false;
        var wasHeard = false;
        var receiving = ReceiveAsync();
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do
            {
                IPEndPoint[] targets;
                lock (peers)
                {
                    targets = [.. peers];
                }

                foreach (var target in targets)
                {
                    await socket.SendToAsync(Volatile.Read(ref hasHeard) ? HeardYou : Hello, target, patience);
                }
            }
            while (await timer.WaitForNextTickAsync(done.Token));
        }
        catch (OperationCanceledException)
        {
            // Time is up, or this side is done.
        }

        await receiving;
        return wasHeard;

        async Task ReceiveAsync()
        {
            var buffer = new byte[ProbeMessage.MaxBytes];
            var anyone = new IPEndPoint(IPAddress.Any, 0);
            try
            {
                while (true)
                {
                    var received = await socket.ReceiveFromAsync(buffer, anyone, patience);
                    Volatile.Write(ref hasHeard, true);
                    lock (peers)
                    {
                        peers.Add((IPEndPoint)received.RemoteEndPoint);
                    }

                    await socket.SendToAsync(HeardYou, received.RemoteEndPoint, patience);
                    if (buffer.AsSpan(0, received.ReceivedBytes).SequenceEqual(HeardYou))
                    {
                        wasHeard = true;
                        await done.CancelAsync();
                        return;
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Nobody was heard, or not in time.
            }
        }
    }
}
