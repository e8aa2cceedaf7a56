using Gimlet.Server.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Tests.Hosting;

/// <summary>Nodes that end in the middle of everything.</summary>
public sealed class ReviewDisposeTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_node_may_end_at_any_moment_and_everybody_who_waits_is_told(int seed)
    {
        var random = new Random(seed);
        await using GimletServer server = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        var log = new LogLines();
        var escaped = new List<Exception>();
        void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            // Other tests of this process have tasks of their own.
            if (e.Exception.ToString().Contains("Gimlet.", StringComparison.Ordinal))
            {
                lock (escaped)
                {
                    escaped.Add(e.Exception);
                }
            }
        }

        TaskScheduler.UnobservedTaskException += OnUnobserved;
        try
        {
            for (int i = 0; i < 25; i++)
            {
                await OneAsync(server, log, random.Next(40));
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            Assert.Empty(escaped);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= OnUnobserved;
        }

        Assert.DoesNotContain(log.All, l => l.Level >= LogLevel.Error);
    }

    private static async Task OneAsync(GimletServer server, LogLines log, int milliseconds)
    {
        var options = new GimletNodeOptions { Servers = [server.HttpUrls[0]], MetadataAddress = null, LoggerFactory = log };
        GimletNode caller = await GimletNode.StartAsync(options, Cancelled);
        GimletNode callee = await GimletNode.StartAsync(options, Cancelled);
        callee.PublicAddressChanged += static _ => { };
        using var cancel = new CancellationTokenSource();
        Task<string>[] uses =
        [
            .. Enumerable.Range(0, 4).Select(_ => UseAsync(caller, callee.Id, cancel.Token)),
            AcceptAsync(callee, cancel.Token),
        ];

        // The moment is the point of the test, whatever it turns out to be; nothing is concluded from how long anything took.
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(milliseconds + 1)))
        {
            _ = await timer.WaitForNextTickAsync(Cancelled);
        }

        Task[] ends = milliseconds % 3 == 0
            ? [cancel.CancelAsync(), caller.DisposeAsync().AsTask(), callee.DisposeAsync().AsTask()]
            : [callee.DisposeAsync().AsTask(), caller.DisposeAsync().AsTask(), caller.DisposeAsync().AsTask()];
        await Task.WhenAll(ends).WaitAsync(Deadline, Cancelled);
        Assert.All(await Task.WhenAll(uses).WaitAsync(Deadline, Cancelled), Assert.NotEmpty);
    }

    private static async Task<string> UseAsync(GimletNode node, PeerId peer, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await using GimletConnection connection = await node.ConnectAsync(peer, cancellationToken);
                _ = await connection.PingAsync(cancellationToken);
                await connection.CloseAsync();
            }
        }
        catch (Exception e) when (e is GimletException or ObjectDisposedException or OperationCanceledException)
        {
            return e.GetType().Name;
        }
    }

    private static async Task<string> AcceptAsync(GimletNode node, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                GimletConnection connection = await node.AcceptAsync(cancellationToken);
                _ = Task.Run(() => connection.CloseAsync(), CancellationToken.None);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
        {
            return e.GetType().Name;
        }
    }
}
