using Microsoft.Extensions.Logging;

namespace Gimlet.Tests.Hosting;

/// <summary>What an application plays while its node starts, so that its first connection finds its code compiled.</summary>
public sealed class RehearsalTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_play_gets_two_nodes_that_find_each_other_by_the_relay_and_directly()
    {
        var log = new Recorder();
        var kinds = new List<PathKind>();
        await StartAsync(log, async (dialler, listener, bound) =>
        {
            foreach (PathPolicy policy in new[] { PathPolicy.RelayOnly, PathPolicy.DirectOnly })
            {
                Task<GimletConnection> accepting = listener.AcceptAsync("one", bound);
                await using GimletConnection dialled = await dialler.ConnectAsync(listener.Id, new ConnectOptions { Policy = policy }, bound);
                await using GimletConnection accepted = await accepting;
                kinds.Add((await dialled.PingAsync(bound)).Path.Kind);
                Assert.Equal(dialler.Id, accepted.RemotePeer);
            }
        });
        Assert.Equal([PathKind.Relay, PathKind.Direct], kinds);
        Assert.Empty(log.Warnings);
    }

    [Fact]
    public async Task An_error_in_it_is_a_warning_and_the_node_starts_all_the_same()
    {
        var log = new Recorder();
        await StartAsync(log, static (_, _, _) => throw new InvalidOperationException("the application's own"));
        Assert.IsType<InvalidOperationException>(Assert.Single(log.Warnings));
    }

    [Fact]
    public async Task A_play_without_an_end_is_ended()
    {
        var log = new Recorder();
        CancellationToken given = default;
        await StartAsync(log, async (_, _, bound) =>
        {
            given = bound;
            await Task.Delay(Timeout.Infinite, bound);
        });
        Assert.True(given.IsCancellationRequested);
        Assert.Empty(log.Warnings);
    }

    private static async Task StartAsync(Recorder log, Func<GimletNode, GimletNode, CancellationToken, Task> play)
    {
        var options = new GimletNodeOptions { Protocols = ["one", "two"], MetadataAddress = null, LoggerFactory = log, Rehearse = play };
        await using GimletNode node = await GimletNode.StartAsync(options, Cancelled).WaitAsync(Deadline, Cancelled);
        Assert.Equal(0, node.GetStatistics().ConnectionsAccepted);
    }

    private sealed class Recorder : ILoggerFactory, ILogger
    {
        public List<Exception?> Warnings { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Warnings)
            {
                if (eventId.Name?.Contains("Rehears", StringComparison.Ordinal) == true)
                {
                    Warnings.Add(exception);
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
