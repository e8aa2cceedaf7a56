using System.Net;
using Gimlet.Stun.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Tests.Support;

/// <summary>Servers on loopback with free ports.</summary>
internal static class Servers
{
    public static GimletServerOptions Loopback { get; } = new()
    {
        Http = new IPEndPoint(IPAddress.Loopback, 0),
        Stun = null,
    };

    public static StunServerOptions LoopbackStun { get; } = new()
    {
        Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
        Alternate = [new IPEndPoint(IPAddress.Loopback, 0)],
    };

    public static Task<GimletServer> StartAsync(Func<GimletServerOptions, GimletServerOptions>? with = null) =>
        GimletServer.StartAsync(with?.Invoke(Loopback) ?? Loopback, TestContext.Current.CancellationToken);
}

/// <summary>Keeps log lines, and lets a test wait for one.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly Lock _gate = new();
    private readonly List<(int Id, LogLevel Level, string Text)> _lines = [];
    private readonly List<(int Id, TaskCompletionSource<string> Found)> _waiters = [];

    public IReadOnlyList<(int Id, LogLevel Level, string Text)> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    public async Task<string> WaitForAsync(int eventId)
    {
        Task<string> found;
        lock (_gate)
        {
            if (_lines.Find(l => l.Id == eventId) is { Text: { } text })
            {
                return text;
            }

            var waiter = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((eventId, waiter));
            found = waiter.Task;
        }

        return await found.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string text = formatter(state, exception);
        lock (_gate)
        {
            _lines.Add((eventId.Id, logLevel, text));
            foreach ((int id, TaskCompletionSource<string> found) in _waiters)
            {
                if (id == eventId.Id)
                {
                    _ = found.TrySetResult(text);
                }
            }
        }
    }

    public void Dispose()
    {
    }
}
