using System.Diagnostics;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Two nodes that dial each other for one protocol in the same moment, or nearly.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class GlareTests
{
    private const int Rounds = 40;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

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
        int stray = 0;
        int late = 0;
        for (int round = 0; round < Rounds; round++)
        {
            // Both calls are on their way before either has come: the callbacks wait for each other, and each dial has a thread.
            var options = new ConnectOptions { Policy = policy, Dialing = _ => Assert.True(barrier.SignalAndWait(Deadline, Cancelled)) };
            Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, options, Cancelled));
            Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(small.Id, options, Cancelled));
            GimletConnection ofSmall = await a.Within();
            GimletConnection ofLarge = await b.Within();
            if (ofSmall.IsIncoming == ofLarge.IsIncoming)
            {
                // A thread was late: the one dial was a connection before the other one began, and that is no glare. Then each is given out at the other side.
                Assert.False(ofSmall.IsIncoming, $"round {round}: both say that the other dialled");
                GimletConnection atLargeSide = await acceptAtLarge.Within();
                GimletConnection atSmallSide = await acceptAtSmall.Within();
                acceptAtLarge = large.AcceptAsync(Cancelled);
                acceptAtSmall = small.AcceptAsync(Cancelled);
                await Task.WhenAll(ofSmall.CloseAsync(), ofLarge.CloseAsync()).Within();
                _ = await Task.WhenAll(atLargeSide.Closed, atSmallSide.Closed).Within();
                late++;
                continue;
            }

            _ = await ofSmall.PingAsync(Cancelled).Within();
            _ = await ofLarge.PingAsync(Cancelled).Within();

            // The larger side's call may arrive when the smaller one's dial has just become a connection: it is accepted there, and abandoned by the larger
            // side, which was still dialling. The loop then sees a connection that is over; one that lives it never sees.
            if (acceptAtSmall.IsCompletedSuccessfully)
            {
                Assert.NotSame(ofSmall, await acceptAtSmall);
                Assert.Contains("another connection takes its place", await (await acceptAtSmall).Closed.Within(), StringComparison.Ordinal);
                acceptAtSmall = small.AcceptAsync(Cancelled);
                stray++;
            }

            Assert.False(acceptAtLarge.IsCompleted, $"round {round}: the larger side's accept loop saw a connection");
            await (round % 2 == 0 ? ofSmall : ofLarge).CloseAsync().Within();
            _ = await ofSmall.Closed.Within();
            _ = await ofLarge.Closed.Within();
        }

        Assert.InRange(stray, 0, Rounds / 4);
        Assert.InRange(late, 0, Rounds / 2);

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
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_dials_a_moment_later_joins_or_makes_a_second_connection_and_nothing_hangs(bool largeFirst)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = largeFirst ? large : small;
        await using GimletNode second = largeFirst ? small : large;
        int joined = 0;
        for (int round = 0; round < Rounds; round++)
        {
            // From "nearly at once" to "when the first one is there": a spin of some microseconds more in each round.
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<GimletConnection> early = first.ConnectAsync(second.Id, new ConnectOptions { Policy = PathPolicy.RelayOnly, Dialing = _ => gone.SetResult() }, Cancelled);
            await gone.Task.Within();
            var clock = Stopwatch.StartNew();
            var spin = new SpinWait();
            while (clock.Elapsed < TimeSpan.FromMicroseconds(round * 150))
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }

            Task<GimletConnection> late = second.ConnectAsync(first.Id, new ConnectOptions { Policy = PathPolicy.RelayOnly }, Cancelled);
            GimletConnection ofFirst = await early.Within();
            GimletConnection ofSecond = await late.Within();
            _ = await ofFirst.PingAsync(Cancelled).Within();
            _ = await ofSecond.PingAsync(Cancelled).Within();
            if (ofFirst.IsIncoming != ofSecond.IsIncoming)
            {
                joined++;
                await ofFirst.CloseAsync().Within();
                _ = await ofSecond.Closed.Within();
                continue;
            }

            // Two connections: each was dialled at one side, and is given out at the other.
            Assert.False(ofFirst.IsIncoming);
            GimletConnection atSecond = await second.AcceptAsync(Cancelled).Within();
            GimletConnection atFirst = await first.AcceptAsync(Cancelled).Within();
            _ = await atSecond.PingAsync(Cancelled).Within();
            _ = await atFirst.PingAsync(Cancelled).Within();
            await ofFirst.CloseAsync().Within();
            _ = await atSecond.Closed.Within();
            await ofSecond.CloseAsync().Within();
            _ = await atFirst.Closed.Within();
        }

        Assert.True(joined > 0, "no round met a dial that was under way");
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

    [Fact]
    public async Task Who_waits_for_a_peer_that_gives_up_calls_after_all()
    {
        await using GimletServer server = await Servers.StartAsync();
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        using var cancel = new CancellationTokenSource();
        using var barrier = new Barrier(2);
        void Meet(CallId call) => Assert.True(barrier.SignalAndWait(Deadline, Cancelled));
        Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, new ConnectOptions { Dialing = Meet }, cancel.Token));
        Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(
            small.Id,
            new ConnectOptions
            {
                Dialing = id =>
                {
                    Meet(id);
                    cancel.Cancel();
                },
            },
            Cancelled));
        Exception? gaveUp = await Record.ExceptionAsync(() => a.Within());
        if (gaveUp is null)
        {
            await (await a).CloseAsync().Within();
        }

        // The larger one's dial succeeds by itself, or with what was the smaller one's and has been closed since.
        GimletConnection ofLarge = await b.Within();
        if (gaveUp is not null && !ofLarge.Closed.IsCompleted)
        {
            Exception? broken = await Record.ExceptionAsync(() => ofLarge.PingAsync(Cancelled).Within());
            Assert.True(broken is null or GimletException { Kind: GimletErrorKind.Transport }, broken?.ToString());
        }

        (GimletConnection after, _) = await ConnectAsync(large, small);
        _ = await after.PingAsync(Cancelled).Within();
    }
}
