using System.Runtime.CompilerServices;
using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// What a sender is told of datagrams that did not get through: counted at once, told once a second at most, in memory that does not grow.
/// </summary>
internal sealed class RelayNotices(RendezvousLimits limits)
{
    /// <summary>"Once a second at most" (docs/protocol.md section 2).</summary>
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    /// <summary>Peers whose unreachability is remembered; a node that sends to more of them within a second is told of the first ones only.</summary>
    private const int MaxUnreachable = 16;

    private readonly Lock _gate = new();
    private DropCounts _dropped;
    private bool _isPending;
    private int _lastTold;
    private TimeSpan? _toldAt;
    private (PeerId Peer, TimeSpan At)[]? _unreachable;

    /// <summary>Counts datagrams that were dropped at a limit; from any thread, and under any lock.</summary>
    public void CountDropped(RelayLimitKind kind, int datagrams)
    {
        _ = Interlocked.Add(ref _dropped[(int)kind], datagrams);
        Volatile.Write(ref _isPending, true);
    }

    /// <summary>What is to be told of dropped datagrams now; where there are several limits, the next in turn.</summary>
    public LimitedMessage? TakeLimited(TimeSpan now)
    {
        if (!Volatile.Read(ref _isPending))
        {
            return null;
        }

        lock (_gate)
        {
            if (now - _toldAt < TellEvery)
            {
                return null;
            }

            Volatile.Write(ref _isPending, false);
            LimitedMessage? message = null;
            for (int i = 0; i < DropCounts.Length; i++)
            {
                int at = (_lastTold + 1 + i) % DropCounts.Length;
                if (Volatile.Read(ref _dropped[at]) == 0)
                {
                    continue;
                }

                if (message is not null)
                {
                    // Another limit: its turn is in a second.
                    Volatile.Write(ref _isPending, true);
                    break;
                }

                var kind = (RelayLimitKind)at;
                message = new LimitedMessage { Limit = RelayLimitNames.Of(kind), Value = ValueOf(kind), Dropped = Interlocked.Exchange(ref _dropped[at], 0) };
            }

            if (message is not null)
            {
                _toldAt = now;
                _lastTold = (_lastTold + 1) % DropCounts.Length;
            }

            return message;
        }
    }

    /// <summary>Whether it is to be told that a peer cannot be reached: once per second and peer. Only from the sender's own frames.</summary>
    public bool TakeUnreachable(PeerId peer, TimeSpan now)
    {
        _unreachable ??= new (PeerId, TimeSpan)[MaxUnreachable];
        int at = 0;
        for (int i = 0; i < MaxUnreachable; i++)
        {
            if (_unreachable[i].Peer == peer)
            {
                at = i;
                break;
            }

            at = _unreachable[i].At < _unreachable[at].At ? i : at;
        }

        ref (PeerId Peer, TimeSpan At) slot = ref _unreachable[at];
        if (!slot.Peer.IsEmpty && now - slot.At < TellEvery)
        {
            return false;
        }

        slot = (peer, now);
        return true;
    }

    private long ValueOf(RelayLimitKind kind) => kind switch
    {
        RelayLimitKind.Bytes => limits.RelayBytesPerSecond,
        RelayLimitKind.Frames => limits.RelayFramesPerSecond,
        _ => limits.RelayQueueBytes,
    };

    [InlineArray(Length)]
    private struct DropCounts
    {
        public const int Length = 3;

        private long _first;
    }
}
