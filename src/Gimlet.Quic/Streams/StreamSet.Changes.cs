using System.Numerics;
using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;

namespace Gimlet.Quic.Streams;

/// <summary>What follows when something of a stream has changed: lists, windows, events, and the end of the stream.</summary>
internal sealed partial class StreamSet
{
    /// <summary>
    /// Takes the next event. Of each kind a stream has one waiting at most, so whatever the peer does there are no more than its streams have
    /// kinds.
    /// </summary>
    public bool TryPollEvent(out StreamEvent next)
    {
        if (_availableDirections != 0)
        {
            var direction = (StreamDirection)BitOperations.TrailingZeroCount(_availableDirections);
            _availableDirections &= _availableDirections - 1;
            next = new StreamEvent(StreamEventKind.StreamsAvailable, Stream: null, direction);
            return true;
        }

        while (_events.First is { } stream)
        {
            if (stream.PendingEvents == 0)
            {
                // All was told: only now the stream may be over. So streams whose events nobody takes count against the peer's limit.
                _events.Remove(stream);
                OnPartChanged(stream);
                continue;
            }

            var kind = (StreamEventKind)BitOperations.TrailingZeroCount(stream.PendingEvents);
            stream.PendingEvents &= stream.PendingEvents - 1;
            if (kind == StreamEventKind.PeerReset)
            {
                stream.Receiving!.OnResetTold();
            }

            next = new StreamEvent(kind, stream, stream.Direction);
            return true;
        }

        next = default;
        return false;
    }

    /// <summary>A part may have come to its end.</summary>
    internal void OnPartChanged(QuicStreamState stream)
    {
        if (stream.IsClosed
            || stream.IsHeld
            || stream.Sending is { IsTerminal: false }
            || stream.Receiving is { IsTerminal: false }
            || stream.Links(StreamListKind.Events).IsLinked)
        {
            return;
        }

        stream.IsClosed = true;
        _ = _streams?.Remove(stream.Id);
        if (_last == stream)
        {
            _last = null;
        }

        if (!stream.IsLocal)
        {
            ref PeerStreams peers = ref Peers(stream.Direction);
            peers.OnClosed();
            if (peers.IsUpdateDue && !IsConnectionClosed)
            {
                _pending |= Shift(SetFrames.MaxStreams, stream.Direction);
            }
        }

        Raise(stream, StreamEventKind.Closed);
    }

    /// <summary>There is more or less to send: puts the stream into the lists where it belongs.</summary>
    internal void OnSendPartChanged(QuicStreamState stream)
    {
        SendPart part = stream.Sending!;
        bool hasNew = part.HasNew;
        bool isPermitted = hasNew && part.Sent < part.Limit;
        _urgent.Set(stream, part.IsUrgent);
        _new.Set(stream, isPermitted);
        if (hasNew && !isPermitted && part.BlockedAt != part.Limit)
        {
            part.BlockedAt = part.Limit;
            Add(stream, StreamFrames.StreamDataBlocked);
        }

        TellBlocked();
    }

    /// <summary>Our part was reset.</summary>
    internal void OnReset(QuicStreamState stream)
    {
        stream.PendingFrames &= ~StreamFrames.StreamDataBlocked;
        Add(stream, StreamFrames.ResetStream);
        OnSendPartChanged(stream);
    }

    /// <summary>The application consumed data.</summary>
    internal void OnRead(QuicStreamState stream)
    {
        ReceivePart part = stream.Receiving!;
        Return(part);
        if (part.Window.IsUpdateDue && part.IsWindowOfUse)
        {
            Add(stream, StreamFrames.MaxStreamData);
        }

        if (part.IsTerminal)
        {
            OnPartChanged(stream);
        }
    }

    /// <summary>The application does not read any more.</summary>
    internal void OnStopped(QuicStreamState stream, bool isFrameOfUse)
    {
        Remove(stream, StreamFrames.MaxStreamData);
        if (isFrameOfUse)
        {
            Add(stream, StreamFrames.StopSending);
        }

        Return(stream.Receiving!);
        OnPartChanged(stream);
    }

    private void Raise(QuicStreamState stream, StreamEventKind kind)
    {
        stream.PendingEvents |= 1 << (int)kind;
        _events.Add(stream);
    }

    private void Add(QuicStreamState stream, StreamFrames frames)
    {
        if (!IsConnectionClosed)
        {
            stream.PendingFrames |= frames;
            _control.Add(stream);
        }
    }

    private void Remove(QuicStreamState stream, StreamFrames frames)
    {
        stream.PendingFrames &= ~frames;
        if (stream.PendingFrames == StreamFrames.None)
        {
            _control.Remove(stream);
        }
    }

    /// <summary>
    /// The application looked at so many bytes and wants more before it takes any: the windows grow, as far as they may, before the peer has sent all
    /// that it is permitted to.
    /// </summary>
    internal void OnMoreWanted(QuicStreamState stream, int seen)
    {
        ReceivePart part = stream.Receiving!;
        if (!part.IsWindowOfUse || IsConnectionClosed || seen == 0)
        {
            return;
        }

        bool isStreamTight = seen >= part.Window.Size / 2;
        long unread = _received - _window.Consumed;
        bool isSetTight = unread >= _window.Size / 2;
        if (isStreamTight)
        {
            part.Window.Grow(part.Window.Size * 2);
            if (seen >= _settings.StreamWindow)
            {
                part.Window.AskForOneMore();
            }

            _window.Grow(_settings.ConnectionWindowFor(part.Window.Size));
            if (part.Window.CanMove)
            {
                Add(stream, StreamFrames.MaxStreamData);
            }
        }

        // Several streams that wait so need more together than what goes with the largest of them.
        if (isSetTight)
        {
            _window.Grow(_window.Size * 2);
            if (unread >= _settings.ConnectionWindow)
            {
                _window.AskForOneMore();
            }
        }

        if ((isStreamTight || isSetTight) && _window.CanMove)
        {
            _pending |= SetFrames.MaxData;
        }
    }

    // What a stream consumed, or will not consume any more, the connection's window gets back.
    private void Return(ReceivePart part)
    {
        _window.Consume(part.TakeUnreturned());
        if (_window.IsUpdateDue && !IsConnectionClosed)
        {
            _pending |= SetFrames.MaxData;
        }
    }

    // RFC 9000 section 4.1: "A sender SHOULD send a STREAM_DATA_BLOCKED or DATA_BLOCKED frame to indicate to the receiver that it has data to
    // write but is blocked by flow control limits." Once for each limit.
    private void TellBlocked()
    {
        if (_sent >= _limit && _blockedAt != _limit && _new.First is not null)
        {
            _blockedAt = _limit;
            _pending |= SetFrames.DataBlocked;
        }
    }
}
