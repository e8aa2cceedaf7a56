using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Worker.Rendezvous;
using Gimlet.Worker.Session;
using Microsoft.Extensions.Logging;

namespace Gimlet.Worker;

/// <summary>
/// A running worker: registered with its rendezvous, on one UDP port, connected to one peer at a time. Whatever happens to the rendezvous or to STUN, it goes on;
/// it ends when it is disposed, or when another process takes its name. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// await using GimletWorker worker = await GimletWorker.StartAsync(new() { Rendezvous = new("https://gimlet.example.org") });
/// await using WorkerPeer peer = await worker.AcceptAsync();
/// PingResult pong = await peer.Connection.PingAsync();
/// </code>
/// </example>
public sealed partial class GimletWorker : IAsyncDisposable
{
    /// <summary>The application protocol of connections between workers.</summary>
    public const string Protocol = "gimlet.worker.1";

    private readonly GimletWorkerOptions _options;
    private readonly NodeIdentity _identity;
    private readonly ILogger _logger;
    private readonly WorkerSession _session;
    private readonly RendezvousLink _link;
    private readonly EarlyNews<WorkerNews> _news = new();
    private readonly Channel<WorkerPeer> _peers = Channel.CreateUnbounded<WorkerPeer>();

    // Whatever happens to the session, in order. Frames wait for each other at the link, connections are a handful, so it stays short.
    private readonly Channel<Action<TimeSpan>> _inbox = Channel.CreateUnbounded<Action<TimeSpan>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly long _origin;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private GimletNode? _node;
    private Task _accepting = Task.CompletedTask;
    private int _disposed;

    private GimletWorker(GimletWorkerOptions options)
    {
        _options = options;
        _identity = options.Identity ?? NodeIdentity.Create();
        _logger = options.LoggerFactory.CreateLogger("Gimlet.Worker");
        _origin = options.TimeProvider.GetTimestamp();
        _session = new WorkerSession(new WorkerSessionOptions
        {
            WorkerId = options.WorkerId,
            Rendezvous = options.Rendezvous,
            Authority = RendezvousAddress.Authority(options.Rendezvous),
            Identity = _identity,
            Proves = options.ProveIdentity,
            Allowed = options.AllowedPeers,
            RequiresProof = options.RequireAuthentication,
            PeerTimeout = options.PeerTimeout,
        });
        _timer = options.TimeProvider.CreateTimer(
            static state => ((GimletWorker)state!).Post(static (worker, now) => worker._session.HandleTimeout(now)), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _running = Task.Run(RunAsync);
        _link = new RendezvousLink(options, new LinkEvents(this));
        _link.Start();
    }

    /// <summary>What happens. Raised one at a time, in order; must not block. What happened before the first handler was added is told to it first.</summary>
    public event Action<WorkerNews>? News
    {
        add => _news.Add(value);
        remove => _news.Remove(value);
    }

    /// <summary>The name under which it registers.</summary>
    public string WorkerId => _options.WorkerId;

    /// <summary>The id of its key.</summary>
    public PeerId PeerId => _identity.Id;

    /// <summary>The local UDP ports; 0 for a family without a socket.</summary>
    public (int IPv4, int IPv6) LocalPorts => _node!.LocalPorts;

    /// <summary>The public address of its port, as far as it is known.</summary>
    public PublicAddress PublicAddress => _node!.PublicAddress;

    /// <summary>Completes when the worker was disposed; fails when another process has taken its name.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts a worker. It waits for nothing but its own socket: rendezvous and STUN may come later.</summary>
    /// <param name="options">How it is to be.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="GimletException">An option is wrong, or the port is in use.</exception>
    public static async Task<GimletWorker> StartAsync(GimletWorkerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        // The WebSocket opens while the node starts: an offer that is quicker than the socket waits for it.
        var worker = new GimletWorker(options);
        try
        {
            await worker.StartNodeAsync(cancellationToken).ConfigureAwait(false);
            return worker;
        }
        catch
        {
            await worker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits for the next peer. There is one at a time: the next one comes after the connection of the last has ended.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.RendezvousRejected"/>: another process has taken this worker's name.</exception>
    /// <exception cref="ObjectDisposedException">The worker was disposed.</exception>
    public async Task<WorkerPeer> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _peers.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            await Ended.ConfigureAwait(false);
            throw new ObjectDisposedException("The worker was disposed.", e);
        }
    }

    /// <summary>
    /// Leaves the rendezvous for good and keeps the connections: nobody is offered this worker any more. Returns when the goodbye is on its way. Safe to call twice.
    /// </summary>
    public Task LeaveAsync() => _link.LeaveAsync();

    /// <summary>Leaves the rendezvous, ends the connections, and lets go of the socket. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _ = _peers.Writer.TryComplete();
        await _timer.DisposeAsync().ConfigureAwait(false);

        // The rendezvous hears it first, or it would offer this worker once more when its peer says that the connection is over; its answer is not waited for.
        await _link.LeaveAsync().ConfigureAwait(false);
        Task leaving = _link.DisposeAsync().AsTask();
        if (_node is { } node)
        {
            await node.DisposeAsync().ConfigureAwait(false);
        }

        await leaving.ConfigureAwait(false);
        _ = _inbox.Writer.TryComplete();
        await _running.ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_work.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_options.Identity is null)
        {
            _identity.Dispose();
        }

        _stop.Dispose();
        _ = _ended.TrySetResult();
    }

    private TimeSpan Now => _options.TimeProvider.GetElapsedTime(_origin);

    private async Task StartNodeAsync(CancellationToken cancellationToken)
    {
        GimletNode node = await GimletNode.StartAsync(_options.NodeOptions() with { Identity = _identity }, cancellationToken).ConfigureAwait(false);
        _node = node;
        _accepting = AcceptConnectionsAsync(node);
        _address = new AddressWatch(_options, node, news => Post((worker, _) => worker.Report(news)), address => Post((worker, _) => worker.SetEndpoint(address)));
        Post(static (worker, now) => worker._session.HandleNodeReady(now));
        Track(_address.RunAsync(_stop.Token));
    }

    private void SetEndpoint(PublicAddress address)
    {
        Report(new WorkerEndpoint(address));
        _session.SetEndpoint(address.Address);
    }

    private void Post(Action<GimletWorker, TimeSpan> input) => _ = _inbox.Writer.TryWrite(now => input(this, now));

    // The one task that touches the session.
    private async Task RunAsync()
    {
        await foreach (Action<TimeSpan> input in _inbox.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                input(Now);
                while (_session.Poll(out WorkerAction? action))
                {
                    Do(action!);
                }

                SetTimer();
            }
            catch (ObjectDisposedException) when (Volatile.Read(ref _disposed) != 0)
            {
                // What came on the way out finds the node gone.
            }
            catch (Exception e)
            {
                // A worker that stands still looks like one that waits: it goes on, and the log has the whole story.
                WorkerLog.Bug(_logger, e);
            }
        }
    }

    private void EndTakenOver()
    {
        _session.HandleLinkClosed();
        var end = new GimletException(
            GimletErrorKind.RendezvousRejected,
            $"Another process has registered as worker '{WorkerId}'.",
            "Give each worker a name of its own (WORKER_ID), or leave it out for a random one.");
        _ = _ended.TrySetException(end);

        // Looked at, so that nobody who does not wait for it hears of it from the finalizer.
        _ = _ended.Task.Exception;
        _ = _peers.Writer.TryComplete();

        // Who is busy with a peer waits for no other one.
        Report(new WorkerTrouble(end));
    }

    private void SetTimer()
    {
        TimeSpan next = _session.NextTimeout;
        TimeSpan due = next == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : next - Now;

        // A timer that is disposed already takes no change and says so by its answer.
        _ = _timer.Change(due < TimeSpan.Zero && due != Timeout.InfiniteTimeSpan ? TimeSpan.Zero : due, Timeout.InfiniteTimeSpan);
    }

    // By the one task: the application hears one thing at a time, in order.
    private void Report(WorkerNews news)
    {
        switch (news)
        {
            case WorkerRegistered registered:
                WorkerLog.Registered(_logger, registered.WorkerId, registered.Rendezvous, registered.PeerId?.ToString() ?? "none");
                break;
            case RendezvousLost lost:
                WorkerLog.RendezvousLost(_logger, lost.Reason, lost.RetryIn.TotalMilliseconds);
                break;
            case WorkerOffered offered:
                WorkerLog.Offered(_logger, offered.PeerWorkerId, offered.PeerId?.ToString() ?? "none");
                break;
            case WorkerTrouble trouble:
                WorkerLog.Trouble(_logger, trouble.Problem.Message);
                break;
            case WorkerStunFailed failed:
                WorkerLog.StunFailed(_logger, failed.Server, failed.Outcome.ToString(), failed.Detail);
                break;
            default:
                break;
        }

        try
        {
            _news.Raise(news);
        }
        catch (Exception e)
        {
            WorkerLog.Bug(_logger, e);
        }
    }

    private sealed class LinkEvents(GimletWorker worker) : IRendezvousEvents
    {
        public void LinkOpened()
        {
            worker.Post(static (w, now) => w._session.HandleLinkOpened(now));
            worker.Track(worker.AskOwnAddressAsync());
        }

        public Task LinkReceivedAsync(byte[] frame)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            worker.Post((w, now) =>
            {
                try
                {
                    w._session.HandleMessage(frame, now);
                }
                finally
                {
                    _ = done.TrySetResult();
                }
            });
            return done.Task;
        }

        public void LinkClosed(string reason, TimeSpan retryIn) => worker.Post((w, _) =>
        {
            w._session.HandleLinkClosed();
            w.Report(new RendezvousLost(reason, retryIn));
        });

        public void LinkTakenOver() => worker.Post(static (w, _) => w.EndTakenOver());
    }
}
