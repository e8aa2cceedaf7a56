using Gimlet.Hosting;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>
/// Sleep and wake. A process that was stopped finds that its clock has moved and its timers are late; a machine that was suspended finds that the
/// time of day has moved, and its clock has not.
/// </summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class SleepTests
{
    // Less than the idle timeout: the connection itself lives on. More than what is taken for a sleep.
    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(20);

    // By then some timer has come since.
    private static readonly TimeSpan Noticed = NodeHost.MaxTimer + TimeSpan.FromMilliseconds(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PathKind.Relay, false)]
    [InlineData(PathKind.Relay, true)]
    [InlineData(PathKind.Direct, false)]
    [InlineData(PathKind.Direct, true)]
    public async Task A_node_that_wakes_up_opens_its_WebSocket_anew_and_loses_no_connection(PathKind kind, bool isSuspended)
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        var ground = new TestGround();
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time, Ground = ground });
        await using GimletNode peer = await StartAsync(server);
        PathPolicy policy = kind == PathKind.Relay ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect;
        await using IAsyncDisposable end = clock.RunsAtEnd();
        (GimletConnection connection, GimletConnection atPeer) = await ConnectAsync(node, peer, new ConnectOptions { Policy = policy });
        await connection.OnPathAsync(kind);
        await atPeer.OnPathAsync(kind);
        _ = await connection.PingAsync(Cancelled).Within();
        await clock.StopAsync();
        Assert.Equal(0, ground.Restarts);
        Task registers = ground.SendsAsync<RegisterMessage>();
        if (isSuspended)
        {
            time.Suspend(Nap);
            time.Advance(Noticed);
        }
        else
        {
            time.StopProcess(Nap);
        }

        await clock.RunAsync();
        await registers;
        Assert.Equal(1, ground.Restarts);
        _ = await connection.PingAsync(Cancelled).Within();
        _ = await atPeer.PingAsync(Cancelled).Within();
        await connection.OnPathAsync(kind);
        Assert.False(connection.Closed.IsCompleted || atPeer.Closed.IsCompleted);

        // Once for each sleep.
        await clock.StopAsync();
        time.Advance(Noticed * 2);
        await clock.RunAsync();
        _ = await connection.PingAsync(Cancelled).Within();
        Assert.Equal(1, ground.Restarts);
    }

    [Fact]
    public async Task A_process_that_goes_on_and_hears_something_before_its_timer_has_slept_all_the_same()
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        var ground = new TestGround();
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time, Ground = ground });
        await using IAsyncDisposable end = clock.RunsAtEnd();
        await clock.StopAsync();
        Task registers = ground.SendsAsync<RegisterMessage>();

        // All threads go on at once: a datagram, a frame or the application may be in front of the timer, which is armed anew by each.
        time.StopProcess(Nap, first: () => _ = node.IssueTicket(new TicketOptions()));
        await clock.RunAsync();
        await registers;
        Assert.Equal(1, ground.Restarts);
    }

    [Fact]
    public async Task Late_timers_of_a_busy_machine_and_a_clock_that_is_set_a_little_or_back_are_no_sleep()
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        var ground = new TestGround();
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time, Ground = ground });
        await using IAsyncDisposable end = clock.RunsAtEnd();
        await clock.StopAsync();
        time.Advance(Noticed);
        time.StopProcess(NodeHost.SleepThreshold - TimeSpan.FromMilliseconds(1));
        time.Advance(Noticed);
        time.Suspend(NodeHost.SleepThreshold - TimeSpan.FromMilliseconds(1));
        time.Advance(Noticed);
        time.Suspend(-Nap);
        time.Advance(Noticed);
        await clock.RunAsync();

        // Whatever was begun by those has been done when what comes behind it has been.
        time.Suspend(Nap);
        Task registers = ground.SendsAsync<RegisterMessage>();
        time.Advance(Noticed);
        await registers;
        Assert.Equal(1, ground.Restarts);
    }
}
