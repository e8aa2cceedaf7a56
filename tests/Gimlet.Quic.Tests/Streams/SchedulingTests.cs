using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

public sealed class SchedulingTests
{
    private readonly StreamPair _pair = new(new StreamSetSettings { StreamWindow = 100_000, SendBufferBytes = 200_000 });

    [Fact]
    public void Streams_take_turns_and_share_evenly()
    {
        QuicStreamState[] streams = [_pair.Client.Open(), _pair.Client.Open(), _pair.Client.Open()];
        foreach (QuicStreamState stream in streams)
        {
            _ = stream.Write(new byte[30_000]);
        }

        long[] bytes = new long[3];
        for (int i = 0; i < 30; i++)
        {
            foreach (SentFrame frame in _pair.Client.Send(1400)!.Sent)
            {
                bytes[new StreamId(frame.Id).Index] += frame.Length;
            }
        }

        Assert.InRange(bytes.Max() - bytes.Min(), 0, 2800);
    }

    [Fact]
    public void Short_streams_fill_a_packet_together_and_a_long_one_takes_the_rest()
    {
        for (int i = 0; i < 4; i++)
        {
            _ = _pair.Client.Open().Write(new byte[100]);
        }

        _ = _pair.Client.Open().Write(new byte[5000]);
        StreamPacket packet = _pair.Client.Send()!;
        Assert.Equal([100, 100, 100, 100], packet.Sent[..4].Select(f => f.Length));
        Assert.Equal(1200, packet.Payload.Length);
        Assert.Equal(5, packet.Sent.Length);
    }

    [Fact]
    public void Control_frames_come_first_then_lost_data_then_new()
    {
        QuicStreamState lost = _pair.Client.Open();
        _ = lost.Write(new byte[50]);
        StreamPacket first = _pair.Client.Send()!;
        QuicStreamState reset = _pair.Client.Open();
        reset.Reset(1);
        QuicStreamState other = _pair.Client.Open();
        _ = other.Write(new byte[60]);
        _ = lost.Write(new byte[70]);
        _pair.Client.Lose(first);
        Assert.Equal(
            [(FrameType.ResetStream, 0), (FrameType.Stream, 50), (FrameType.Stream, 60), (FrameType.Stream, 70)],
            _pair.Client.Send()!.Sent.Select(f => (f.Type, f.Length)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_a_frame_that_fills_its_packet_leaves_its_length_out(bool mayFillPacket)
    {
        for (int size = 64; size < 200; size++)
        {
            for (int length = size - 20; length < size + 5; length++)
            {
                var pair = new StreamPair();
                QuicStreamState stream = pair.Client.Open();
                _ = stream.Write(Pattern.Bytes(1, 0, length));
                StreamPacket packet = pair.Client.Send(size, mayFillPacket)!;
                var type = (FrameType)packet.Payload[0];
                bool hasLength = ((int)type & 0x02) != 0;
                Assert.True(mayFillPacket || hasLength);
                Assert.True(hasLength || packet.Payload.Length == size);

                // The whole of it, or all but what the Length field takes.
                Assert.Equal(Math.Min(length, Math.Max(packet.Sent[0].Length, size - 4)), packet.Sent[0].Length);
                pair.Deliver(packet);
                pair.Flush();
                byte[] read = new byte[length];
                Assert.Equal(length, pair.Twin(stream).Read(read));
                Pattern.AssertAt(1, 0, read);
            }
        }
    }

    [Fact]
    public void A_packet_without_room_takes_nothing_and_loses_nothing()
    {
        QuicStreamState stream = _pair.Client.Open();
        _ = stream.Write("hello"u8);
        _pair.Client.Open().Reset(1);
        var sent = new SentFrameList();
        for (int size = 0; size < 3; size++)
        {
            var writer = new WireWriter(new byte[size]);
            _pair.Client.Set.WriteFrames(ref writer, sent, mayFillPacket: true);
            Assert.Equal((0, 0), (sent.Count, writer.Position));
        }

        Assert.Equal(2, _pair.Client.Send(64)!.Sent.Length);
    }

    [Fact]
    public void Nothing_is_left_to_send_when_lost_data_turns_out_to_have_arrived()
    {
        QuicStreamState stream = _pair.Client.Open();
        _ = stream.Write("hello"u8);
        StreamPacket packet = _pair.Client.Send()!;
        _pair.Client.Lose(packet);
        Assert.True(_pair.Client.Set.HasFramesToSend);
        _pair.Client.Acknowledge(packet);
        Assert.False(_pair.Client.Set.HasFramesToSend);
        Assert.Equal(5, _pair.Client.Set.Sent);
    }
}
