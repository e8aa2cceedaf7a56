using Gimlet.Server.Rendezvous;

namespace Gimlet.Server.Tests.Support;

/// <summary>Whole nodes on loopback at a real server, and what tests wait for. Every wait has a deadline.</summary>
internal static class Nodes
{
    /// <summary>Far more than anything here takes; a machine under load is slow, not wrong.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(40);

    /// <summary>A server whose limits do not end a test that makes a thousand calls from one address.</summary>
    public static GimletServerOptions Generous(GimletServerOptions options) => options with
    {
        Limits = new RendezvousLimits
        {
            MessageBurst = 1_000_000,
            MessagesPerSecond = 1_000_000,
            CallsPerMinute = 1_000_000,
            IncomingCallsPerMinute = 1_000_000,
        },
    };

    public static GimletNodeOptions Options(params Uri[] servers) => new() { Servers = servers, MetadataAddress = null, Protocols = ["test"] };

    public static Task<GimletNode> StartAsync(GimletServer server, Func<GimletNodeOptions, GimletNodeOptions>? with = null)
    {
        GimletNodeOptions options = Options(server.HttpUrls[0]);
        return GimletNode.StartAsync(with?.Invoke(options) ?? options, TestContext.Current.CancellationToken).Within();
    }

    /// <summary>Two nodes, the one with the smaller id first.</summary>
    public static async Task<(GimletNode Small, GimletNode Large)> StartTwoAsync(GimletServer server, Func<GimletNodeOptions, GimletNodeOptions>? with = null)
    {
        GimletNode a = await StartAsync(server, with);
        GimletNode b = await StartAsync(server, with);
        return a.Id < b.Id ? (a, b) : (b, a);
    }

    /// <summary>Dials, and takes the connection at the other side.</summary>
    public static async Task<(GimletConnection Dialled, GimletConnection Accepted)> ConnectAsync(GimletNode from, GimletNode to, ConnectOptions? options = null)
    {
        Task<GimletConnection> accept = options?.Protocol is { } protocol ? to.AcceptAsync(protocol, TestContext.Current.CancellationToken) : to.AcceptAsync(TestContext.Current.CancellationToken);
        GimletConnection dialled = await from.ConnectAsync(to.Id, options ?? new ConnectOptions(), TestContext.Current.CancellationToken).Within();
        return (dialled, await accept.Within());
    }

    /// <summary>Completes when the connection is on a kind of path.</summary>
    public static async Task OnPathAsync(this GimletConnection connection, PathKind kind)
    {
        var there = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(PathChange change)
        {
            if (change.Path?.Kind == kind)
            {
                _ = there.TrySetResult();
            }
        }

        connection.PathChanged += Look;
        if (connection.Path?.Kind == kind)
        {
            _ = there.TrySetResult();
        }

        await there.Task.Within();
        connection.PathChanged -= Look;
    }

    /// <summary>Looks until a condition holds that nothing tells of.</summary>
    public static async Task UntilAsync(Func<bool> holds, Func<string> otherwise)
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(waited.Elapsed < Deadline, otherwise());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static Task Within(this Task task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().Within();

    public static Task Within(this ValueTask task) => task.AsTask().Within();
}
