using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>RFC 9000 section 4.6: how many streams there may be.</summary>
public sealed class StreamLimitTests
{
    private static readonly StreamSetSettings Two = new() { MaxBidirectionalStreams = 2, MaxUnidirectionalStreams = 2 };

    [Fact]
    public void Nothing_opens_before_the_peers_limits_are_known()
    {
        var client = new StreamEnd(EndpointRole.Client, Two);
        Assert.False(client.Set.TryOpen(StreamDirection.Bidirectional, out _));
        Assert.False(client.Set.HasFramesToSend);
        client.Set.SetPeerLimits(client.Parameters);
        StreamEvent next = client.Events().Single();
        Assert.Equal((StreamEventKind.StreamsAvailable, StreamDirection.Bidirectional, null), (next.Kind, next.Direction, next.Stream));
        Assert.Equal(0, client.Open().Id);
    }

    [Theory]
    [InlineData(StreamDirection.Bidirectional, FrameType.StreamsBlockedBidirectional)]
    [InlineData(StreamDirection.Unidirectional, FrameType.StreamsBlockedUnidirectional)]
    internal void A_stream_too_many_is_told_to_the_peer_once_and_its_turn_comes_with_MAX_STREAMS(StreamDirection direction, FrameType blocked)
    {
        StreamEnd client = new StreamPair(Two).Client;
        _ = client.Open(direction);
        _ = client.Open(direction);
        Assert.False(client.Set.TryOpen(direction, out _));
        Assert.False(client.Set.TryOpen(direction, out _));
        StreamPacket packet = client.Send()!;
        Assert.Equal([new SentFrame(blocked, Offset: 2)], packet.Sent);
        Assert.Null(client.Send());
        client.Lose(packet);
        Assert.Equal(packet.Payload, client.Send()!.Payload);

        bool isUnidirectional = direction == StreamDirection.Unidirectional;
        Assert.False(client.Set.Handle(new MaxStreamsFrame(isUnidirectional, 1)).IsError);
        Assert.Empty(client.Events());
        Assert.False(client.Set.Handle(new MaxStreamsFrame(isUnidirectional, 3)).IsError);
        Assert.Equal([(StreamEventKind.StreamsAvailable, direction)], client.Events().Select(e => (e.Kind, e.Direction)));
        client.Lose(packet);
        Assert.Null(client.Send());
        _ = client.Open(direction);
        Assert.False(client.Set.TryOpen(direction, out _));
        Assert.Equal([new SentFrame(blocked, Offset: 3)], client.Send()!.Sent);
    }

    [Fact]
    public void The_limit_moves_when_a_stream_of_the_peer_is_over_for_both_sides_and_its_events_were_taken()
    {
        var pair = new StreamPair(Two);
        QuicStreamState stream = pair.Client.Open();
        stream.Finish();
        pair.Flush(pair.Client);
        QuicStreamState twin = pair.Twin(stream);
        _ = pair.Server.Events();
        Assert.Null(pair.Server.Send());
        twin.Finish();
        StreamPacket fin = pair.Server.Send()!;
        Assert.Null(pair.Server.Send());
        pair.Server.Acknowledge(fin);
        Assert.Equal(1, pair.Server.Set.OpenCount);
        Assert.Null(pair.Server.Send());
        Assert.Equal([StreamEventKind.SendDone, StreamEventKind.Closed], pair.Server.Kinds());
        Assert.Equal(0, pair.Server.Set.OpenCount);
        StreamPacket limit = pair.Server.Send()!;
        Assert.Equal([new SentFrame(FrameType.MaxStreamsBidirectional, Offset: 3)], limit.Sent);
        pair.Server.Lose(limit);
        Assert.Equal(limit.Sent, pair.Server.Send()!.Sent);
    }

    [Fact]
    public void Limits_are_told_an_eighth_at_a_time_while_the_peer_has_enough_left()
    {
        var pair = new StreamPair(new StreamSetSettings { MaxUnidirectionalStreams = 80 });
        var limits = new List<long>();
        for (int i = 0; i < 30; i++)
        {
            pair.Client.Open(StreamDirection.Unidirectional).Finish();
            pair.Flush(pair.Client);
            _ = pair.Server.Events();
            if (pair.Server.Send() is { } packet)
            {
                limits.Add(packet.Sent.Single().Offset);
                pair.Deliver(packet);
            }
        }

        Assert.Equal([90L, 100L, 110L], limits);
    }

    [Fact]
    public void A_peer_that_is_short_of_streams_hears_of_each()
    {
        var pair = new StreamPair(new StreamSetSettings { MaxUnidirectionalStreams = 80 });
        QuicStreamState[] streams = [.. Enumerable.Range(0, 80).Select(_ => pair.Client.Open(StreamDirection.Unidirectional))];
        foreach (QuicStreamState stream in streams)
        {
            _ = stream.Write("x"u8);
        }

        pair.Flush(pair.Client);
        QuicStreamState first = pair.Twin(streams[0]);
        _ = pair.Server.Events();
        first.StopSending(1);
        pair.Flush();
        _ = pair.Client.Open(StreamDirection.Unidirectional);
        Assert.False(pair.Client.Set.TryOpen(StreamDirection.Unidirectional, out _));
    }

    [Fact]
    public void STREAMS_BLOCKED_is_answered_where_the_limit_can_move()
    {
        var pair = new StreamPair(new StreamSetSettings { MaxUnidirectionalStreams = 80 });
        Assert.False(pair.Server.Set.Handle(new StreamsBlockedFrame(IsUnidirectional: true, 80)).IsError);
        Assert.Null(pair.Server.Send());
        pair.Client.Open(StreamDirection.Unidirectional).Finish();
        pair.Flush(pair.Client);
        _ = pair.Server.Events();
        Assert.Null(pair.Server.Send());
        Assert.False(pair.Server.Set.Handle(new StreamsBlockedFrame(IsUnidirectional: true, 80)).IsError);
        Assert.Equal(81, pair.Server.Send()!.Sent.Single().Offset);
    }

    [Fact]
    public void A_peer_that_opens_and_resets_gets_no_new_streams_while_the_owner_holds_them()
    {
        StreamEnd server = new StreamPair(Two).Server;
        Assert.False(server.Set.Handle(new ResetStreamFrame(2, 1, 0)).IsError);
        Assert.False(server.Set.Handle(new ResetStreamFrame(6, 1, 0)).IsError);
        Assert.True(server.Set.TryPollEvent(out StreamEvent opened));
        opened.Stream!.IsHeld = true;
        Assert.Equal(
            [StreamEventKind.PeerReset, StreamEventKind.Opened, StreamEventKind.PeerReset, StreamEventKind.Closed],
            server.Kinds());
        Assert.Equal(1, server.Set.OpenCount);
        Assert.Equal(3, server.Send()!.Sent.Single().Offset);
        opened.Stream.IsHeld = false;
        Assert.Equal([StreamEventKind.Closed], server.Kinds());
        Assert.Equal(4, server.Send()!.Sent.Single().Offset);
    }
}
