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
        var writer = new WireWriter(again);
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Server);
        while (reader.MoveNext())
        {
            FrameType type = reader.Type;
            if (!TryDescribe(ref reader, ref writer, out string line))
            {
                break;
            }

            _ = text.Append(type).Append(' ').AppendLine(line);
            Assert.InRange(reader.FrameLength, 1, payload.Length);
        }

        error = reader.Error;
        written = writer.Position;
        return text.ToString();
    }

    private static bool TryDescribe(ref FrameReader reader, ref WireWriter writer, out string line)
    {
        line = string.Empty;
        switch (reader.Type)
        {
            case FrameType.Padding:
                line = $"{reader.FrameLength}";
                PaddingFrame.Write(ref writer, reader.FrameLength);
                return true;
            case FrameType.Ping:
                return PingFrame.TryWrite(ref writer);
            case FrameType.HandshakeDone:
                return HandshakeDoneFrame.TryWrite(ref writer);
            case FrameType.Ack or FrameType.AckEcn:
                return TryDescribeAck(ref reader, ref writer, out line);
            case FrameType.ResetStream:
                return ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame reset) && Say(reset, out line) && reset.TryWrite(ref writer);
            case FrameType.StopSending:
                return StopSendingFrame.TryRead(ref reader, out StopSendingFrame stop) && Say(stop, out line) && stop.TryWrite(ref writer);
            case FrameType.Crypto:
                bool isCrypto = CryptoFrame.TryRead(ref reader, out CryptoFrame crypto);
                line = $"{crypto.Offset} {Convert.ToHexStringLower(crypto.Data)}";
                return isCrypto && crypto.TryWrite(ref writer);
            case FrameType.NewToken:
                bool isToken = NewTokenFrame.TryRead(ref reader, out NewTokenFrame token);
                line = Convert.ToHexStringLower(token.Token);
                return isToken && token.TryWrite(ref writer);
            case FrameType.MaxData:
                return MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData) && Say(maxData, out line) && maxData.TryWrite(ref writer);
            case FrameType.MaxStreamData:
                return MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame msd) && Say(msd, out line) && msd.TryWrite(ref writer);
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                return MaxStreamsFrame.TryRead(ref reader, out MaxStreamsFrame streams) && Say(streams, out line) && streams.TryWrite(ref writer);
            case FrameType.DataBlocked:
                return DataBlockedFrame.TryRead(ref reader, out DataBlockedFrame blocked) && Say(blocked, out line) && blocked.TryWrite(ref writer);
            case FrameType.StreamDataBlocked:
                return StreamDataBlockedFrame.TryRead(ref reader, out StreamDataBlockedFrame sdb) && Say(sdb, out line) && sdb.TryWrite(ref writer);
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                return StreamsBlockedFrame.TryRead(ref reader, out StreamsBlockedFrame sb) && Say(sb, out line) && sb.TryWrite(ref writer);
            case FrameType.NewConnectionId:
                return NewConnectionIdFrame.TryRead(ref reader, out NewConnectionIdFrame id) && SayId(id, out line) && id.TryWrite(ref writer);
            case FrameType.RetireConnectionId:
                return RetireConnectionIdFrame.TryRead(ref reader, out RetireConnectionIdFrame retire) && Say(retire, out line)
                    && retire.TryWrite(ref writer);
            case FrameType.PathChallenge:
                return PathChallengeFrame.TryRead(ref reader, out PathChallengeFrame challenge) && Say(challenge, out line)
                    && challenge.TryWrite(ref writer);
            case FrameType.PathResponse:
                return PathResponseFrame.TryRead(ref reader, out PathResponseFrame response) && Say(response, out line)
                    && response.TryWrite(ref writer);
            case FrameType.ConnectionClose or FrameType.ApplicationClose:
                bool isClose = ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame close);
                line = $"{close.IsApplication} {close.ErrorCode} {close.FrameType} {Convert.ToHexStringLower(close.Reason)}";
                return isClose && close.TryWrite(ref writer);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                bool isDatagram = DatagramFrame.TryRead(ref reader, out DatagramFrame datagram);
                line = Convert.ToHexStringLower(datagram.Data);
                return isDatagram && datagram.TryWrite(ref writer);
            default:
                bool isStream = StreamFrame.TryRead(ref reader, out StreamFrame stream);
                line = $"{stream.StreamId} {stream.Offset} {stream.IsFinal} {Convert.ToHexStringLower(stream.Data)}";
                return isStream && stream.TryWrite(ref writer);
        }
    }

    private static bool TryDescribeAck(ref FrameReader reader, ref WireWriter writer, out string line)
    {
        line = string.Empty;
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
        line = $"{ack.Delay} {string.Join(' ', ranges.Take(count))} {ack.Ecn}";
        return AckFrameWriter.Write(ref writer, ranges.ToArray(), ack.Delay, ack.Ecn) == count;
    }

    private static bool Say<T>(T frame, out string line)
        where T : struct
    {
        line = frame.ToString() ?? string.Empty;
        return true;
    }

    private static bool SayId(NewConnectionIdFrame frame, out string line)
    {
        Span<byte> token = stackalloc byte[StatelessResetToken.Length];
        frame.ResetToken.CopyTo(token);
        line = $"{frame.SequenceNumber} {frame.RetirePriorTo} {frame.ConnectionId} {Convert.ToHexStringLower(token)}";
        return true;
    }
}
