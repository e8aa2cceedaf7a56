using Gimlet.Server.Observability;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// Where a binary frame goes (docs/protocol.md section 6). Per frame: its sender's meter, two permission tables and the receiver's queue, each with a lock of its
/// own that is held for a few instructions, one after the other and never two; no allocation.
/// </summary>
internal sealed class RelayCore(RendezvousOptions options, Func<PeerId, RendezvousSession?> find)
{
    private readonly ServerMetrics _metrics = options.Metrics;

    /// <summary>What all receivers' queues hold.</summary>
    public RelayMemory Memory { get; } = new(options.Limits.RelayQueueBytes, options.Limits.RelayMemoryBytes);

    /// <summary>A frame of a registered node.</summary>
    /// <param name="session">The session it came on.</param>
    /// <param name="relay">Its part in relaying.</param>
    /// <param name="from">Who it is.</param>
    /// <param name="buffer">A buffer of <see cref="RelayBuffers"/> with the frame.</param>
    /// <param name="length">The frame's length.</param>
    /// <param name="now">The time.</param>
    /// <returns>True when the buffer went with the frame; otherwise it is still the caller's.</returns>
    public bool Handle(RendezvousSession session, RelaySession relay, PeerId from, byte[] buffer, int length, TimeSpan now)
    {
        bool isInTime = relay.Meter.TryTakeFrame(now);
        if (!RelayFrame.TryRead(buffer.AsSpan(0, length), out RelayFrame header))
        {
            _metrics.Dropped(DropKind.RelayUnreadable);
            return false;
        }

        int datagrams = header.CountDatagrams(length);
        if (!isInTime)
        {
            Limited(session, relay, RelayLimitKind.Frames, DropKind.RelayFrames, datagrams, now);
            return false;
        }

        int left = relay.Meter.TakeDatagrams(header, length, datagrams);
        if (left < datagrams)
        {
            Limited(session, relay, RelayLimitKind.Bytes, DropKind.RelayBytes, datagrams - left, now);
            if (left == 0)
            {
                return false;
            }
        }

        PeerId to = header.Peer;
        if (to == from)
        {
            Unreachable(session, relay, to, RejectReason.NoCall, left, now);
            return false;
        }

        // Who sends to a peer admits what the peer sends back, also before the peer is there: so both sides' permissions return after a restart of the server.
        relay.Permissions.Admit(to);
        if (find(to) is not { Relay: { } receiver, Node: { } node } destination)
        {
            Unreachable(session, relay, to, RejectReason.Offline, left, now);
            return false;
        }

        int admitted = node.TakesRelayed ? receiver.Permissions.Take(from, left) : 0;
        if (admitted < left)
        {
            Unreachable(session, relay, to, RejectReason.NoCall, left - admitted, now);
            if (admitted == 0)
            {
                return false;
            }
        }

        int used = admitted == datagrams ? length : header.HeaderLength + (admitted * header.SegmentSize);
        RelayFrame.WritePeer(buffer, from);
        if (receiver.Inbox.Enqueue(relay, new RelayedFrame(buffer, used, admitted, header.HeaderLength == RelayFrame.SingleHeaderLength)))
        {
            destination.RelayReady(receiver.Inbox);
        }

        Tell(session, relay, now);
        return true;
    }

    /// <summary>Tells a session of the datagrams it lost, where that is due.</summary>
    public static void Tell(RendezvousSession session, RelaySession relay, TimeSpan now)
    {
        if (relay.Notices.TakeLimited(now) is { } message)
        {
            _ = session.Send(message);
        }
    }

    private void Limited(RendezvousSession session, RelaySession relay, RelayLimitKind limit, string drop, int datagrams, TimeSpan now)
    {
        _metrics.Dropped(drop, datagrams);
        relay.Notices.CountDropped(limit, datagrams);
        Tell(session, relay, now);
    }

    private void Unreachable(RendezvousSession session, RelaySession relay, PeerId peer, string reason, int datagrams, TimeSpan now)
    {
        _metrics.Dropped(reason == RejectReason.Offline ? DropKind.RelayOffline : DropKind.RelayNoCall, datagrams);
        if (relay.Notices.TakeUnreachable(peer, now))
        {
            _ = session.Send(new UnreachableMessage { Peer = peer.ToString(), Reason = reason });
        }
    }
}
