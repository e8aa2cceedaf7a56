using Gimlet.Server.Tests.Support;
using Microsoft.Extensions.Logging;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>An application whose logging throws.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class FaultyLogTests
{
    private const int PathMoved = 133;
    private const int ConnectionEnded = 128;

    [Theory]
    [InlineData(ConnectionEnded)]
    [InlineData(PathMoved)]
    public async Task A_connection_ends_whatever_the_log_throws(int eventId)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, o => o with { LoggerFactory = new FaultyLog(eventId) });
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await ofB.OnPathAsync(PathKind.Direct);
        await ofA.CloseAsync().Within();
        Assert.Equal("closed by this side", await ofA.Closed.Within());
        Assert.Equal(0, a.GetStatistics().ConnectionsOpen);
        Assert.Equal(0, a.CountTables().Connections);
        await a.DisposeAsync().Within();
    }

    private sealed class FaultyLog(int eventId) : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (id.Id == eventId)
            {
                throw new AggregateException("the disk is full");
            }
        }

        public void Dispose()
        {
        }
    }
}
