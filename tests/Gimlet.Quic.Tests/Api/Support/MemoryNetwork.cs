using System.Collections.Concurrent;
using Gimlet.Sockets;

namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>
/// A sender without sockets, whose paths are plain numbers: what one end sends on a path arrives at the other end on the same path. It can be full, and it
/// can refuse. Used as the owner of relays would use an endpoint.
/// </summary>
/// <param name="traffic">Hears of everything that is on the way; null where nobody waits for it.</param>
internal sealed class MemoryNetwork(Traffic? traffic = null) : IDatagramSender, IDisposable
{
    /// <summary>A path on which nothing arrives.</summary>
    public const int Nowhere = 999;

    private readonly BlockingCollection<(QuicPath Path, byte[] Bytes, int SegmentSize, EcnMark Ecn)> _wire = new();
    private readonly ConcurrentDictionary<QuicPath, int> _held = new();
    private Thread? _thread;
    private int _sends;

    /// <summary>Takes so many datagrams, then is full until <see cref="MakeRoom"/>; -1: never full.</summary>
    public int Room { get; set; } = -1;

    /// <summary>What every send answers instead of taking anything.</summary>
    public DatagramSendResult? Failure { get; set; }

    /// <summary>Whether batches end; until they do, what came is not told of.</summary>
    public bool IsFlushing { get; set; } = true;

    /// <summary>Whether who sends on a path may begin a connection at the other end.</summary>
    public Predicate<QuicPath> MayBegin { get; set; } = static _ => true;

    public int Sends => Volatile.Read(ref _sends);

    public int WouldBlocks { get; private set; }

    public int LargestBatch { get; private set; }

    /// <summary>How often each path is held now.</summary>
    public IReadOnlyDictionary<QuicPath, int> Held => _held;

    /// <summary>Everything goes to this endpoint from now on.</summary>
    public void DeliverTo(QuicEndpoint endpoint)
    {
        QuicReceiver receiver = endpoint.CreateReceiver();
        _thread = new Thread(() =>
        {
            int received = 0;
            foreach ((QuicPath path, byte[] bytes, int segmentSize, EcnMark ecn) in _wire.GetConsumingEnumerable())
            {
                receiver.Receive(path, ecn, bytes, segmentSize, MayBegin(path));
                received++;
                if (_wire.Count == 0 && IsFlushing)
                {
                    receiver.Flush();
                    traffic?.Ended(received);
                    received = 0;
                }
            }
        })
        { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _wire.CompleteAdding();
        _thread?.Join();
        _wire.Dispose();
    }

    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        sent = 0;
        _ = Interlocked.Increment(ref _sends);
        if (Failure is { } failure)
        {
            return failure;
        }

        int count = (datagrams.Length + segmentSize - 1) / segmentSize;
        LargestBatch = Math.Max(LargestBatch, count);
        int room = Room < 0 ? count : Math.Min(Room, count);
        sent = Math.Min(room * segmentSize, datagrams.Length);
        if (Room >= 0)
        {
            Room -= room;
        }

        if (sent > 0 && path.Value != Nowhere)
        {
            traffic?.Began();
            _wire.Add((path, datagrams[..sent].ToArray(), segmentSize, ecn));
        }

        if (sent == datagrams.Length)
        {
            return DatagramSendResult.Sent;
        }

        WouldBlocks++;
        return DatagramSendResult.WouldBlock;
    }

    public void Hold(QuicPath path) => _ = _held.AddOrUpdate(path, 1, (_, count) => count + 1);

    public void Release(QuicPath path)
    {
        if (_held.AddOrUpdate(path, -1, (_, count) => count - 1) == 0)
        {
            _ = _held.TryRemove(path, out _);
        }
    }
}
