using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Two nodes that dial each other for one protocol in the same moment, or nearly.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class GlareTests
{
    private const int Rounds = 40;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static ConnectOptions ByRelay { get; } = new() { Policy = PathPolicy.RelayOnly };

    /// <summary>
    /// The threads decide who is first, by as much as they like: whatever they decide, two dials that were both begun are one connection.
    /// </summary>
    [Theory]
    [InlineData(PathPolicyKind.RelayOnly)]
    [InlineData(PathPolicyKind.RelayThenDirect)]
    public async Task Both_dial_at_once_and_get_one_connection_that_no_accept_loop_sees(PathPolicyKind kind)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        Task<GimletConnection> acceptAtSmall = small.AcceptAsync(Cancelled);
        Task<GimletConnection> acceptAtLarge = large.AcceptAsync(Cancelled);
        PathPolicy policy = kind == PathPolicyKind.RelayOnly ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect;
        using var barrier = new Barrier(2);
        for (int round = 0; round < Rounds; round++)
        {
            // Both dials are begun before either calls: the callbacks wait for each other, and each dial has a thread.
            var options = new ConnectOptions { Policy = policy, Dialing = _ => Assert.True(barrier.SignalAndWait(Deadline, Cancelled)) };
            Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, options, Cancelled));
            Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(small.Id, options, Cancelled));
            GimletConnection ofSmall = await a.Within();
            GimletConnection ofLarge = await b.Within();
            Assert.True(ofSmall.IsIncoming != ofLarge.IsIncoming, $"round {round}: two connections, or none");
            _ = await ofSmall.PingAsync(Cancelled).Within();
            _ = await ofLarge.PingAsync(Cancelled).Within();
            await (round % 2 == 0 ? ofSmall : ofLarge).CloseAsync().Within();
            _ = await ofSmall.Closed.Within();
            _ = await ofLarge.Closed.Within();
            Assert.False(acceptAtSmall.IsCompleted, $"round {round}: the smaller side's accept loop saw a connection");
            Assert.False(acceptAtLarge.IsCompleted, $"round {round}: the larger side's accept loop saw a connection");
        }

        // What comes next is what the loops see: nothing was left in their queues.
        GimletConnection toLarge = await small.ConnectAsync(large.Id, Cancelled).Within();
        GimletConnection atLarge = await acceptAtLarge.Within();
        GimletConnection toSmall = await large.ConnectAsync(small.Id, Cancelled).Within();
        GimletConnection atSmall = await acceptAtSmall.Within();
        foreach (GimletConnection connection in new[] { toLarge, atLarge, toSmall, atSmall })
        {
            _ = await connection.PingAsync(Cancelled).Within();
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Where_both_have_called_the_dial_of_the_smaller_id_goes_on_whoever_hears_first(bool smallHears, bool largeHears)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        var (small, large) = await StartTwoOnGroundsAsync(server);
        await using GimletNode first = small.Node;
        await using GimletNode second = large.Node;
        Task<GimletConnection> acceptAtSmall = small.Node.AcceptAsync(Cancelled);
        Task<GimletConnection> acceptAtLarge = large.Node.AcceptAsync(Cancelled);
        for (int round = 0; round < 4; round++)
        {
            // Neither hears of the other before both calls are on their way.
            small.Ground.Hold();
            large.Ground.Hold();
            Task calls = Task.WhenAll(small.Ground.SendsAsync<ConnectMessage>(), large.Ground.SendsAsync<ConnectMessage>());
            Task<GimletConnection> a = small.Node.ConnectAsync(large.Node.Id, ByRelay, Cancelled);
            Task<GimletConnection> b = large.Node.ConnectAsync(small.Node.Id, ByRelay, Cancelled);
            await calls;
            Task heard = (smallHears ? small : large).Ground.HearsAsync<IncomingMessage>();
            if (smallHears)
            {
                small.Ground.Release();
            }

            if (largeHears)
            {
                large.Ground.Release();
            }

            await heard;
            small.Ground.Release();
            large.Ground.Release();
            GimletConnection ofSmall = await a.Within();
            GimletConnection ofLarge = await b.Within();
            Assert.Equal((false, true), (ofSmall.IsIncoming, ofLarge.IsIncoming));
            _ = await ofSmall.PingAsync(Cancelled).Within();
            _ = await ofLarge.PingAsync(Cancelled).Within();
            await ofSmall.CloseAsync().Within();
            _ = await ofLarge.Closed.Within();
            Assert.False(acceptAtSmall.IsCompleted || acceptAtLarge.IsCompleted, $"round {round}: an accept loop saw a connection");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dial_that_has_not_called_when_the_peers_connection_comes_is_that_one(bool smallIsSlow)
    {
        await using GimletServer server = await Servers.StartAsync();
        var (small, large) = await StartTwoOnGroundsAsync(server);
        await using GimletNode first = small.Node;
        await using GimletNode second = large.Node;
        var (slow, quick) = smallIsSlow ? (small, large) : (large, small);
        int called = 0;
        slow.Ground.Sent += frame => called += SignalCodec.TryRead(frame, out SignalMessage? message, out _) && message is ConnectMessage ? 1 : 0;
        var goesOn = new TaskCompletionSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Wait(CallId call)
        {
            begun.SetResult();
            Assert.True(goesOn.Task.Wait((int)Deadline.TotalMilliseconds, Cancelled));
        }

        Task<GimletConnection> waiting = Task.Run(() => slow.Node.ConnectAsync(quick.Node.Id, ByRelay with { Dialing = Wait }, Cancelled));
        await begun.Task.Within();
        GimletConnection dialled = await quick.Node.ConnectAsync(slow.Node.Id, ByRelay, Cancelled).Within();

        // Its answer shows that the slow side has the connection, and its hello.
        _ = await dialled.PingAsync(Cancelled).Within();
        goesOn.SetResult();
        GimletConnection given = await waiting.Within();
        Assert.Equal((false, true), (dialled.IsIncoming, given.IsIncoming));
        _ = await given.PingAsync(Cancelled).Within();
        Assert.False(dialled.Closed.IsCompleted);
        Assert.Equal(0, called);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_dials_when_the_peers_call_has_come_waits_for_its_connection_and_calls_not(bool smallIsFirst)
    {
        await using GimletServer server = await Servers.StartAsync();
        var (small, large) = await StartTwoOnGroundsAsync(server);
        await using GimletNode ofSmall = small.Node;
        await using GimletNode ofLarge = large.Node;
        var (first, second) = smallIsFirst ? (small, large) : (large, small);
        int called = 0;
        second.Ground.Sent += frame => called += SignalCodec.TryRead(frame, out SignalMessage? message, out _) && message is ConnectMessage ? 1 : 0;

        // What would complete the first one's handshake is held back.
        first.Ground.Hold();
        Task come = second.Ground.HearsAsync<IncomingMessage>();
        Task<GimletConnection> early = first.Node.ConnectAsync(second.Node.Id, ByRelay, Cancelled);
        await come;
        Task<GimletConnection> late = second.Node.ConnectAsync(first.Node.Id, ByRelay, Cancelled);
        Assert.False(early.IsCompleted || late.IsCompleted);
        first.Ground.Release();
        GimletConnection dialled = await early.Within();
        GimletConnection joined = await late.Within();
        Assert.Equal((false, true), (dialled.IsIncoming, joined.IsIncoming));
        _ = await dialled.PingAsync(Cancelled).Within();
        _ = await joined.PingAsync(Cancelled).Within();
        Assert.Equal(0, called);
    }

    [Fact]
    public async Task Who_dials_when_the_peers_connection_is_there_gets_a_second_one()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode first = await StartAsync(server);
        await using GimletNode second = await StartAsync(server);
        (GimletConnection ofFirst, GimletConnection atSecond) = await ConnectAsync(first, second, ByRelay);
        (GimletConnection ofSecond, GimletConnection atFirst) = await ConnectAsync(second, first, ByRelay);
        Assert.False(ofFirst.IsIncoming || ofSecond.IsIncoming);
        await ofFirst.CloseAsync().Within();
        _ = await atSecond.Closed.Within();
        _ = await ofSecond.PingAsync(Cancelled).Within();
        _ = await atFirst.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task Two_dials_of_one_node_for_one_protocol_are_two_connections()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        GimletConnection[] ofA = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => a.ConnectAsync(b.Id, Cancelled))).Within();
        Assert.Equal(5, ofA.Distinct().Count());
        for (int i = 0; i < 5; i++)
        {
            _ = await (await b.AcceptAsync(Cancelled).Within()).PingAsync(Cancelled).Within();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_waits_for_a_peer_that_gives_up_calls_after_all(bool smallGivesUp)
    {
        await using GimletServer server = await Servers.StartAsync();
        var (small, large) = await StartTwoOnGroundsAsync(server);
        await using GimletNode first = small.Node;
        await using GimletNode second = large.Node;
        var (fickle, patient) = smallGivesUp ? (small, large) : (large, small);
        using var cancel = new CancellationTokenSource();
        fickle.Ground.Hold();
        Task come = patient.Ground.HearsAsync<IncomingMessage>();
        Task<GimletConnection> given = fickle.Node.ConnectAsync(patient.Node.Id, ByRelay, cancel.Token);
        await come;
        Task<GimletConnection> waiting = patient.Node.ConnectAsync(fickle.Node.Id, ByRelay, Cancelled);
        Task called = patient.Ground.SendsAsync<ConnectMessage>();
        Assert.False(called.IsCompleted || waiting.IsCompleted);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.Within());
        fickle.Ground.Release();

        // Nobody would ever come: it is its own call that connects, and that the other side accepts.
        GimletConnection connection = await waiting.Within();
        await called;
        Assert.False(connection.IsIncoming);
        GimletConnection accepted = await fickle.Node.AcceptAsync(Cancelled).Within();
        _ = await connection.PingAsync(Cancelled).Within();
        _ = await accepted.PingAsync(Cancelled).Within();
        Assert.False(accepted.Closed.IsCompleted);
    }

    /// <summary>Two nodes whose servers' words a test can hold back, the one with the smaller id first.</summary>
    private static async Task<((GimletNode Node, TestGround Ground) Small, (GimletNode Node, TestGround Ground) Large)> StartTwoOnGroundsAsync(GimletServer server)
    {
        TestGround[] grounds = [new TestGround(), new TestGround()];
        GimletNode a = await StartAsync(server, o => o with { Ground = grounds[0] });
        GimletNode b = await StartAsync(server, o => o with { Ground = grounds[1] });
        return a.Id < b.Id ? ((a, grounds[0]), (b, grounds[1])) : ((b, grounds[1]), (a, grounds[0]));
    }
}
