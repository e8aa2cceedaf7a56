using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>RFC 9000 sections 4.1 to 4.5.</summary>
public sealed class FlowControlTests
{
    private static readonly StreamSetSettings Small = new() { StreamWindow = 100, ConnectionWindow = 150 };

    [Theory]
    [InlineData(0, 100, TransportErrorCode.NoError)]
    [InlineData(1, 100, TransportErrorCode.FlowControlError)]
    [InlineData(100, 1, TransportErrorCode.FlowControlError)]
    [InlineData(VariableLengthInteger.MaxValue - 1, 1, TransportErrorCode.FlowControlError)]
    internal void More_than_a_streams_limit_is_an_error(long offset, int length, TransportErrorCode code)
    {
        StreamEnd server = new StreamPair(Small).Server;
        QuicError error = server.Set.Handle(new StreamFrame(0, offset, new byte[length], isFinal: false));
        Assert.Equal(code, error.Code);
        Assert.Equal(code, new StreamPair(Small).Server.Set.Handle(new ResetStreamFrame(0, 1, offset + length)).Code);
    }

    [Fact]
    public void More_than_the_connections_limit_is_an_error_and_what_came_twice_counts_once()
    {
        StreamEnd server = new StreamPair(Small).Server;
        for (int i = 0; i < 3; i++)
        {
            Assert.False(server.Set.Handle(new StreamFrame(0, 20, new byte[80], isFinal: false)).IsError);
        }

        Assert.False(server.Set.Handle(new StreamFrame(4, 0, new byte[50], isFinal: false)).IsError);
        Assert.Equal(150, server.Set.Received);
        QuicError error = server.Set.Handle(new StreamFrame(8, 0, "x"u8, isFinal: false));
        Assert.Equal((TransportErrorCode.FlowControlError, FrameType.Stream), (error.Code, error.FrameType));
        error = server.Set.Handle(new ResetStreamFrame(8, 0, 1));
        Assert.Equal((TransportErrorCode.FlowControlError, FrameType.ResetStream), (error.Code, error.FrameType));
    }

    [Fact]
    public void Limits_move_when_half_of_a_window_is_consumed_and_not_before()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write(new byte[100]);
        pair.Flush(pair.Client);
        QuicStreamState twin = pair.Twin(stream);
        _ = twin.Read(new byte[49]);
        Assert.False(pair.Server.Set.HasFramesToSend);
        twin.Advance(1);
        Assert.Equal([new SentFrame(FrameType.MaxStreamData, stream.Id, 150)], pair.Server.Send()!.Sent);
        _ = twin.Read(new byte[25]);
        Assert.Equal([new SentFrame(FrameType.MaxData, Offset: 225)], pair.Server.Send()!.Sent);
        Assert.Null(pair.Server.Send());
    }

    [Fact]
    public void A_blocked_stream_says_so_once_for_each_limit_and_goes_on_when_it_moves()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write(new byte[300]);
        StreamPacket data = pair.Client.Send()!;
        Assert.Equal([(FrameType.Stream, 100L)], data.Sent.Select(f => (f.Type, (long)f.Length)));
        StreamPacket blocked = pair.Client.Send()!;
        Assert.Equal([new SentFrame(FrameType.StreamDataBlocked, stream.Id, 100)], blocked.Sent);
        Assert.Null(pair.Client.Send());
        pair.Client.Lose(blocked);
        Assert.Equal(blocked.Payload, pair.Client.Send()!.Payload);

        Assert.False(pair.Client.Set.Handle(new MaxStreamDataFrame(stream.Id, 100)).IsError);
        Assert.False(pair.Client.Set.HasFramesToSend);
        Assert.False(pair.Client.Set.Handle(new MaxStreamDataFrame(stream.Id, 400)).IsError);
        pair.Client.Lose(blocked);
        Assert.Equal(50, pair.Client.Send()!.Sent.Single().Length);
        Assert.Equal([new SentFrame(FrameType.DataBlocked, Offset: 150)], pair.Client.Send()!.Sent);
        Assert.Null(pair.Client.Send());
        Assert.False(pair.Client.Set.Handle(new MaxDataFrame(149)).IsError);
        Assert.Null(pair.Client.Send());
        Assert.False(pair.Client.Set.Handle(new MaxDataFrame(1000)).IsError);
        Assert.Equal(150, pair.Client.Send()!.Sent.Single().Length);
        Assert.Null(pair.Client.Send());
    }

    [Fact]
    public void Being_blocked_is_told_again_when_asked()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        QuicStreamState other = pair.Client.Open();
        _ = stream.Write(new byte[300]);
        _ = other.Write(new byte[300]);
        while (pair.Client.Send() is not null)
        {
        }

        pair.Client.Set.RepeatBlocked();
        Assert.Equal(
            [FrameType.DataBlocked, FrameType.StreamDataBlocked],
            pair.Client.Send()!.Sent.Select(f => f.Type).Order());
        Assert.Null(pair.Client.Send());
    }

    [Fact]
    public void A_lost_limit_is_told_again_with_the_value_of_today_and_only_where_it_is_the_newest()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write(new byte[250]);
        pair.Flush(pair.Client);
        QuicStreamState twin = pair.Twin(stream);
        _ = twin.Read(new byte[60]);
        StreamPacket old = pair.Server.Send()!;
        Assert.Equal([new SentFrame(FrameType.MaxStreamData, stream.Id, 160)], old.Sent);
        _ = twin.Read(new byte[10]);
        pair.Server.Lose(old);
        StreamPacket again = pair.Server.Send()!;
        Assert.Equal([new SentFrame(FrameType.MaxStreamData, stream.Id, 170)], again.Sent);
        pair.Server.Lose(old);
        Assert.Null(pair.Server.Send());
    }

    [Fact]
    public void A_blocked_peer_hears_of_every_byte_that_can_move()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write(new byte[250]);
        pair.Flush(pair.Client);
        QuicStreamState twin = pair.Twin(stream);
        Assert.False(pair.Server.Set.Handle(new StreamDataBlockedFrame(stream.Id, 100)).IsError);
        Assert.False(pair.Server.Set.Handle(new DataBlockedFrame(150)).IsError);
        Assert.Null(pair.Server.Send());
        _ = twin.Read(new byte[3]);
        Assert.False(pair.Server.Set.Handle(new StreamDataBlockedFrame(stream.Id, 100)).IsError);
        Assert.False(pair.Server.Set.Handle(new DataBlockedFrame(150)).IsError);
        Assert.Equal([103L, 153L], pair.Server.Send()!.Sent.Select(f => f.Offset).Order());
    }

    [Fact]
    public void A_known_final_size_needs_no_limit_and_a_reset_gives_the_connection_what_was_not_read()
    {
        var pair = new StreamPair(Small);
        QuicStreamState stream = pair.Client.Open();
        _ = stream.Write(new byte[100]);
        stream.Finish();
        pair.Flush(pair.Client);
        QuicStreamState twin = pair.Twin(stream);
        _ = twin.Read(new byte[80]);
        StreamPacket limit = pair.Server.Send()!;
        Assert.Equal([FrameType.MaxData], limit.Sent.Select(f => f.Type));
        pair.Deliver(limit);

        stream = pair.Client.Open();
        _ = stream.Write(new byte[100]);
        pair.Flush(pair.Client);
        stream.Reset(1);
        pair.Flush(pair.Client);
        Assert.Equal((200, 180), (pair.Server.Set.Received, pair.Server.Set.Consumed));
    }

    [Fact]
    public void A_window_that_is_used_up_within_two_round_trips_doubles_up_to_its_maximum()
    {
        var settings = new StreamSetSettings();
        var pair = new StreamPair(settings);
        QuicStreamState stream = pair.Client.Open();
        long limit = settings.InitialStreamWindow, consumed = 0;
        TimeSpan now = TimeSpan.FromSeconds(100);
        byte[] chunk = new byte[64 * 1024];
        var sizes = new List<long>();
        for (int i = 0; i < 2000; i++)
        {
            now += TimeSpan.FromMilliseconds(1);
            pair.Server.Set.UpdateRtt(now, TimeSpan.FromMilliseconds(40));
            _ = stream.Write(chunk);
            pair.Flush(pair.Client);
            QuicStreamState twin = pair.Twin(stream);
            consumed += twin.Read(chunk);
            while (pair.Server.Send() is { } packet)
            {
                limit = packet.Sent.Where(f => f.Type == FrameType.MaxStreamData).Select(f => f.Offset).DefaultIfEmpty(limit).Max();
                pair.Deliver(packet);
            }

            sizes.Add(limit - consumed);
        }

        Assert.True(sizes.Max() > 4 * 1024 * 1024, $"{sizes.Max()}");
        Assert.True(sizes.Max() <= settings.StreamWindow, $"{sizes.Max()}");
    }

    [Fact]
    public void A_window_that_is_used_up_slowly_stays_as_it_is()
    {
        var settings = new StreamSetSettings { StreamWindow = 1000, ConnectionWindow = 100_000 };
        var window = new Gimlet.Quic.Streams.Buffers.ReceiveWindow(1000, 8000, default);
        for (int i = 1; i < 10; i++)
        {
            window.Consume(500);
            Assert.True(window.IsUpdateDue);
            Assert.Equal((i * 500) + 1000, window.Update(TimeSpan.FromSeconds(i), TimeSpan.FromMilliseconds(900)));
        }

        window.Consume(500);
        Assert.Equal(5000 + 2000, window.Update(TimeSpan.FromSeconds(9.5), TimeSpan.FromMilliseconds(900)));
        Assert.Equal(1000, settings.InitialStreamWindow);
    }

    [Fact]
    public void What_we_announce_is_what_we_keep()
    {
        var settings = new StreamSetSettings { MaxBidirectionalStreams = 3, MaxUnidirectionalStreams = 4 };
        TransportParameters parameters = settings.AddTo(new TransportParameters { MaxIdleTimeout = 9 });
        Assert.Equal(
            (512 * 1024, 512 * 1024, 512 * 1024, 768 * 1024, 3, 4, 9),
            (parameters.InitialMaxStreamDataBidirectionalLocal,
                parameters.InitialMaxStreamDataBidirectionalRemote,
                parameters.InitialMaxStreamDataUnidirectional,
                parameters.InitialMaxData,
                parameters.InitialMaxStreamsBidirectional,
                parameters.InitialMaxStreamsUnidirectional,
                parameters.MaxIdleTimeout));
    }

    [Fact]
    public void Each_kind_of_stream_begins_with_its_own_limit()
    {
        var client = new StreamEnd(EndpointRole.Client, new StreamSetSettings());
        client.Set.SetPeerLimits(new TransportParameters
        {
            InitialMaxData = 1000,
            InitialMaxStreamDataBidirectionalLocal = 11,
            InitialMaxStreamDataBidirectionalRemote = 22,
            InitialMaxStreamDataUnidirectional = 33,
            InitialMaxStreamsBidirectional = 1,
            InitialMaxStreamsUnidirectional = 1,
        });
        Assert.False(client.Set.Handle(new StreamFrame(1, 0, "x"u8, isFinal: false)).IsError);
        Assert.True(client.Set.TryFind(1, out QuicStreamState? theirs));
        foreach (QuicStreamState stream in new[] { theirs, client.Open(), client.Open(StreamDirection.Unidirectional) })
        {
            _ = stream.Write(new byte[100]);
        }

        Assert.Equal(
            [(0L, 22), (1L, 11), (2L, 33)],
            client.Send()!.Sent.Where(f => FrameRules.IsStream(f.Type)).Select(f => (f.Id, f.Length)).Order());
        _ = Assert.Throws<InvalidOperationException>(() => client.Set.SetPeerLimits(new TransportParameters()));
    }
}
