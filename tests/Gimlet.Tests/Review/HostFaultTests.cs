using System.Net;
using System.Net.Sockets;
using Gimlet.Hosting;
using Gimlet.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Gimlet.Tests.Review;

/// <summary>What a node's host does when a part of it fails, by a clock that throws once.</summary>
public sealed class HostFaultTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_datagram_that_meets_a_defect_does_not_end_the_loop_that_brings_the_next_one()
    {
        var clock = new BrokenClock();
        var log = new FaultLog();
        await using GimletNode node = await StartAsync(clock, log);
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        for (int i = 1; i <= 3; i++)
        {
            Task<Exception> fault = log.NextAsync();
            clock.BreakOnce();
            _ = await stranger.SendAsync("anything"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, node.LocalPorts.IPv4), Cancelled);
            Assert.Equal(BrokenClock.Message, (await fault.WaitAsync(TimeSpan.FromSeconds(20), Cancelled)).Message);
        }
    }

    [Fact]
    public async Task A_timer_that_meets_a_defect_ends_neither_the_process_nor_the_timer()
    {
        var clock = new BrokenClock();
        var log = new FaultLog();
        await using GimletNode node = await StartAsync(clock, log);
        Task<Exception> fault = log.NextAsync();
        clock.BreakOnce();

        // As the framework does it: an exception that came out of here would be nobody's, and end the process.
        clock.FireNodeTimer();
        Assert.Equal(BrokenClock.Message, (await fault.WaitAsync(TimeSpan.FromSeconds(20), Cancelled)).Message);
        Assert.Equal(TimeSpan.FromMilliseconds(100), clock.NodeTimerDue);
    }

    [Fact]
    public void A_handler_that_throws_on_what_came_early_hears_what_comes_later()
    {
        var news = new EarlyNews<int>();
        var heard = new List<int>();
        news.Raise(1);
        news.Raise(2);
        _ = Assert.Throws<InvalidOperationException>(() => news.Add(n =>
        {
            heard.Add(n);
            _ = n == 1 ? throw new InvalidOperationException("the application's own") : 0;
        }));
        news.Raise(3);
        Assert.Equal([1, 3], heard);
    }

    [Fact]
    public async Task An_application_that_does_not_listen_makes_no_queue_grow_and_its_node_answers_all_the_same()
    {
        await using GimletNode a = await StartAsync(TimeProvider.System, new FaultLog());
        await using GimletNode b = await StartAsync(TimeProvider.System, new FaultLog());
        Task<GimletConnection> dialA = a.ConnectAsync(new IPEndPoint(IPAddress.Loopback, b.LocalPorts.IPv4), b.Id, cancellationToken: Cancelled);
        await using GimletConnection ofB = await b.ConnectAsync(new IPEndPoint(IPAddress.Loopback, a.LocalPorts.IPv4), a.Id, cancellationToken: Cancelled);
        await using GimletConnection ofA = await dialA;
        using var listens = new ManualResetEventSlim();
        int told = 0;
        ofB.PingAnswered += ping =>
        {
            listens.Wait(Cancelled);
            told++;
        };
        const int Rounds = 60;
        const int AtOnce = 100;
        for (int round = 0; round < Rounds; round++)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            deadline.CancelAfter(TimeSpan.FromSeconds(20));
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => ofA.PingAsync(deadline.Token)));
        }

        // What waited is told when the application listens again; what did not fit is not.
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ofB.PingAnswered += answered =>
        {
            if (told == 4096)
            {
                _ = all.TrySetResult();
            }
        };
        listens.Set();
        await all.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        await ofA.CloseAsync();
        _ = await ofB.Closed.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        Assert.InRange(told, 4096, 4100);
    }

    private static Task<GimletNode> StartAsync(TimeProvider clock, ILoggerFactory log) =>
        GimletNode.StartAsync(new GimletNodeOptions { AllowLoopback = true, MetadataAddress = null, TimeProvider = clock, LoggerFactory = log }, Cancelled);

    private sealed class BrokenClock : TimeProvider
    {
        public const string Message = "the clock is broken";

        private readonly List<NodeTimer> _timers = [];
        private int _broken;

        public TimeSpan NodeTimerDue => _timers[0].Due;

        public void BreakOnce() => Volatile.Write(ref _broken, 1);

        /// <summary>The first timer that a node makes is its own.</summary>
        public void FireNodeTimer() => _timers[0].Fire();

        public override long GetTimestamp() =>
            Interlocked.Exchange(ref _broken, 0) == 0 ? base.GetTimestamp() : throw new InvalidOperationException(Message);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new NodeTimer(callback, state, dueTime);
            lock (_timers)
            {
                _timers.Add(timer);
            }

            return timer;
        }

        /// <summary>Fires when the test says so: nothing else looks at the clock.</summary>
        private sealed class NodeTimer(TimerCallback callback, object? state, TimeSpan due) : ITimer
        {
            public TimeSpan Due { get; private set; } = due;

            public void Fire() => callback(state);

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                Due = dueTime;
                return true;
            }

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    private sealed class FaultLog : ILoggerFactory, ILogger
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource<Exception> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Exception> NextAsync()
        {
            lock (_gate)
            {
                _next = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
                return _next.Task;
            }
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null)
            {
                lock (_gate)
                {
                    _ = _next.TrySetResult(exception);
                }
            }
        }

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
