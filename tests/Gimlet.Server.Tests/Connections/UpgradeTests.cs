using System.Net;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>From the relay to a direct path, and what becomes of both when the server goes.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class UpgradeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transfer_moves_to_the_direct_path_in_its_middle_and_nothing_is_lost()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        var changes = new List<PathKind?>();
        var direct = new TaskCompletionSource();
        ofA.PathChanged += change =>
        {
            changes.Add(change.Path?.Kind);
            if (change.Path?.Kind == PathKind.Direct)
            {
                _ = direct.TrySetResult();
            }
        };
        if (ofA.Path?.Kind == PathKind.Direct)
        {
            // The punch was done before the handshake was: on one machine nothing says which is first.
            _ = direct.TrySetResult();
        }

        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        Task<long> written = Bytes.WriteAsync(stream, 4_000_000, () => direct.Task.IsCompleted);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        Task<long> back = Bytes.WriteAsync(atB, 4_000_000, () => direct.Task.IsCompleted);
        long[] read = await Task.WhenAll(Bytes.ReadAsync(atB), Bytes.ReadAsync(stream)).Within();
        Assert.Equal([await written.Within(), await back.Within()], read);
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);
        Assert.NotNull(ofA.Path!.Remote);

        // Once there, it stays.
        Assert.All(changes, static k => Assert.Equal(PathKind.Direct, k));
        Assert.Equal(PathKind.Direct, (await ofA.PingAsync(Cancelled).Within()).Path.Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_direct_connection_needs_no_relay_and_no_second_dial_waits_for_one(bool headStart)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        var options = new ConnectOptions { Policy = headStart ? PathPolicy.DirectHeadStart(TimeSpan.FromMinutes(1)) : PathPolicy.DirectOnly };
        (GimletConnection first, _) = await ConnectAsync(a, b, options);
        Assert.Equal(PathKind.Direct, first.Path!.Kind);
        _ = await first.PingAsync(Cancelled).Within();
        Assert.All(first.Paths, static p => Assert.Equal(PathKind.Direct, p.Path.Kind));

        // The path to the peer is there: whoever dials next begins on it.
        (GimletConnection second, GimletConnection atB) = await ConnectAsync(a, b);
        Assert.Equal(PathKind.Direct, second.Path!.Kind);
        (GimletConnection back, _) = await ConnectAsync(b, a);
        Assert.Equal(PathKind.Direct, back.Path!.Kind);
        _ = await atB.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_node_that_takes_part_in_no_direct_paths_is_connected_by_the_relay_both_ways()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { NoHolepunch = true });
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        (GimletConnection second, _) = await ConnectAsync(b, a);
        foreach (GimletConnection connection in new[] { ofA, ofB, second })
        {
            Assert.Equal(PathKind.Relay, (await connection.PingAsync(Cancelled).Within()).Path.Kind);
        }

        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(b.Id, new ConnectOptions { Policy = PathPolicy.DirectOnly }, Cancelled).Within());
        Assert.Equal(GimletErrorKind.Unsupported, e.Kind);
    }

    [Fact]
    public async Task When_the_server_stops_the_direct_path_does_not_notice()
    {
        GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);
        bool moved = false;
        ofA.PathChanged += _ => moved = true;
        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await using Unregistered goneAtA = Unregistered.Watch(a);
        await using Unregistered goneAtB = Unregistered.Watch(b);
        long after = 0;
        bool EnoughAfter()
        {
            // Both know of it, and a megabyte more has come since.
            return goneAtA.Seen.IsCompleted && goneAtB.Seen.IsCompleted && ++after > 64;
        }

        Task<long> written = Bytes.WriteAsync(stream, 1_000_000, EnoughAfter);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        Task<long> read = Bytes.ReadAsync(atB);
        await server.DisposeAsync().Within();
        Assert.Equal(await written.Within(), await read.Within());

        // No path change, and no silence either, which would be a null path: the connection noticed nothing. (How long it stood still the NAT lab
        // measures, and holds to 200 ms.)
        Assert.False(moved, "the path has changed");
        _ = await ofA.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_relayed_stream_goes_on_when_the_server_is_there_again()
    {
        GimletServer server = await Servers.StartAsync();
        int port = server.HttpUrls[0].Port;
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.RelayOnly });
        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        var restarted = new TaskCompletionSource();
        long after = 0;
        Task<long> written = Bytes.WriteAsync(stream, 1_000_000, () => restarted.Task.IsCompleted && ++after > 64);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        var some = new TaskCompletionSource();
        Task<long> read = Bytes.ReadAsync(atB, count =>
        {
            if (count > 500_000)
            {
                _ = some.TrySetResult();
            }
        });
        await some.Task.Within();
        await server.DisposeAsync().Within();
        await using GimletServer again = await Servers.StartAsync(o => o with { Http = new IPEndPoint(IPAddress.Loopback, port) });
        restarted.SetResult();
        Assert.Equal(await written.Within(), await read.Within());
        Assert.Equal(PathKind.Relay, ofB.Path!.Kind);
        Assert.False(ofA.Closed.IsCompleted || ofB.Closed.IsCompleted);
        _ = await ofB.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_peer_that_was_restarted_with_its_key_is_accepted_at_once_and_the_stale_connection_ends()
    {
        await using GimletServer server = await Servers.StartAsync();
        using var identity = NodeIdentity.Create();
        await using GimletNode a = await StartAsync(server);
        GimletNode old = await StartAsync(server, o => o with { Identity = identity });
        (GimletConnection ofOld, GimletConnection stale) = await ConnectAsync(old, a);
        _ = await stale.PingAsync(Cancelled).Within();
        _ = await ofOld.PingAsync(Cancelled).Within();

        // The new process is there while the old one has not ended: as after a crash, nobody said goodbye.
        await using GimletNode young = await StartAsync(server, o => o with { Identity = identity });
        (GimletConnection ofYoung, GimletConnection atA) = await ConnectAsync(young, a);
        _ = await atA.PingAsync(Cancelled).Within();
        Assert.Contains("started again", await stale.Closed.Within(), StringComparison.Ordinal);
        Assert.False(atA.Closed.IsCompleted);

        // And the other way round, when only one of the two answers checks.
        await old.DisposeAsync().Within();
        (GimletConnection back, _) = await ConnectAsync(a, young);
        _ = await back.PingAsync(Cancelled).Within();
        _ = await ofYoung.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_handler_that_throws_ends_no_connection()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.RelayThenDirect });
        ofB.PingAnswered += static _ => throw new InvalidOperationException("the application's own");
        Exception? atOnce = Record.Exception(() => ofA.PathChanged += static _ => throw new InvalidOperationException("the application's own"));
        Assert.True(atOnce is null or InvalidOperationException);
        await ofA.OnPathAsync(PathKind.Direct);
        _ = await ofA.PingAsync(Cancelled).Within();
        _ = await ofA.PingAsync(Cancelled).Within();
        _ = await ofB.PingAsync(Cancelled).Within();
        await ofA.CloseAsync().Within();
        _ = await ofA.Closed.Within();
        _ = await ofB.Closed.Within();
    }
}
