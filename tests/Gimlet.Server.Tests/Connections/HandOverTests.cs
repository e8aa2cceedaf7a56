using Gimlet.Connections;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>
/// Which of a peer's connections the application gets: one whose hello has come. What cannot be promised is the same for the side that dials, without
/// one round trip more: its connection is handed out when its handshake is complete, and the peer may still refuse it (too many wait there, or the
/// application is gone); then it ends with that reason.
/// </summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class HandOverTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_that_its_own_side_has_given_up_is_never_handed_out()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode node = await StartAsync(server);
        await using ScriptedCaller caller = await ScriptedCaller.StartAsync(server, node.Id);
        Task<GimletConnection> accept = node.AcceptAsync(Cancelled);
        for (int i = 0; i < 3; i++)
        {
            // As the loser of a glare does: its handshake was complete, and then it heard of the other one.
            QuicConnection lost = await caller.ShakeHandsAsync();
            await lost.CloseAsync(CloseCodes.Superseded, cancellationToken: Cancelled).Within();
        }

        await AssertIsNextAsync(accept, await caller.ShakeHandsAsync());
    }

    [Fact]
    public async Task A_connection_that_nobody_stands_by_is_closed_and_never_handed_out()
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time });
        await using ScriptedCaller caller = await ScriptedCaller.StartAsync(server, node.Id);
        Task<GimletConnection> accept = node.AcceptAsync(Cancelled);
        QuicConnection silent = await caller.ShakeHandsAsync();

        // It lives and takes part, and says nothing of itself.
        QuicStream other = await silent.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await other.WriteAsync(new byte[1], Cancelled).Within();
        await clock.RunAsync(speed: 20);
        QuicException end = await silent.Closed.Within();
        await clock.RunAsync();
        Assert.Equal((QuicErrorKind.ConnectionAborted, (long?)CloseCodes.NobodyAccepts), (end.Kind, end.ApplicationErrorCode));
        Assert.False(accept.IsCompleted);
        await AssertIsNextAsync(accept, await caller.ShakeHandsAsync());
    }

    [Fact]
    public async Task A_dial_that_waits_for_the_peers_connection_is_not_given_one_that_the_peer_has_given_up()
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time });
        await using ScriptedCaller caller = await ScriptedCaller.StartAsync(server, node.Id);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource();
        void Wait(CallId call)
        {
            begun.SetResult();
            Assert.True(goesOn.Task.Wait((int)Deadline.TotalMilliseconds, Cancelled));
        }

        Task<GimletConnection> dial = Task.Run(() => node.ConnectAsync(caller.Id, new ConnectOptions { Policy = PathPolicy.RelayOnly, Dialing = Wait }, Cancelled));
        await begun.Task.Within();
        QuicConnection lost = await caller.ShakeHandsAsync();
        await lost.CloseAsync(CloseCodes.Superseded, cancellationToken: Cancelled).Within();
        QuicConnection meant = await caller.ShakeHandsAsync();
        await ScriptedCaller.GreetAsync(meant);
        goesOn.SetResult();
        GimletConnection given = await dial.Within();
        Assert.True(given.IsIncoming);
        await AssertIsAsync(given, meant);
    }

    private static async Task AssertIsNextAsync(Task<GimletConnection> accept, QuicConnection meant)
    {
        Assert.False(accept.IsCompleted);
        await ScriptedCaller.GreetAsync(meant);
        await AssertIsAsync(await accept.Within(), meant);
    }

    private static async Task AssertIsAsync(GimletConnection connection, QuicConnection meant)
    {
        QuicStream mark = await meant.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await mark.WriteAsync(new byte[1], Cancelled).Within();
        _ = await connection.AcceptStreamAsync(Cancelled).Within();
        Assert.False(connection.Closed.IsCompleted);
    }
}
