using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

public sealed class StreamEventTests
{
    [Fact]
    public void Of_each_kind_a_stream_has_one_event_waiting_at_most()
    {
        var pair = new StreamPair();
        QuicStreamState stream = pair.Client.Open();
        for (int i = 0; i < 10; i++)
        {
            _ = stream.Write("x"u8);
            pair.Flush();
        }

        Assert.Equal([StreamEventKind.Opened, StreamEventKind.Readable], pair.Server.Kinds());
        _ = stream.Write("x"u8);
        pair.Flush();
        Assert.Equal([StreamEventKind.Readable], pair.Server.Kinds());
    }

    [Fact]
    public void Data_behind_a_gap_is_not_readable()
    {
        StreamEnd server = new StreamPair().Server;
        Assert.False(server.Set.Handle(new StreamFrame(0, 1, "x"u8, isFinal: false)).IsError);
        Assert.Equal([StreamEventKind.Opened], server.Kinds());
        Assert.False(server.Set.Handle(new StreamFrame(0, 1, "x"u8, isFinal: false)).IsError);
        Assert.Empty(server.Kinds());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1_000_000)]
    public void A_full_buffer_becomes_writable_again_and_only_after_it_was_full(int capacity)
    {
        var pair = new StreamPair(new StreamSetSettings { SendBufferBytes = capacity, StreamWindow = 2_000_000 });
        QuicStreamState stream = pair.Client.Open();
        Assert.Equal(capacity, stream.WriteRoom);
        Assert.Equal(capacity, stream.Write(new byte[capacity]));
        Assert.Equal(0, stream.WriteRoom);
        Assert.Equal(0, stream.Write("x"u8));
        pair.Flush(pair.Client);
        while (pair.Server.Set.TryFind(stream.Id, out QuicStreamState? twin) && twin.Available > 0)
        {
            twin.Advance(twin.Available);
            pair.Flush();
        }

        Assert.Equal([StreamEventKind.Writable], pair.Client.Kinds());
        Assert.Equal(capacity, stream.WriteRoom);
        if (capacity > 1)
        {
            Assert.Equal(1, stream.Write("x"u8));
            pair.Flush();
            Assert.Empty(pair.Client.Kinds());
        }
    }

    [Fact]
    public void The_end_of_the_connection_ends_every_stream_and_leaves_what_came_to_be_read()
    {
        var pair = new StreamPair();
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write("hello"u8);
        pair.Flush();
        QuicStreamState twin = pair.Twin(stream);
        _ = twin.Write("unsent"u8);
        twin.StopSending(1);
        _ = stream.Write("unsent"u8);
        _ = pair.Client.Events();
        Assert.Equal([StreamEventKind.Opened, StreamEventKind.Readable], pair.Server.Kinds());

        QuicStreamState other = pair.Server.Open();
        _ = other.Write("there"u8);
        pair.Flush(pair.Server);
        QuicStreamState readable = pair.Twin(other);
        _ = pair.Client.Events();
        foreach (StreamEnd end in new[] { pair.Client, pair.Server })
        {
            end.Set.OnConnectionClosed();
            end.Set.OnConnectionClosed();
            Assert.Equal([StreamEventKind.Closed, StreamEventKind.Closed], end.Kinds());
            Assert.False(end.Set.HasFramesToSend);
            Assert.False(end.Set.TryOpen(StreamDirection.Bidirectional, out _));
            Assert.False(end.Set.Handle(new StreamFrame(400, 0, "x"u8, isFinal: false)).IsError);
            Assert.False(end.Set.Handle(new MaxDataFrame(VariableLengthInteger.MaxValue)).IsError);
        }

        Assert.Equal((true, true, 0, 0), (stream.IsSendDone, twin.IsSendDone, stream.Write("x"u8), stream.WriteRoom));
        stream.Finish();
        stream.Reset(1);
        Assert.Equal("there", readable.ReadText());
        readable.StopSending(1);
        Assert.False(pair.Client.Set.HasFramesToSend);
        pair.Client.Set.Dispose();
        pair.Client.Set.Dispose();
        Assert.Equal(0, pair.Client.Set.OpenCount);
    }
}
