using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>What nodes remember while they live: <see cref="ConnectionLeakTests"/> counts after they are gone, when every table is.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class LivingNodeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_that_come_and_go_beside_one_that_stays_leave_nothing_in_any_table()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode a = await StartAsync(server, static o => o with { Protocols = ["test", "other"] });
        await using GimletNode b = await StartAsync(server, static o => o with { Protocols = ["test", "other"] });
        (GimletConnection stays, GimletConnection staysAtB) = await ConnectAsync(a, b);
        await stays.OnPathAsync(PathKind.Direct);
        await staysAtB.OnPathAsync(PathKind.Direct);
        TableCounts[] before = await SettledAsync(a, b);
        for (int i = 0; i < 60; i++)
        {
            var options = new ConnectOptions { Protocol = i % 2 == 0 ? "test" : "other", Policy = i % 3 == 0 ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect };
            (GimletConnection dialled, GimletConnection accepted) = await (i % 5 == 0 ? ConnectAsync(b, a, options) : ConnectAsync(a, b, options));
            await (i % 2 == 0 ? dialled : accepted).CloseAsync().Within();
            _ = await dialled.Closed.Within();
            _ = await accepted.Closed.Within();
        }

        TableCounts[] after = await SettledAsync(a, b);
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task Dials_that_are_cancelled_at_any_moment_leave_nothing_in_any_table()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection stays, GimletConnection staysAtB) = await ConnectAsync(a, b);
        await stays.OnPathAsync(PathKind.Direct);
        await staysAtB.OnPathAsync(PathKind.Direct);
        TableCounts[] before = await SettledAsync(a, b);
        for (int i = 0; i < 40; i++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            Task<GimletConnection> dial = a.ConnectAsync(b.Id, new ConnectOptions { Dialing = _ => { } }, cancel.Token);
            if (i % 4 == 0)
            {
                cancel.CancelAfter(TimeSpan.FromMilliseconds(i / 4));
            }
            else
            {
                await cancel.CancelAsync();
            }

            if (await Record.ExceptionAsync(() => dial.Within()) is null)
            {
                await (await dial).CloseAsync().Within();
            }
        }

        // What b was given and nobody took is over too.
        await UntilAsync(() => b.CountTables().Connections == 1, () => b.CountTables().ToString());
        Assert.Equal(before, await SettledAsync(a, b));
    }

    [Fact]
    public async Task Calls_of_a_peer_that_never_begins_a_connection_are_over_after_their_time()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        using var observed = new Observed();
        await using GimletNode b = await StartAsync(server);
        await using LiveNode caller = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        for (int i = 0; i < 20; i++)
        {
            // For a protocol, with and without an address; and for paths only, without one.
            ConnectMessage call = caller.Node.Call(b.Id) with { Protocol = i % 3 == 2 ? null : "test" };
            await caller.SendAsync(i % 3 == 0 ? call : call with { Candidates = [] });
            _ = await caller.UntilAsync<IntroduceMessage>();
        }

        await UntilAsync(() => b.GetStatistics().CallsIncoming == 20, () => b.GetStatistics().ToString());
        Assert.InRange(b.CountTables().Records, 1, 14);
        await UntilAsync(() => b.CountTables() is { Records: 0, Calls: 0, Agents: 0 }, () => b.CountTables().ToString());
        Assert.Equal(20, observed.Calls("incoming").Length);
        Assert.All(observed.Spans, static s => Assert.True(s.IsStopped, s.OperationName));
    }

    // Hangups, and what is told of them, take a moment; what leaks stays.
    private static async Task<TableCounts[]> SettledAsync(params GimletNode[] nodes)
    {
        TableCounts[] now = [.. nodes.Select(static n => n.CountTables())];
        var one = new TableCounts(Peers: 1, Calls: 1, Agents: 1, Dials: 0, Records: 1, Connections: 1);
        await UntilAsync(() => (now = [.. nodes.Select(static n => n.CountTables())]).All(n => n == one), () => string.Join(Environment.NewLine, now));
        return now;
    }
}
