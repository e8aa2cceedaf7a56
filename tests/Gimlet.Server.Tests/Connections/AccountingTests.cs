using System.Diagnostics;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>What real calls leave in the statistics, the meter and the spans. The meter is the process's: both nodes together.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class AccountingTests : IDisposable
{
    private readonly Observed _observed = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _observed.Dispose();

    [Fact]
    public async Task A_direct_call()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);

        // Neither a round trip of the two nodes nor a stream that nothing was written to is a byte of the application.
        _ = await ofA.PingAsync(Cancelled).Within();
        await using (QuicStream empty = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within())
        {
            empty.CompleteWrites();
            _ = await ofB.AcceptStreamAsync(Cancelled).Within();
            Assert.Equal(0, Both(static s => s.TimeToFirstByte.Count));
        }

        await SayAsync(ofA, ofB);
        await UntilAsync(() => Both(static s => s.TimeToFirstByte.Count) == 2, () => "no first byte");
        foreach (NodeStatistics open in new[] { a.GetStatistics(), b.GetStatistics() })
        {
            Assert.Equal((1, 1, 1, 0), (open.ConnectionsOpen, open.PunchesAttempted, open.PunchesSucceeded, open.PunchesFailed));
            Assert.Equal((0, 1), (open.RelayFallbacks, open.TimeToDirect.Count));
            Assert.InRange(open.Upgrades, 0, 1);
            Assert.True(open.BytesSentDirect > 0 && open.BytesReceivedDirect > 0);
        }

        await ofA.CloseAsync().Within();
        _ = await ofB.Closed.Within();
        NodeStatistics last = a.GetStatistics();
        Assert.Equal((1, 0, 1, 0, 0), (last.CallsOutgoing, last.CallsIncoming, last.ConnectionsOpened, last.ConnectionsAccepted, last.ConnectionsOpen));
        NodeStatistics lastOfB = b.GetStatistics();
        Assert.Equal((0, 1, 0, 1, 0), (lastOfB.CallsOutgoing, lastOfB.CallsIncoming, lastOfB.ConnectionsOpened, lastOfB.ConnectionsAccepted, lastOfB.ConnectionsOpen));
        await UntilAsync(() => _observed.Spans.All(static s => s.IsStopped), Unended);
        foreach ((string direction, GimletConnection connection, ActivityKind kind) in new[] { ("outgoing", ofA, ActivityKind.Client), ("incoming", ofB, ActivityKind.Server) })
        {
            Activity call = Assert.Single(_observed.Calls(direction));
            Assert.Equal((ofA.Call.ToString(), connection.RemotePeer.ToShortString()), (call.GetTagItem("gimlet.call.id"), call.GetTagItem("gimlet.peer")));
            Assert.Equal(("ok", "direct", "not-relayed"), (call.GetTagItem("gimlet.outcome"), call.GetTagItem("gimlet.path"), call.GetTagItem("gimlet.cause")));
            Assert.Equal((kind, ActivityStatusCode.Unset), (call.Kind, call.Status));
            Assert.Contains("gimlet.introduction", _observed.PartsOf(call));
            Assert.Contains("gimlet.punch", _observed.PartsOf(call));
            Assert.Equal(direction == "outgoing", _observed.PartsOf(call).Contains("gimlet.handshake"));
        }

        await StopAsync(a, b);
        long Both(Func<NodeStatistics, long> number) => number(a.GetStatistics()) + number(b.GetStatistics());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_relayed_call(bool byPolicy)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, o => o with { NoHolepunch = !byPolicy });
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Policy = byPolicy ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect });
        await SayAsync(ofA, ofB);
        await UntilAsync(() => a.GetStatistics().TimeToFirstByte.Count == 1 && a.GetStatistics().RelayFallbacks == 1, () => a.GetStatistics().ToString());
        NodeStatistics open = a.GetStatistics();
        Assert.Equal((0, 0, 0, 0), (open.PunchesAttempted, open.Upgrades, open.BytesSentDirect, open.TimeToDirect.Count));
        Assert.True(open.BytesSentRelay > 0 && open.BytesReceivedRelay > 0);
        await ofA.CloseAsync().Within();
        _ = await ofB.Closed.Within();
        await UntilAsync(() => _observed.Spans.All(static s => s.IsStopped), Unended);
        Activity call = Assert.Single(_observed.Calls("outgoing"));
        string cause = byPolicy ? "relay-only-policy" : "peer-unsupported";
        Assert.Equal(("ok", "relay", cause), (call.GetTagItem("gimlet.outcome"), call.GetTagItem("gimlet.path"), call.GetTagItem("gimlet.cause")));
        ActivityEvent skipped = Assert.Single(call.Events);
        Assert.Equal(("gimlet.punch_skipped", cause), (skipped.Name, skipped.Tags.Single().Value));
        Assert.Equal(byPolicy ? "relay-only" : "relay-then-direct", call.GetTagItem("gimlet.policy"));
        Activity callOfB = Assert.Single(_observed.Calls("incoming"));
        Assert.Equal(("ok", "relay"), (callOfB.GetTagItem("gimlet.outcome"), callOfB.GetTagItem("gimlet.path")));
        Assert.NotEqual("not-relayed", callOfB.GetTagItem("gimlet.cause"));
        await StopAsync(a, b);
    }

    [Fact]
    public async Task A_second_dial_beside_a_direct_path_falls_back_to_nothing()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection first, GimletConnection firstAtB) = await ConnectAsync(a, b);
        await first.OnPathAsync(PathKind.Direct);
        await firstAtB.OnPathAsync(PathKind.Direct);
        (GimletConnection second, _) = await ConnectAsync(a, b);
        await SayAsync(second, null);
        await second.CloseAsync().Within();
        await UntilAsync(() => _observed.Calls("outgoing").Count(static s => s.IsStopped) == 1, Unended);
        Activity call = Assert.Single(_observed.Calls("outgoing"), static s => s.IsStopped);
        Assert.Empty(call.Events);
        Assert.Equal((0, 1), (a.GetStatistics().RelayFallbacks, a.GetStatistics().PunchesAttempted));
        await StopAsync(a, b);
    }

    [Fact]
    public async Task A_failed_call()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        using var nobody = NodeIdentity.Create();
        _ = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(nobody.Id, Cancelled).Within());
        NodeStatistics after = a.GetStatistics();
        Assert.Equal((1, 0, 0, 0), (after.CallsOutgoing, after.ConnectionsOpened, after.ConnectionsOpen, after.PunchesAttempted));
        Assert.Equal((0, 0, 0), (after.RelayFallbacks, after.TimeToFirstByte.Count, after.TimeToDirect.Count));
        Activity call = Assert.Single(_observed.Calls("outgoing"));
        Assert.True(call.IsStopped);
        Assert.Equal(("peer-offline", "peer-offline", "not-introduced"), (call.GetTagItem("gimlet.outcome"), call.GetTagItem("error.type"), call.GetTagItem("gimlet.cause")));
        Assert.Equal((ActivityStatusCode.Error, null), (call.Status, call.GetTagItem("gimlet.path")));
        Assert.All(_observed.Spans, static s => Assert.True(s.IsStopped, s.OperationName));
        await StopAsync(a);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_is_given_up_is_cancelled_and_no_failure(bool byDisposal)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using LiveNode silent = await LiveNode.RegisterAsync(server.HttpUrls[0], accept: AcceptMode.OnAccept);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task<GimletConnection> dial = a.ConnectAsync(silent.Node.Id, cancel.Token);
        _ = await silent.NextAsync<IncomingMessage>();
        await (byDisposal ? a.DisposeAsync().AsTask() : cancel.CancelAsync()).Within();
        Assert.NotNull(await Record.ExceptionAsync(() => dial.Within()));
        Activity call = Assert.Single(_observed.Calls("outgoing"));
        Assert.True(call.IsStopped);
        Assert.Equal(("cancelled", null, null), (call.GetTagItem("gimlet.outcome"), call.GetTagItem("error.type"), call.GetTagItem("gimlet.path")));
        Assert.Equal(ActivityStatusCode.Unset, call.Status);
        NodeStatistics after = a.GetStatistics();
        Assert.Equal((1, 0), (after.CallsOutgoing, after.ConnectionsOpened));
        Assert.All(_observed.Spans, static s => Assert.True(s.IsStopped, s.OperationName));
        await StopAsync(a);
    }

    [Fact]
    public async Task A_dial_that_joins_the_peers_ends_with_it_and_counts_one_connection()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        GimletConnection[] both = await Task.WhenAll(a.ConnectAsync(b.Id, Cancelled), b.ConnectAsync(a.Id, Cancelled)).Within();
        await UntilAsync(() => a.CountTables().Records + b.CountTables().Records == 2, () => $"{a.CountTables()} {b.CountTables()}");
        await both[0].CloseAsync().Within();
        _ = await both[1].Closed.Within();
        await UntilAsync(() => _observed.Spans.All(static s => s.IsStopped), Unended);
        Assert.Equal(1, a.GetStatistics().ConnectionsOpened + b.GetStatistics().ConnectionsOpened);
        Assert.Equal(1, a.GetStatistics().ConnectionsAccepted + b.GetStatistics().ConnectionsAccepted);
        Assert.All(_observed.Calls("outgoing"), static s => Assert.Equal("ok", s.GetTagItem("gimlet.outcome")));
        await StopAsync(a, b);
    }

    // The meter has the numbers of all nodes, and every span has ended with its node.
    private async Task StopAsync(params GimletNode[] nodes)
    {
        foreach (GimletNode node in nodes)
        {
            await node.DisposeAsync().Within();
        }

        NodeStatistics[] all = [.. nodes.Select(static n => n.GetStatistics())];
        (string Name, Func<NodeStatistics, long> Number)[] numbers =
        [
            ("gimlet.calls.outgoing", static s => s.CallsOutgoing), ("gimlet.calls.incoming", static s => s.CallsIncoming),
            ("gimlet.connections.opened", static s => s.ConnectionsOpened), ("gimlet.connections.accepted", static s => s.ConnectionsAccepted),
            ("gimlet.punches.attempted", static s => s.PunchesAttempted), ("gimlet.punches.succeeded", static s => s.PunchesSucceeded),
            ("gimlet.relay_fallbacks", static s => s.RelayFallbacks), ("gimlet.upgrades", static s => s.Upgrades),
            ("gimlet.downgrades", static s => s.Downgrades), ("gimlet.migrations", static s => s.Migrations),
            ("gimlet.bytes_sent direct", static s => s.BytesSentDirect), ("gimlet.bytes_sent relay", static s => s.BytesSentRelay),
            ("gimlet.bytes_received direct", static s => s.BytesReceivedDirect), ("gimlet.bytes_received relay", static s => s.BytesReceivedRelay),
            ("gimlet.time_to_first_byte", static s => s.TimeToFirstByte.Count), ("gimlet.time_to_direct", static s => s.TimeToDirect.Count),
        ];
        Assert.All(numbers, n => Assert.Equal((n.Name, all.Sum(n.Number)), (n.Name, (long)_observed.Sum(n.Name))));
        Assert.All(_observed.Spans, static s => Assert.True(s.IsStopped, s.OperationName));
    }

    private static async Task SayAsync(GimletConnection from, GimletConnection? to)
    {
        await using QuicStream stream = await from.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await stream.WriteAsync(new byte[10], completeWrites: true, Cancelled).Within();
        if (to is not null)
        {
            await using QuicStream heard = await to.AcceptStreamAsync(Cancelled).Within();
            _ = await heard.ReadAsync(new byte[10], Cancelled).Within();
        }
    }

    private string Unended() => string.Join(", ", _observed.Spans.Where(static s => !s.IsStopped).Select(static s => $"{s.OperationName} {s.GetTagItem("gimlet.direction")}"));
}
