using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Tests.Streams.Support;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>RFC 9000 figure 2.</summary>
public sealed class SendStateTests
{
    private readonly StreamPair _pair = new();

    [Fact]
    public void Ready_Send_DataSent_DataReceived()
    {
        QuicStreamState stream = _pair.Client.Open(StreamDirection.Unidirectional);
        Assert.Equal(SendState.Ready, stream.SendState);
        Assert.Equal(5, stream.Write("hello"u8));
        Assert.Equal(SendState.Ready, stream.SendState);
        StreamPacket first = _pair.Client.Send()!;
        Assert.Equal(SendState.Send, stream.SendState);
        stream.Finish();
        Assert.True(stream.IsFinished);
        Assert.Equal(SendState.Send, stream.SendState);
        StreamPacket second = _pair.Client.Send()!;
        Assert.Equal(SendState.DataSent, stream.SendState);
        _pair.Client.Acknowledge(second);
        Assert.Equal(SendState.DataSent, stream.SendState);
        Assert.False(stream.IsSendDone);
        _pair.Client.Acknowledge(first);
        Assert.Equal(SendState.DataReceived, stream.SendState);
        Assert.True(stream.IsSendDone);
        Assert.Equal([StreamEventKind.SendDone, StreamEventKind.Closed], _pair.Client.Kinds());
    }

    [Fact]
    public void One_frame_with_FIN_leads_from_Ready_to_DataSent()
    {
        QuicStreamState stream = _pair.Client.Open();
        _ = stream.Write("hello"u8);
        stream.Finish();
        StreamPacket packet = _pair.Client.Send()!;
        Assert.Equal(FrameType.Stream | (FrameType)1, packet.Sent.Single().Type);
        Assert.Equal(SendState.DataSent, stream.SendState);
    }

    [Fact]
    public void STREAM_DATA_BLOCKED_leads_from_Ready_to_Send()
    {
        var pair = new StreamPair(new StreamSetSettings(), new StreamSetSettings { StreamWindow = 0 });
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write("hello"u8);
        Assert.Equal(FrameType.StreamDataBlocked, pair.Client.Send()!.Sent.Single().Type);
        Assert.Equal(SendState.Send, stream.SendState);
    }

    [Theory]
    [InlineData(SendState.Ready, 0)]
    [InlineData(SendState.Send, 5)]
    [InlineData(SendState.DataSent, 5)]
    internal void A_reset_leads_to_ResetSent_and_its_acknowledgement_to_ResetReceived(SendState from, long finalSize)
    {
        QuicStreamState stream = Bring(from);
        stream.Reset(77);
        Assert.Equal(SendState.ResetSent, stream.SendState);
        Assert.True(stream.IsFinished);
        StreamPacket packet = _pair.Client.Send()!;
        Assert.Equal(new ResetStreamFrame(stream.Id, 77, finalSize), ReadReset(packet));
        _pair.Client.Acknowledge(packet);
        Assert.Equal(SendState.ResetReceived, stream.SendState);
        Assert.Contains(StreamEventKind.SendDone, _pair.Client.Kinds());
    }

    [Theory]
    [InlineData(SendState.Ready)]
    [InlineData(SendState.Send)]
    [InlineData(SendState.DataSent)]
    internal void STOP_SENDING_resets_with_its_code(SendState from)
    {
        QuicStreamState stream = Bring(from);
        Assert.False(_pair.Client.Set.Handle(new StopSendingFrame(stream.Id, 99)).IsError);
        Assert.Equal(SendState.ResetSent, stream.SendState);
        Assert.Equal(99, stream.PeerStopCode);
        Assert.Equal([StreamEventKind.PeerStopped], _pair.Client.Kinds());
        Assert.Equal(99, ReadReset(_pair.Client.Send()!).ErrorCode);
        Assert.Equal(0, stream.Write("more"u8));

        // And once more, as after a loss.
        Assert.False(_pair.Client.Set.Handle(new StopSendingFrame(stream.Id, 98)).IsError);
        Assert.Empty(_pair.Client.Kinds());
        Assert.Equal(99, stream.PeerStopCode);
    }

    [Fact]
    public void In_a_terminal_state_neither_a_reset_nor_STOP_SENDING_does_anything()
    {
        QuicStreamState stream = Bring(SendState.DataReceived);
        stream.Reset(1);
        Assert.False(_pair.Client.Set.Handle(new StopSendingFrame(stream.Id, 2)).IsError);
        Assert.Equal(SendState.DataReceived, stream.SendState);
        Assert.Null(stream.PeerStopCode);
        Assert.False(_pair.Client.Set.HasFramesToSend);

        stream = Bring(SendState.ResetReceived);
        stream.Reset(1);
        Assert.False(_pair.Client.Set.Handle(new StopSendingFrame(stream.Id, 2)).IsError);
        Assert.Equal(SendState.ResetReceived, stream.SendState);
        Assert.False(_pair.Client.Set.HasFramesToSend);
    }

    [Fact]
    public void After_a_reset_lost_data_is_not_sent_again_and_a_lost_reset_is()
    {
        QuicStreamState stream = _pair.Client.Open();
        _ = stream.Write("hello"u8);
        StreamPacket data = _pair.Client.Send()!;
        _ = stream.Write("never sent"u8);
        stream.Reset(1);
        StreamPacket reset = _pair.Client.Send()!;
        Assert.Equal(new ResetStreamFrame(stream.Id, 1, 5), ReadReset(reset));
        _pair.Client.Lose(data);
        Assert.Null(_pair.Client.Send());
        _pair.Client.Lose(reset);
        Assert.Equal(reset.Payload, _pair.Client.Send()!.Payload);
        _pair.Client.Acknowledge(data);
        Assert.Equal(SendState.ResetSent, stream.SendState);
        _pair.Client.Acknowledge(reset);
        _pair.Client.Lose(reset);
        Assert.Null(_pair.Client.Send());
    }

    [Fact]
    public void A_lost_FIN_is_sent_again_with_the_data_it_was_with()
    {
        QuicStreamState stream = _pair.Client.Open();
        _ = stream.Write("hello"u8);
        stream.Finish();
        StreamPacket packet = _pair.Client.Send()!;
        _pair.Client.Lose(packet);
        StreamPacket again = _pair.Client.Send()!;
        Assert.Equal(packet.Payload, again.Payload);
        _pair.Client.Lose(again);

        // The first one was only late: all is there.
        _pair.Client.Acknowledge(packet);
        Assert.Equal(SendState.DataReceived, stream.SendState);
        Assert.False(_pair.Client.Set.HasFramesToSend);
    }

    [Fact]
    public void A_stream_without_data_is_a_FIN()
    {
        QuicStreamState stream = _pair.Client.Open(StreamDirection.Unidirectional);
        stream.Finish();
        StreamPacket packet = _pair.Client.Send()!;
        Assert.Equal(0, packet.Sent.Single().Length);
        _pair.Client.Lose(packet);
        _pair.Flush();
        Assert.True(stream.IsSendDone);
        QuicStreamState twin = _pair.Server.Events().First(e => e.Kind == StreamEventKind.Readable).Stream!;
        Assert.True(twin.IsReadEnd);
    }

    [Fact]
    public void Misuse_by_the_caller_throws()
    {
        QuicStreamState ended = _pair.Client.Open();
        ended.Finish();
        _ = Assert.Throws<InvalidOperationException>(() => ended.Write("x"u8));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => ended.Reset(-1));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => ended.Reset(1L << 62));
        QuicStreamState sending = _pair.Client.Open(StreamDirection.Unidirectional);
        _ = Assert.Throws<InvalidOperationException>(() => sending.Read(new byte[1]));
        _ = Assert.Throws<InvalidOperationException>(() => sending.StopSending(1));
        _ = sending.Write("x"u8);
        _pair.Flush();
        QuicStreamState reading = _pair.Twin(sending);
        _ = Assert.Throws<InvalidOperationException>(() => reading.Write("x"u8));
        _ = Assert.Throws<InvalidOperationException>(reading.Finish);
        _ = Assert.Throws<InvalidOperationException>(() => reading.Reset(1));
        Assert.Equal((true, false, false, true), (sending.CanWrite, sending.CanRead, reading.CanWrite, reading.CanRead));
    }

    private static ResetStreamFrame ReadReset(StreamPacket packet)
    {
        var reader = new FrameReader(packet.Payload, Gimlet.Quic.Wire.PacketType.OneRtt, packet.From.Role);
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameType.ResetStream, reader.Type);
        Assert.True(ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame frame));
        return frame;
    }

    private QuicStreamState Bring(SendState state)
    {
        QuicStreamState stream = _pair.Client.Open();
        if (state == SendState.Ready)
        {
            return stream;
        }

        _ = stream.Write("hello"u8);
        if (state is SendState.DataSent or SendState.DataReceived)
        {
            stream.Finish();
        }

        StreamPacket packet = _pair.Client.Send()!;
        if (state == SendState.ResetReceived)
        {
            stream.Reset(5);
            packet = _pair.Client.Send()!;
        }

        if (state is SendState.DataReceived or SendState.ResetReceived)
        {
            _pair.Client.Acknowledge(packet);
        }

        _ = _pair.Client.Events();
        Assert.Equal(state, stream.SendState);
        return stream;
    }
}
