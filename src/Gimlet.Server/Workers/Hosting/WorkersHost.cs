using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Gimlet.Server.Access;
using Gimlet.Server.Hosting.Http;
using Gimlet.Server.Hosting.WebSockets;
using Gimlet.Server.Observability;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>The workers' rendezvous in an ASP.NET Core application: sweeps while it runs, and tells every worker before it stops.</summary>
internal sealed class WorkersHost : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>The precision of all timeouts where nothing shorter is configured; as the nodes' rendezvous has it.</summary>
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How long workers have to answer the close at shutdown; 3 s, as nodes have.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(3);

    private readonly GimletWorkersOptions _options;
    private readonly long _origin;
    private readonly ConcurrentDictionary<WebSocketOutput, byte> _outputs = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource? _drained;
    private Task _sweeping = Task.CompletedTask;
    private volatile bool _started;
    private volatile bool _stopping;
    private int _disposed;

    public WorkersHost(IServiceProvider services, GimletWorkersOptions options, TimeProvider time, ILoggerFactory loggers, IMeterFactory meters)
    {
        _options = options;
        Time = time;
        _origin = time.GetTimestamp();
        Logger = loggers.CreateLogger("Gimlet.Server.Workers");

        // Gimlet's own part of the server, where there is one: the names that a proof may hold, and the proxies that are believed.
        GimletOptions? server = services.GetService<GimletOptions>();
        Proxies = new ProxyTrust(server?.TrustedProxies ?? []);
        var machine = new MachineAddresses(time);
        Core = new WorkerRendezvous(new WorkerRendezvousOptions
        {
            Names = server is null ? null : new ServedNames(server.Names, machine.Contains),
            Nonces = RandomNumberGenerator.Fill,
            Pairing = options.Pairing,
            Limits = options.Limits,
            Logger = Logger,
        });
        Token = options.Token is null ? null : new BearerToken(options.Token);
        Operators = new OperatorAccess(options.OperatorToken);
#pragma warning disable CA2000 // the factory owns its meters
        Metrics = new WorkerMetrics(meters.Create(ServerMetrics.MeterName), () => Core.Counts);
#pragma warning restore CA2000
    }

    public TimeProvider Time { get; }

    /// <summary>The rendezvous' clock.</summary>
    public TimeSpan Now => Time.GetElapsedTime(_origin);

    public WorkerRendezvous Core { get; }

    public WorkerMetrics Metrics { get; }

    public ProxyTrust Proxies { get; }

    /// <summary>What workers must bring; null for nothing.</summary>
    public BearerToken? Token { get; }

    public OperatorAccess Operators { get; }

    public ILogger Logger { get; }

    public int MessageBytes => _options.Limits.MessageBytes;

    /// <summary>True until the shutdown begins.</summary>
    public bool IsReady => _started && !_stopping;

    public void Track(WebSocketOutput output) => _outputs[output] = 0;

    public void Untrack(WebSocketOutput output)
    {
        if (_outputs.TryRemove(output, out _) && _outputs.IsEmpty)
        {
            _ = _drained?.TrySetResult();
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        WorkerLog.Started(Logger, _options.Token is null ? "open to every worker that reaches this server" : "only for workers that present its token");
        _sweeping = SweepAsync(_stop.Token);
        _started = true;
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_stopping)
        {
            return;
        }

        WorkerLog.Stopping(Logger, Core.ConnectionCount);
        _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _stopping = true;
        Core.CloseAll();
        if (!_outputs.IsEmpty)
        {
            _ = await Task.WhenAny(_drained.Task, Task.Delay(ShutdownTimeout, Time, cancellationToken)).ConfigureAwait(false);
        }

        foreach ((WebSocketOutput output, _) in _outputs)
        {
            output.Abort();
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _sweeping.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        WorkerLimits limits = _options.Limits;
        TimeSpan shortest = new[] { limits.PingAfter, limits.DropAfter, limits.ProofTimeout, limits.DepartedLifetime }.Min();
        using var timer = new PeriodicTimer(shortest / 4 < SweepPeriod ? shortest / 4 : SweepPeriod, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    Core.Tick(Now);
                    foreach ((WebSocketOutput output, _) in _outputs)
                    {
                        output.Sweep();
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // A defect of ours or of the application's pairing policy. Without the sweep no timeout would ever come again, so it goes on, and says so.
                    ServerLog.SweepFailed(Logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stop that was asked for.
        }
    }
}
