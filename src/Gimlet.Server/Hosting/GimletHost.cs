using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Gimlet.Server.Access;
using Gimlet.Server.Hosting.Files;
using Gimlet.Server.Hosting.Http;
using Gimlet.Server.Hosting.WebSockets;
using Gimlet.Server.Observability;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Server;
using Gimlet.Stun.Server.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Hosting;

/// <summary>
/// The rendezvous in an ASP.NET Core application: starts STUN and the core before the application accepts connections, sweeps while it
/// runs, and tells every node why before it stops.
/// </summary>
internal sealed class GimletHost : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>The precision of all timeouts where nothing shorter is configured; a sweep over 20,000 sessions takes a millisecond.</summary>
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How often changed files are looked for; 5 s, well below what a person waits after copying a certificate.</summary>
    private static readonly TimeSpan FileCheckPeriod = TimeSpan.FromSeconds(5);

    /// <summary>How long nodes have to answer the close at shutdown; 3 s, under the 5 s and more that service managers grant.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(3);

    private readonly GimletOptions _options;
    private readonly ILogger _logger;
    private readonly ServerMetrics _metrics;
    private readonly long _origin;
    private readonly ConcurrentDictionary<WebSocketOutput, byte> _outputs = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Func<CancellationToken, Task>> _fileChecks = [];
    private readonly SemaphoreSlim _checking = new(1);
    private volatile TaskCompletionSource? _drained;
    private RendezvousCore? _core;
    private StunServer? _stun;
    private IAccessPolicy _access = EveryoneAccess.Instance;
    private Task _sweeping = Task.CompletedTask;
    private volatile bool _stopping;
    private int _disposed;

    public GimletHost(GimletOptions options, TimeProvider time, ILoggerFactory loggers, IMeterFactory meters)
    {
        _options = options;
        Time = time;
        _origin = time.GetTimestamp();
        _logger = loggers.CreateLogger("Gimlet.Server");
#pragma warning disable CA2000 // the factory owns its meters
        _metrics = new ServerMetrics(meters.Create(ServerMetrics.MeterName));
#pragma warning restore CA2000
        Proxies = new ProxyTrust(options.TrustedProxies);
    }

    public TimeProvider Time { get; }

    /// <summary>The core's clock.</summary>
    public TimeSpan Now => Time.GetElapsedTime(_origin);

    public ProxyTrust Proxies { get; }

    public int MessageBytes => _options.Limits.MessageBytes;

    /// <summary>Bytes of the largest binary frame that is read.</summary>
    public int BinaryBytes => _options.Relay ? RelayFrame.MaxLength : MessageBytes;

    public ILogger Logger => _logger;

    /// <summary>The core; there is one once the host has started.</summary>
    public RendezvousCore Core => _core ?? throw new InvalidOperationException("The server has not started yet.");

    /// <summary>True from the moment that STUN answers until the shutdown begins.</summary>
    public bool IsReady => _core is not null && !_stopping;

    /// <summary>Believes what this host's STUN proves; null without STUN.</summary>
    public IObservationVerifier? Observations { get; private set; }

    public string AccessDescription => _access.Description;

    public IReadOnlyList<TransportAddress> StunEndPoints => _stun is null ? [] : [.. _stun.EndPoints, .. _stun.AlternateEndPoints];

    /// <summary>Adds files to look after; before the start.</summary>
    public void WatchFiles(Func<CancellationToken, Task> check) => _fileChecks.Add(check);

    public void Track(WebSocketOutput output) => _outputs[output] = 0;

    public void Untrack(WebSocketOutput output)
    {
        if (_outputs.TryRemove(output, out _) && _outputs.IsEmpty)
        {
            _ = _drained?.TrySetResult();
        }
    }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _access = await OpenAccessAsync(cancellationToken).ConfigureAwait(false);
        byte[] proofKey = RandomNumberGenerator.GetBytes(ObservationProof.KeyLength);
        IReadOnlyList<string> announced = _options.AnnouncedStun ?? [];
        if (_options.Stun is { } stun)
        {
            _stun = StartStun(stun with { ProofKey = proofKey, Time = Time });
            Observations = new ProofVerifier(proofKey, Time);
            announced = _options.AnnouncedStun ?? StunAnnouncement.Of(_stun, stun);
        }

        var machine = new MachineAddresses(Time);
        _core = new RendezvousCore(new RendezvousOptions
        {
            Names = new ServedNames(_options.Names, machine.Contains),
            Nonces = RandomNumberGenerator.Fill,
            Access = _access,
            Stun = announced,
            Observations = Observations,
            Relays = _options.Relay,
            Limits = _options.Limits,
            Timers = _options.Timers,
            AllowLoopback = _options.AllowLoopback,
            Logger = _logger,
            Metrics = _metrics,
        });
        ServerLog.Started(_logger, _access.Description, StunEndPoints.Count == 0 ? "off" : string.Join(", ", StunEndPoints));
        _sweeping = SweepAsync(_stop.Token);
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_core is null || _stopping)
        {
            return;
        }

        ServerLog.Stopping(_logger, _core.SessionCount);
        _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _stopping = true;
        _core.CloseAll(ErrorCode.ShuttingDown, Now);
        if (!_outputs.IsEmpty)
        {
            _ = await Task.WhenAny(_drained.Task, Task.Delay(ShutdownTimeout, Time, cancellationToken)).ConfigureAwait(false);
        }

        foreach ((WebSocketOutput output, _) in _outputs)
        {
            output.Abort();
        }
    }

    /// <summary>Looks for changed files now.</summary>
    public async Task CheckFilesAsync(CancellationToken cancellationToken)
    {
        await _checking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (Func<CancellationToken, Task> check in _fileChecks)
            {
                await check(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _ = _checking.Release();
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
        if (_stun is not null)
        {
            await _stun.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
        _checking.Dispose();
    }

    private async Task<IAccessPolicy> OpenAccessAsync(CancellationToken cancellationToken)
    {
        switch (_options.Access)
        {
            case AccessRule.EveryoneRule:
                return EveryoneAccess.Instance;
            case AccessRule.TokenRule token:
                return new TokenAccess(token.Value);
            case AccessRule.ListRule list:
                return new ListAccess("of its configuration", list.Peers);
            case AccessRule.FileRule rule:
                AccessFile file = await AccessFile.OpenAsync(rule.Path, _logger, cancellationToken).ConfigureAwait(false);
                WatchFiles(async token =>
                {
                    if (await file.CheckAsync(token).ConfigureAwait(false))
                    {
                        Core.Reauthorise(Now);
                    }
                });
                return file.Policy;
            default:
                throw new UnreachableException($"No policy for {_options.Access.GetType()}.");
        }
    }

    private static StunServer StartStun(StunServerOptions options)
    {
        try
        {
            return StunServer.Start(options);
        }
        catch (DatagramBindException e)
        {
            throw new ServerStartException($"STUN cannot start: {e.Message}", "Stop what uses the port, or choose another one for STUN.", e);
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        RendezvousTimers timers = _options.Timers;
        TimeSpan shortest = new[] { timers.PingAfter, timers.DropAfter, timers.RegistrationTimeout, timers.AcceptTimeout, timers.CallLifetime }.Min();
        TimeSpan period = shortest / 4 < SweepPeriod ? shortest / 4 : SweepPeriod;
        using var timer = new PeriodicTimer(period, Time);
        TimeSpan filesChecked = Now;
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

                    if (Now - filesChecked >= FileCheckPeriod)
                    {
                        filesChecked = Now;
                        await CheckFilesAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // A defect of ours. Without the sweep no timeout would ever come again, so it goes on, and says so.
                    ServerLog.SweepFailed(_logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stop that was asked for.
        }
    }
}
