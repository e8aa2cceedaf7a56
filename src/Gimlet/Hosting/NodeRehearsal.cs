using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Gimlet.Hosting;

/// <summary>
/// Two nodes on the loopback address and a server in memory: what is compiled by a dial between them is everything between the application and the network. An
/// application may play its own part (<see cref="GimletNodeOptions.Rehearse"/>).
/// </summary>
internal static class NodeRehearsal
{
    private const string Protocol = "rehearsal";

    // A rehearsal that does not end must not hold a start up; nothing depends on its success.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    /// <summary>Plays what the library itself does with a connection.</summary>
    public static async Task PlayAsync() => _ = await PlayAsync(new GimletNodeOptions { Protocols = [Protocol] }, PlayAsync).ConfigureAwait(false);

    /// <summary>Plays what an application does with its first connection.</summary>
    /// <param name="options">How its node is to be; the play is <see cref="GimletNodeOptions.Rehearse"/>.</param>
    public static async Task PlayAsync(GimletNodeOptions options)
    {
        ILogger logger = options.LoggerFactory.CreateLogger("Gimlet.Node");
        try
        {
            if (await PlayAsync(options, options.Rehearse!).ConfigureAwait(false) is { } problem)
            {
                NodeLog.RehearsalEnded(logger, problem);
            }
        }
        catch (Exception e)
        {
            // Foreign code. Nothing depends on its success, and a program that would run must not be kept from it.
            NodeLog.RehearsalFailed(logger, e);
        }
    }

    private static async Task<string?> PlayAsync(GimletNodeOptions original, Func<GimletNode, GimletNode, CancellationToken, Task> play)
    {
        using var bound = new CancellationTokenSource(Bound);
        var options = new GimletNodeOptions
        {
            Servers = [new Uri("http://rehearsal.invalid")],
            Protocols = original.Protocols,
            PathPolicy = original.PathPolicy,
            AllowLoopback = true,
            MetadataAddress = null,
            Ground = new RehearsalGround(),
            ServerTimeout = Bound,
        };
        try
        {
            GimletNode callee = await GimletNode.StartAsync(options, bound.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable endOfCallee = callee.ConfigureAwait(false);
            GimletNode caller = await GimletNode.StartAsync(options, bound.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable endOfCaller = caller.ConfigureAwait(false);
            await play(caller, callee, bound.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (bound.IsCancellationRequested || e is GimletException)
        {
            // A machine too busy to play it in time pays when the first call comes.
            return bound.IsCancellationRequested ? $"it took longer than {Bound.TotalSeconds:0} s" : e.Message;
        }
    }

    private static async Task PlayAsync(GimletNode caller, GimletNode callee, CancellationToken bound)
    {
        foreach (PathPolicy policy in new[] { PathPolicy.RelayThenDirect, PathPolicy.RelayOnly })
        {
            await DialAsync(caller, callee, policy, bound).ConfigureAwait(false);
        }

        _ = caller.GetStatistics();
    }

    private static async Task DialAsync(GimletNode caller, GimletNode callee, PathPolicy policy, CancellationToken bound)
    {
        Task<GimletConnection> accepting = callee.AcceptAsync(bound);
        GimletConnection dialled = await caller.ConnectAsync(callee.Id, new ConnectOptions { Policy = policy, Dialing = static _ => { } }, bound).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable end = dialled.ConfigureAwait(false);
        GimletConnection accepted = await accepting.ConfigureAwait(false);
        var direct = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (GimletConnection connection in new[] { dialled, accepted })
        {
            connection.PathChanged += change => _ = change.Path?.Kind == PathKind.Direct && direct.TrySetResult();
            connection.PingAnswered += static _ => { };
            _ = connection.IsAuthenticated ? connection.ConnectTime : default;
            _ = connection.WhyRelayed.Explanation + connection.WhyRelayed.Cause.ToCauseString() + connection.Path?.Server;
        }

        _ = await dialled.PingAsync(bound).ConfigureAwait(false);
        _ = await accepted.PingAsync(bound).ConfigureAwait(false);
        if (policy.AllowsDirect && caller.LocalPorts.IPv4 != 0 && dialled.Path?.Kind != PathKind.Direct)
        {
            await direct.Task.WaitAsync(bound).ConfigureAwait(false);
        }
    }
}
