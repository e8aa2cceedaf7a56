using System.Text;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Frames.Support;

/// <summary>Reads every frame of a payload, says what it holds, and writes it again.</summary>
internal static class FrameText
{
    /// <summary>What the payload holds, one frame per line; with its error where it has one.</summary>
    public static string Of(ReadOnlySpan<byte> payload, out QuicError error, Span<byte> again, out int written)
    {
        var text = new StringBuilder();
        written = Rewrite(payload, out error, again, text);
        return text.ToString();
    }

    /// <summary>Reads and writes without a text: ten times as fast.</summary>
    /// <returns>The bytes written.</returns>
    public static int Rewrite(ReadOnlySpan<byte> payload, out QuicError error, Span<byte> again, StringBuilder? text = null)
    {
        var writer = new WireWriter(again);
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Server);
        while (reader.MoveNext())
        {
            _ = text?.Append(reader.Type).Append(' ');
            if (!TryDescribe(ref reader, ref writer, text))
            {
                break;
            }

            _ = text?.AppendLine();
            Assert.InRange(reader.FrameLength, 1, payload.Length);
        }

        error = reader.Error;
        return writer.Position;
    }

    private static bool TryDescribe(ref FrameReader reader, ref WireWriter writer, StringBuilder? text)
    {
        switch (reader.Type)
        {
            case FrameType.Padding:
                _ = text?.Append($"{reader.FrameLength}");
                PaddingFrame.Write(ref writer, reader.FrameLength);
                return true;
            case FrameType.Ping:
                return PingFrame.TryWrite(ref writer);
            case FrameType.HandshakeDone:
                return HandshakeDoneFrame.TryWrite(ref writer);
            case FrameType.Ack or FrameType.AckEcn:
                return TryDescribeAck(ref reader, ref writer, text);
            case FrameType.ResetStream:
                return ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame reset) && Say(reset, text) && reset.TryWrite(ref writer);
            case FrameType.StopSending:
                return StopSendingFrame.TryRead(ref reader, out StopSendingFrame stop) && Say(stop, text) && stop.TryWrite(ref writer);
            case FrameType.Crypto:
                bool isCrypto = CryptoFrame.TryRead(ref reader, out CryptoFrame crypto);
                _ = text?.Append($"{crypto.Offset} {Convert.ToHexStringLower(crypto.Data)}");
                return isCrypto && crypto.TryWrite(ref writer);
            case FrameType.NewToken:
                bool isToken = NewTokenFrame.TryRead(ref reader, out NewTokenFrame token);
                _ = text?.Append(Convert.ToHexStringLower(token.Token));
                return isToken && token.TryWrite(ref writer);
            case FrameType.MaxData:
                return MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData) && Say(maxData, text) && maxData.TryWrite(ref writer);
            case FrameType.MaxStreamData:
                return MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame msd) && Say(msd, text) && msd.TryWrite(ref writer);
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                return MaxStreamsFrame.TryRead(ref reader, out MaxStreamsFrame streams) && Say(streams, text) && streams.TryWrite(ref writer);
            case FrameType.DataBlocked:
                return DataBlockedFrame.TryRead(ref reader, out DataBlockedFrame blocked) && Say(blocked, text) && blocked.TryWrite(ref writer);
            case FrameType.StreamDataBlocked:
                return StreamDataBlockedFrame.TryRead(ref reader, out StreamDataBlockedFrame sdb) && Say(sdb, text) && sdb.TryWrite(ref writer);
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                return StreamsBlockedFrame.TryRead(ref reader, out StreamsBlockedFrame sb) && Say(sb, text) && sb.TryWrite(ref writer);
            case FrameType.NewConnectionId:
                return NewConnectionIdFrame.TryRead(ref reader, out NewConnectionIdFrame id) && SayId(id, text) && id.TryWrite(ref writer);
            case FrameType.RetireConnectionId:
                return RetireConnectionIdFrame.TryRead(ref reader, out RetireConnectionIdFrame retire) && Say(retire, text)
                    && retire.TryWrite(ref writer);
            case FrameType.PathChallenge:
                return PathChallengeFrame.TryRead(ref reader, out PathChallengeFrame challenge) && Say(challenge, text)
                    && challenge.TryWrite(ref writer);
            case FrameType.PathResponse:
                return PathResponseFrame.TryRead(ref reader, out PathResponseFrame response) && Say(response, text)
                    && response.TryWrite(ref writer);
            case FrameType.ConnectionClose or FrameType.ApplicationClose:
                bool isClose = ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame close);
                _ = text?.Append($"{close.IsApplication} {close.ErrorCode} {close.FrameType} {Convert.ToHexStringLower(close.Reason)}");
                return isClose && close.TryWrite(ref writer);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                bool isDatagram = DatagramFrame.TryRead(ref reader, out DatagramFrame datagram);
                _ = text?.Append(Convert.ToHexStringLower(datagram.Data));
                return isDatagram && datagram.TryWrite(ref writer);
            default:
                bool isStream = StreamFrame.TryRead(ref reader, out StreamFrame stream);
                _ = text?.Append($"{stream.StreamId} {stream.Offset} {stream.IsFinal} {Convert.ToHexStringLower(stream.Data)}");
                return isStream && stream.TryWrite(ref writer);
        }
    }

    private static bool TryDescribeAck(ref FrameReader reader, ref WireWriter writer, StringBuilder? text)
    {
        if (!AckFrame.TryRead(ref reader, out AckFrame ack))
        {
            return false;
        }

        List<AckRange> ranges = [];
        foreach (AckRange range in ack)
        {
            Assert.InRange(range.Smallest, 0, range.Largest);
            Assert.True(ranges.Count == 0 || range.Largest < ranges[^1].Smallest - 1);
            ranges.Add(range);
        }

        Assert.Equal(ack.RangeCount, ranges.Count);
        Assert.Equal(ack.LargestAcknowledged, ranges[0].Largest);
        int count = Math.Min(ranges.Count, AckFrameWriter.MaxRanges);
        _ = text?.Append($"{ack.Delay} {string.Join(' ', ranges.Take(count))} {ack.Ecn}");
        return AckFrameWriter.Write(ref writer, ranges.ToArray(), ack.Delay, ack.Ecn) == count;
    }

    private static bool Say<T>(T frame, StringBuilder? text)
        where T : struct
    {
        _ = text?.Append(frame);
        return true;
    }

    private static bool SayId(NewConnectionIdFrame frame, StringBuilder? text)
    {
        Span<byte> token = stackalloc byte[StatelessResetToken.Length];
        frame.ResetToken.CopyTo(token);
        _ = text?.Append($"{frame.SequenceNumber} {frame.RetirePriorTo} {frame.ConnectionId} {Convert.ToHexStringLower(token)}");
        return true;
    }
}
