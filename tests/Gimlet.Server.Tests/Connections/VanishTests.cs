using Gimlet.Hosting;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>A peer that is gone without a goodbye, as a process that is killed or a machine that loses its power.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class VanishTests
{
    // The keep-alive finds nobody, and two probe timeouts follow it, the second twice as long as the first (docs/connections.md, "Silent"). Both
    // paths may have to show it, one after the other. On loopback a probe timeout is far below a second.
    private static readonly TimeSpan NoticedWhenQuiet = NodeQuicOptions.KeepAlive + TimeSpan.FromSeconds(2 * (1 + 2));

    // What is sent is missed at once.
    private static readonly TimeSpan NoticedWhenSending = TimeSpan.FromSeconds(2 * (1 + 2));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PathKind.Relay, false)]
    [InlineData(PathKind.Relay, true)]
    [InlineData(PathKind.Direct, false)]
    [InlineData(PathKind.Direct, true)]
    public async Task A_peer_that_vanishes_is_told_as_a_null_path_in_seconds_and_given_up_after_the_idle_timeout(PathKind kind, bool sends)
    {
        var time = new ManualTime();
        await using var clock = new RunningClock(time);
        var ground = new TestGround();
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode node = await StartAsync(server, o => o with { TimeProvider = time });
        GimletNode peer = await StartAsync(server, o => o with { TimeProvider = time, Ground = ground });
        await using IAsyncDisposable end = clock.RunsAtEnd();
        PathPolicy policy = kind == PathKind.Relay ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect;
        (GimletConnection connection, GimletConnection atPeer) = await ConnectAsync(node, peer, new ConnectOptions { Policy = policy });
        await connection.OnPathAsync(kind);
        await atPeer.OnPathAsync(kind);
        _ = await connection.PingAsync(Cancelled).Within();
        var gone = new TaskCompletionSource<PathChange>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.PathChanged += change =>
        {
            if (change.Path is null)
            {
                _ = gone.TrySetResult(change);
            }
        };
        await using QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        await ground.VanishAsync();
        await clock.StopAsync();
        if (sends)
        {
            await stream.WriteAsync(new byte[1000], Cancelled).Within();
        }

        // The clock goes no further than the bound: what is not told by then is never told. Where both sides are quiet, nothing can be known before
        // the keep-alive.
        await clock.RunAsync(speed: 10, until: sends ? NoticedWhenSending : NoticedWhenQuiet);
        PathChange told = await gone.Task.Within();
        Assert.Contains("nothing comes", told.Reason, StringComparison.Ordinal);
        Assert.False(connection.Closed.IsCompleted);

        // It is given up in the end, and until then a peer that was only cut off would go on.
        await clock.RunAsync(speed: 20, until: NodeQuicOptions.IdleTimeout * 2);
        _ = await connection.Closed.Within();
    }
}
