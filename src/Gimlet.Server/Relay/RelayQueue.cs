using Gimlet.Server.Observability;
using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// The frames that wait for one receiver, bounded in memory. Senders share the way out evenly by bytes (deficit round robin, Shreedhar and Varghese
/// 1995); when it is full, the oldest frame of the sender that holds most is dropped, so a flood costs only its own. Any
/// thread may put in; one at a time takes out.
/// </summary>
internal sealed class RelayQueue(RelayMemory memory, ServerMetrics metrics)
{
    /// <summary>
    /// What a sender may send per round; 16 KiB, a quarter of the largest frame: one that sends single datagrams waits for no more than one large
    /// frame of each other sender.
    /// </summary>
    private const int Quantum = 16 * 1024;

    /// <summary>Emptied flows that are kept, so that senders that take turns allocate nothing.</summary>
    private const int MaxSpare = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<RelaySession, SenderFlow> _flows = [];

    // A ring of the flows that have frames, entered at the last one: its next has the turn.
    private SenderFlow? _last;
    private SenderFlow? _spare;
    private int _spares;
    private int _frames;
    private int _held;
    private bool _closed;

    /// <summary>Memory that waiting frames hold, in bytes.</summary>
    public int Held
    {
        get
        {
            lock (_gate)
            {
                return _held;
            }
        }
    }

    /// <summary>Takes a frame over.</summary>
    /// <param name="sender">Who sent it.</param>
    /// <param name="frame">The frame; its buffer belongs to the queue from now on.</param>
    /// <returns>True when nothing was waiting: somebody must begin to take out.</returns>
    public bool Enqueue(RelaySession sender, in RelayedFrame frame)
    {
        lock (_gate)
        {
            if (_closed)
            {
                RelayBuffers.Return(frame.Buffer);
                return false;
            }

            FlowOf(sender).Push(frame);
            _held += frame.Buffer.Length;
            int limit = memory.Add(frame.Buffer.Length);
            bool wasEmpty = _frames++ == 0;
            while (_held > limit && _frames > 1)
            {
                DropOldestOfLongest();
            }

            return wasEmpty;
        }
    }

    /// <summary>Takes the next frame out; its buffer belongs to the caller, who returns it to <see cref="RelayBuffers"/>.</summary>
    public bool TryDequeue(out RelayedFrame frame)
    {
        lock (_gate)
        {
            while (_last is not null)
            {
                SenderFlow flow = _last.Next!;
                if (flow.Count == 0)
                {
                    Retire(flow);
                    continue;
                }

                if (flow.Deficit < flow.Head.Length)
                {
                    // Its turn is over: the quantum is for the next round.
                    flow.Deficit += Quantum;
                    _last = flow;
                    continue;
                }

                frame = Coalesced(flow, flow.Deficit);
                flow.Deficit -= frame.Length;
                if (flow.Count == 0)
                {
                    Retire(flow);
                }

                metrics.Relayed(frame.Datagrams, frame.Length);
                return true;
            }

            frame = default;
            return false;
        }
    }

    /// <summary>The receiver is gone: what waits is given back, and what still comes too.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            while (_last is not null)
            {
                SenderFlow flow = _last.Next!;
                while (flow.Count > 0)
                {
                    RelayBuffers.Return(Take(flow).Buffer);
                }

                Retire(flow);
            }

            _spare = null;
        }
    }

    private SenderFlow FlowOf(RelaySession sender)
    {
        if (_flows.TryGetValue(sender, out SenderFlow? flow))
        {
            return flow;
        }

        flow = _spare ?? new SenderFlow();
        if (_spare is not null)
        {
            _spare = flow.Next;
            _spares--;
        }

        flow.Sender = sender;
        flow.Deficit = Quantum;
        _flows.Add(sender, flow);
        if (_last is null)
        {
            flow.Next = flow;
        }
        else
        {
            flow.Next = _last.Next;
            _last.Next = flow;
        }

        _last = flow;
        return flow;
    }

    // The flow whose turn it is leaves the ring.
    private void Retire(SenderFlow flow)
    {
        if (flow == _last)
        {
            _last = null;
        }
        else
        {
            _last!.Next = flow.Next;
        }

        _ = _flows.Remove(flow.Sender!);
        flow.Sender = null;
        flow.Next = null;
        if (_spares < MaxSpare)
        {
            flow.Next = _spare;
            _spare = flow;
            _spares++;
        }
    }

    // Single datagrams of one size that wait one behind the other go out as a batch: a WebSocket frame costs its sender and its reader several times what
    // copying a datagram does.
    private RelayedFrame Coalesced(SenderFlow flow, int room)
    {
        RelayedFrame first = Take(flow);
        if (flow.Count == 0 || !first.IsSingle || !Joins(flow, first, room - (RelayFrame.BatchHeaderLength - RelayFrame.SingleHeaderLength) - first.Length))
        {
            return first;
        }

        int segmentSize = first.Length - RelayFrame.SingleHeaderLength;
        int most = Math.Min(room, RelayFrame.BatchHeaderLength + ((flow.Count + 1) * segmentSize));
        byte[] batch = RelayBuffers.Rent(most);
        int length = RelayFrame.WriteHeader(batch, first.Peer, segmentSize, isBatch: true);
        int datagrams = 0;
        RelayedFrame next = first;
        while (true)
        {
            ReadOnlySpan<byte> datagram = next.Bytes.Span[RelayFrame.SingleHeaderLength..];
            datagram.CopyTo(batch.AsSpan(length));
            length += datagram.Length;
            datagrams++;
            RelayBuffers.Return(next.Buffer);
            if (datagram.Length < segmentSize || flow.Count == 0 || !Joins(flow, first, most - length))
            {
                return new RelayedFrame(batch, length, datagrams, IsSingle: false);
            }

            next = Take(flow);
        }
    }

    // Whether the oldest frame can go on in the batch of another: all of one size but the last.
    private static bool Joins(SenderFlow flow, in RelayedFrame first, int room)
    {
        ref readonly RelayedFrame next = ref flow.Head;
        return next.IsSingle && next.Length <= first.Length && next.Length - RelayFrame.SingleHeaderLength <= room;
    }

    private RelayedFrame Take(SenderFlow flow)
    {
        RelayedFrame frame = flow.Pop();
        _frames--;
        _held -= frame.Buffer.Length;
        memory.Remove(frame.Buffer.Length);
        return frame;
    }

    private void DropOldestOfLongest()
    {
        SenderFlow longest = _last!;
        for (SenderFlow flow = _last!.Next!; flow != _last; flow = flow.Next!)
        {
            longest = flow.Held > longest.Held ? flow : longest;
        }

        RelayedFrame frame = Take(longest);
        RelayBuffers.Return(frame.Buffer);
        metrics.Dropped(DropKind.RelayQueue, frame.Datagrams);

        // Only counted here: telling takes other locks (RelayNotices.TakeLimited).
        longest.Sender!.Notices.CountDropped(RelayLimitKind.Queue, frame.Datagrams);
    }
}
