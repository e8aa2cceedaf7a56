using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams.Scheduling;
using Gimlet.Quic.Streams.States;

namespace Gimlet.Quic.Streams;

/// <summary>
/// What became of frames that were sent (RFC 9000 section 13.3). Each frame that was noted is told of once, or once lost and then acknowledged.
/// </summary>
internal sealed partial class StreamSet
{
    /// <summary>The peer has a frame of ours.</summary>
    public void OnAcknowledged(in SentFrame frame)
    {
        if (!TryFind(frame.Id, out QuicStreamState? stream) || stream.Sending is not { } part)
        {
            return;
        }

        if (FrameRules.IsStream(frame.Type))
        {
            if (part.OnAcknowledged(frame.Offset, frame.Length, IsFinal(frame)))
            {
                Raise(stream, StreamEventKind.Writable);
            }

            AfterAcknowledged(stream, part);
        }
        else if (frame.Type == FrameType.ResetStream && part.OnResetAcknowledged())
        {
            AfterAcknowledged(stream, part);
        }
    }

    /// <summary>A frame of ours counts as lost.</summary>
    public void OnLost(in SentFrame frame)
    {
        if (IsConnectionClosed)
        {
            return;
        }

        switch (frame.Type)
        {
            // "Updated": sent again with the value of today, and only where no newer one is on its way.
            case FrameType.MaxData:
                AddIf(frame.Offset == _window.Limit, SetFrames.MaxData);
                break;
            case FrameType.MaxStreamsBidirectional:
                AddIf(frame.Offset == _peerBidirectional.Limit, SetFrames.MaxStreams);
                break;
            case FrameType.MaxStreamsUnidirectional:
                AddIf(frame.Offset == _peerUnidirectional.Limit, SetFrames.MaxStreamsUnidirectional);
                break;

            // RFC 9000 section 13.3: signals of being blocked are sent again if the endpoint is still blocked on the same limit.
            case FrameType.DataBlocked:
                AddIf(frame.Offset == _limit && _sent >= _limit && _new.First is not null, SetFrames.DataBlocked);
                break;
            case FrameType.StreamsBlockedBidirectional:
                AddIf(frame.Offset == _localBidirectional.Limit && _localBidirectional.IsWanted, SetFrames.StreamsBlocked);
                break;
            case FrameType.StreamsBlockedUnidirectional:
                AddIf(frame.Offset == _localUnidirectional.Limit && _localUnidirectional.IsWanted, SetFrames.StreamsBlockedUnidirectional);
                break;
            default:
                if (TryFind(frame.Id, out QuicStreamState? stream))
                {
                    OnStreamFrameLost(stream, frame);
                }

                break;
        }
    }

    private static bool IsFinal(in SentFrame frame) => (frame.Type & FinBit) == FinBit;

    private void OnStreamFrameLost(QuicStreamState stream, in SentFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.ResetStream:
                AddIf(stream, stream.Sending is { State: SendState.ResetSent }, StreamFrames.ResetStream);
                break;

            // RFC 9000 section 13.3: STOP_SENDING is sent again until all data or a reset came; section 3.5 says the same.
            case FrameType.StopSending:
                AddIf(stream, stream.Receiving is { IsTerminal: false }, StreamFrames.StopSending);
                break;
            case FrameType.MaxStreamData:
                AddIf(stream, stream.Receiving is { IsWindowOfUse: true } part && part.Window.Limit == frame.Offset, StreamFrames.MaxStreamData);
                break;
            case FrameType.StreamDataBlocked:
                bool isBlocked = stream.Sending is { HasNew: true } blocked && blocked.Sent >= blocked.Limit && blocked.Limit == frame.Offset;
                AddIf(stream, isBlocked, StreamFrames.StreamDataBlocked);
                break;
            default:
                if (FrameRules.IsStream(frame.Type) && stream.Sending is { } sending)
                {
                    sending.OnLost(frame.Offset, frame.Length, IsFinal(frame));
                    OnSendPartChanged(stream);
                }

                break;
        }
    }

    private void AddIf(bool condition, SetFrames frames) => _pending |= condition ? frames : SetFrames.None;

    private void AddIf(QuicStreamState stream, bool condition, StreamFrames frames)
    {
        if (condition)
        {
            Add(stream, frames);
        }
    }

    private void AfterAcknowledged(QuicStreamState stream, SendPart part)
    {
        // What was lost may have been acknowledged after all.
        OnSendPartChanged(stream);
        if (part.IsTerminal)
        {
            Remove(stream, StreamFrames.ResetStream);
            Raise(stream, StreamEventKind.SendDone);
        }
    }
}
