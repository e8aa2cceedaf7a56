using Gimlet.Quic;
using Gimlet.Server.Rendezvous;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Two nodes that only use the relay of a real server.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class RelayedTests
{
    private static readonly ConnectOptions RelayOnly = new() { Policy = PathPolicy.RelayOnly };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_relayed_connection_is_made_and_both_sides_say_the_same_of_it()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        CallId told = default;
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly with { Dialing = id => told = id });
        Assert.Equal((b.Id, a.Id), (ofA.RemotePeer, ofB.RemotePeer));
        Assert.Equal(("test", "test"), (ofA.Protocol, ofB.Protocol));
        Assert.Equal((false, true), (ofA.IsIncoming, ofB.IsIncoming));
        Assert.True(ofA.IsAuthenticated && ofB.IsAuthenticated);
        Assert.Equal(told, ofA.Call);
        Assert.Equal(ofA.Call, ofB.Call);
        Assert.Equal(PathKind.Relay, ofA.Path!.Kind);
        Assert.Equal(server.HttpUrls[0], ofA.Path.Server);
        Assert.Equal(server.HttpUrls[0], ofB.Path!.Server);
        Assert.Null(ofA.Path.Remote);
        Assert.Equal(PathPolicyKind.RelayOnly, ofA.Policy.Kind);
    }

    [Fact]
    public async Task Streams_of_both_kinds_carry_megabytes_both_ways_at_once()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        await using QuicStream there = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await using QuicStream both = await ofB.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        Task<long> first = Bytes.WriteAsync(there, 2_000_000);
        Task<long> second = Bytes.WriteAsync(both, 1_000_000);
        await using QuicStream bothAtA = await ofA.AcceptStreamAsync(Cancelled).Within();
        await using QuicStream thereAtB = await ofB.AcceptStreamAsync(Cancelled).Within();
        Task<long> third = Bytes.WriteAsync(bothAtA, 1_000_000);
        long[] read = await Task.WhenAll(Bytes.ReadAsync(thereAtB), Bytes.ReadAsync(bothAtA), Bytes.ReadAsync(both)).Within();
        Assert.Equal([await first.Within(), await second.Within(), await third.Within()], read);
        Assert.All([ofA, ofB], static c => Assert.Equal(PathKind.Relay, c.Path!.Kind));
        Assert.All(ofA.Paths, static p => Assert.Equal(PathKind.Relay, p.Path.Kind));
    }

    [Fact]
    public async Task Who_sends_beyond_a_limit_of_the_relay_is_told_which_and_what_would_help()
    {
        await using GimletServer server = await Servers.StartAsync(static o => o with { Limits = new RendezvousLimits { RelayBytesPerSecond = 500_000 } });
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        var told = new TaskCompletionSource<RelayLimited>(TaskCreationOptions.RunContinuationsAsynchronously);
        a.RelayLimited += notice => told.TrySetResult(notice);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        Task<long> writing = Bytes.WriteAsync(stream, 1, () => told.Task.IsCompleted);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        Task<long> reading = Bytes.ReadAsync(atB);
        RelayLimited limited = await told.Task.Within();
        Assert.Equal((server.HttpUrls[0], "relay-bytes-per-second", 500_000), (limited.Server, limited.Limit, limited.Value));
        Assert.InRange(limited.Dropped, 1, long.MaxValue);
        Assert.Contains("500000 bytes per second", limited.Explanation, StringComparison.Ordinal);
        Assert.NotEmpty(limited.Hint!);

        // Nothing has failed by it.
        Assert.Equal(await writing.Within(), await reading.Within());
    }

    [Fact]
    public async Task Half_a_stream_may_end_and_the_other_half_goes_on()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        await stream.WriteAsync("question"u8.ToArray(), Cancelled).Within();
        await Bytes.EndAsync(stream);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        using var question = new MemoryStream();
        await atB.CopyToAsync(question, Cancelled).Within();
        Assert.Equal("question"u8.ToArray(), question.ToArray());

        // Everything from the asking side has come and ended; the answer is as long as it likes.
        Task<long> answer = Bytes.WriteAsync(atB, 300_000);
        Assert.Equal(await answer.Within(), await Bytes.ReadAsync(stream).Within());
    }

    [Fact]
    public async Task Datagrams_come_whole_and_no_longer_ones_are_taken_than_the_path_bears()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        await using IAsyncEnumerator<ReadOnlyMemory<byte>> atB = ofB.ReceiveDatagramsAsync(Cancelled).GetAsyncEnumerator(Cancelled);
        foreach (int size in new[] { 0, 1, 100, ofA.MaxDatagramSize })
        {
            // Nothing is lost on loopback with nothing else under way.
            byte[] datagram = Bytes.From(size, size);
            Assert.True(await ofA.SendDatagramAsync(datagram, Cancelled).Within());
            Assert.True(await atB.MoveNextAsync().Within());
            Assert.Equal(datagram, atB.Current.ToArray());
        }

        GimletException e = await Assert.ThrowsAsync<GimletException>(() => ofA.SendDatagramAsync(new byte[ofA.MaxDatagramSize + 1], Cancelled).AsTask());
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
        await ofA.CloseAsync().Within();
        Assert.False(await atB.MoveNextAsync().Within());
    }

    [Fact]
    public async Task Pings_of_both_sides_are_numbered_answered_and_told_to_the_other()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        var told = new List<int>();
        var all = new TaskCompletionSource();
        ofB.PingAnswered += ping =>
        {
            told.Add(ping.Sequence);
            if (told.Count == 20)
            {
                all.SetResult();
            }
        };
        for (int i = 1; i <= 20; i++)
        {
            PingResult pong = await ofA.PingAsync(Cancelled).Within();
            Assert.Equal((i, PathKind.Relay), (pong.Sequence, pong.Path.Kind));
        }

        await all.Task.Within();
        Assert.Equal(Enumerable.Range(1, 20), told);
        PingResult[] many = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => ofB.PingAsync(Cancelled))).Within();
        Assert.Equal(200, many.Select(static p => p.Sequence).Distinct().Count());
    }

    [Fact]
    public async Task A_connection_that_is_closed_says_why_on_both_sides_and_nothing_can_be_done_with_it()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        Task<PingResult[]> underWay = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ofB.PingAsync(Cancelled)));
        await ofA.CloseAsync().Within();
        await ofA.CloseAsync().Within();
        await ofA.DisposeAsync().Within();
        Assert.Equal("closed by this side", await ofA.Closed.Within());
        Assert.Equal("closed by the peer", await ofB.Closed.Within());
        Exception? ended = await Record.ExceptionAsync(() => underWay.Within());
        Assert.True(ended is null or GimletException { Kind: GimletErrorKind.Transport }, ended?.ToString());
        foreach (GimletConnection connection in new[] { ofA, ofB })
        {
            Func<Task>[] uses =
            [
                () => connection.PingAsync(Cancelled),
                () => connection.OpenStreamAsync(cancellationToken: Cancelled).AsTask(),
                () => connection.AcceptStreamAsync(Cancelled).AsTask(),
                () => connection.SendDatagramAsync(new byte[1], Cancelled).AsTask(),
            ];
            foreach (Func<Task> use in uses)
            {
                GimletException e = await Assert.ThrowsAsync<GimletException>(() => use().Within());
                Assert.Equal(GimletErrorKind.Transport, e.Kind);
            }
        }
    }
}
