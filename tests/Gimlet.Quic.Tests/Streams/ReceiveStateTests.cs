using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Streams.States;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>RFC 9000 figure 3. The peer is a client; streams are its first unidirectional one.</summary>
public sealed class ReceiveStateTests
{
    private const long Id = 2;

    private readonly StreamEnd _server = new StreamPair().Server;

    private QuicStreamState Stream
    {
        get
        {
            Assert.True(_server.Set.TryFind(Id, out QuicStreamState? stream));
            return stream;
        }
    }

    [Fact]
    public void Receive_SizeKnown_DataReceived_DataRead()
    {
        Data(0, "ab");
        QuicStreamState stream = Stream;
        Assert.Equal(ReceiveState.Receive, stream.ReceiveState);
        Data(4, "ef", isFinal: true);
        Assert.Equal(ReceiveState.SizeKnown, stream.ReceiveState);
        Data(2, "cd");
        Assert.Equal(ReceiveState.DataReceived, stream.ReceiveState);
        Assert.Equal([StreamEventKind.Opened, StreamEventKind.Readable], _server.Kinds());
        Assert.False(stream.IsReadEnd);
        Assert.Equal("abcdef", stream.ReadText());
        Assert.Equal(ReceiveState.DataRead, stream.ReceiveState);
        Assert.True(stream.IsReadEnd);
        Assert.Equal([StreamEventKind.Closed], _server.Kinds());
        Assert.False(_server.Set.TryFind(Id, out _));
    }

    [Fact]
    public void A_FIN_behind_data_that_was_read_is_the_end()
    {
        Data(0, "ab");
        QuicStreamState stream = Stream;
        Assert.Equal("ab", stream.ReadText());
        _ = _server.Events();
        Data(2, string.Empty, isFinal: true);
        Assert.Equal([StreamEventKind.Readable, StreamEventKind.Closed], _server.Kinds());
        Assert.True(stream.IsReadEnd);
    }

    [Theory]
    [InlineData(ReceiveState.Receive)]
    [InlineData(ReceiveState.SizeKnown)]
    internal void A_reset_leads_to_ResetReceived_and_its_event_to_ResetRead(ReceiveState from)
    {
        QuicStreamState stream = Bring(from);
        Assert.False(Reset(66, 6).IsError);
        Assert.Equal(ReceiveState.ResetReceived, stream.ReceiveState);
        Assert.Equal((66, 0, false), (stream.PeerResetCode, stream.Available, stream.IsReadEnd));
        Assert.Equal([StreamEventKind.PeerReset, StreamEventKind.Closed], _server.Kinds());
        Assert.Equal(ReceiveState.ResetRead, stream.ReceiveState);
        Assert.Equal(6, _server.Set.Consumed);
    }

    [Fact]
    public void In_DataReceived_a_reset_is_ignored_and_the_data_is_read()
    {
        QuicStreamState stream = Bring(ReceiveState.DataReceived);
        Assert.False(Reset(66, 6).IsError);
        Assert.Equal(ReceiveState.DataReceived, stream.ReceiveState);
        Assert.Null(stream.PeerResetCode);
        Assert.Equal("abcdef", stream.ReadText());
        Assert.True(stream.IsReadEnd);
    }

    [Fact]
    public void Data_after_a_reset_is_dropped()
    {
        QuicStreamState stream = Bring(ReceiveState.Receive);
        Assert.False(Reset(66, 6).IsError);
        Data(2, "cdef", isFinal: true);
        Assert.Equal((ReceiveState.ResetReceived, 0), (stream.ReceiveState!.Value, stream.Available));
        Assert.Equal((6, 6), (_server.Set.Received, _server.Set.Consumed));
    }

    [Theory]
    [InlineData(ReceiveState.Receive, true)]
    [InlineData(ReceiveState.SizeKnown, true)]
    [InlineData(ReceiveState.DataReceived, false)]
    [InlineData(ReceiveState.ResetReceived, false)]
    internal void STOP_SENDING_is_sent_only_where_it_is_of_use(ReceiveState from, bool isSent)
    {
        QuicStreamState stream = Bring(from);
        stream.StopSending(55);
        StreamPacket? packet = _server.Send();
        Assert.Equal(isSent, packet is not null);
        Assert.Equal(from != ReceiveState.Receive, stream.Receiving!.IsTerminal);
        Assert.Equal(0, stream.Available);
        Assert.Equal(_server.Set.Received, _server.Set.Consumed);
        stream.StopSending(56);
        Assert.Null(_server.Send());
    }

    [Fact]
    public void After_STOP_SENDING_data_counts_and_is_dropped_until_the_final_size_is_known()
    {
        QuicStreamState stream = Bring(ReceiveState.Receive);
        stream.StopSending(55);
        Assert.Equal(2, _server.Set.Consumed);
        Data(10, "0123456789");
        Assert.Equal((20, 20, 0), (_server.Set.Received, _server.Set.Consumed, stream.Available));
        StreamPacket stop = _server.Send()!;
        _server.Lose(stop);
        Assert.Equal(FrameType.StopSending, _server.Send()!.Sent.Single().Type);
        Assert.False(Reset(55, 25).IsError);
        Assert.Equal((25, 25), (_server.Set.Received, _server.Set.Consumed));
        Assert.Equal([StreamEventKind.Closed], _server.Kinds());
        _server.Lose(stop);
        Assert.DoesNotContain(_server.Send()?.Sent ?? [], f => f.Type == FrameType.StopSending);
    }

    [Theory]
    [InlineData(0, 7, false)]
    [InlineData(6, 1, false)]
    [InlineData(0, 5, true)]
    [InlineData(6, 1, true)]
    public void The_final_size_cannot_change(long offset, int length, bool isFinal)
    {
        foreach (ReceiveState state in new[] { ReceiveState.SizeKnown, ReceiveState.DataReceived, ReceiveState.ResetReceived })
        {
            var test = new ReceiveStateTests();
            _ = test.Bring(state);
            QuicError error = test._server.Set.Handle(new StreamFrame(Id, offset, new byte[length], isFinal));
            Assert.Equal((TransportErrorCode.FinalSizeError, FrameType.Stream), (error.Code, error.FrameType));
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(7)]
    public void A_reset_cannot_change_the_final_size(long finalSize)
    {
        foreach (ReceiveState state in new[] { ReceiveState.SizeKnown, ReceiveState.DataReceived, ReceiveState.ResetReceived })
        {
            var test = new ReceiveStateTests();
            _ = test.Bring(state);
            QuicError error = test.Reset(1, finalSize);
            Assert.Equal((TransportErrorCode.FinalSizeError, FrameType.ResetStream), (error.Code, error.FrameType));
        }
    }

    [Fact]
    public void A_final_size_smaller_than_what_came_is_an_error()
    {
        Data(0, "abc");
        Assert.Equal(TransportErrorCode.FinalSizeError, _server.Set.Handle(new StreamFrame(Id, 0, "ab"u8, isFinal: true)).Code);
        Assert.Equal(TransportErrorCode.FinalSizeError, Reset(1, 2).Code);
    }

    [Fact]
    public void What_is_peeked_at_survives_a_reset_by_the_peer()
    {
        QuicStreamState stream = Bring(ReceiveState.Receive);
        Assert.True(stream.TryPeek(out ReadOnlyMemory<byte> memory));
        Assert.False(Reset(1, 2).IsError);
        for (long id = 6; id < 200; id += 4)
        {
            Assert.False(_server.Set.Handle(new StreamFrame(id, 0, new byte[1000], isFinal: false)).IsError);
        }

        Assert.Equal("ab"u8, memory.Span);
        stream.Advance(0);
    }

    private QuicStreamState Bring(ReceiveState state)
    {
        Data(0, "ab");
        if (state is ReceiveState.SizeKnown or ReceiveState.DataReceived)
        {
            Data(4, "ef", isFinal: true);
        }

        if (state == ReceiveState.DataReceived)
        {
            Data(2, "cd");
        }

        _ = _server.Events();
        QuicStreamState stream = Stream;
        if (state == ReceiveState.ResetReceived)
        {
            Assert.False(Reset(66, 6).IsError);
        }

        Assert.Equal(state, stream.ReceiveState);
        return stream;
    }

    private void Data(long offset, string text, bool isFinal = false) =>
        Assert.Equal(QuicError.None, _server.Set.Handle(new StreamFrame(Id, offset, System.Text.Encoding.UTF8.GetBytes(text), isFinal)));

    private QuicError Reset(long code, long finalSize) => _server.Set.Handle(new ResetStreamFrame(Id, code, finalSize));
}
