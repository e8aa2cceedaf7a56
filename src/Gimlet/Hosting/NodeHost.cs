using System.Net;
using System.Net.NetworkInformation;
using System.Threading.Channels;
using Gimlet.Calls;
using Gimlet.Fallbacks;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Microsoft.Extensions.Logging;

namespace Gimlet.Hosting;

/// <summary>
/// Gives a <see cref="NodeCore"/> its sockets, WebSockets, timer and lock. The lock is held around the core only: datagrams are sent from within it
/// (sends do not block), news leave through <see cref="Events"/> in the order in which they came about.
/// </summary>
internal sealed class NodeHost : ISignallingLinkEvents, IAsyncDisposable
{
    // Never reached by design: after a defect the timer comes again, and ten times a second fills no log.
    private static readonly TimeSpan TimerAfterFault = TimeSpan.FromMilliseconds(100);

    // A peer may send pings as fast as its line allows. The application hears of so many at once; the rest is answered all the same.
    private const int MaxWaitingPings = 4096;

    // Timers of the core that lie further away are asked for again at the latest after this.
    private static readonly TimeSpan MaxTimer = TimeSpan.FromMinutes(1);

    private readonly GimletNodeOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly NodeCore _core;
    private readonly NodeSockets _sockets;
    private readonly List<SignallingLink> _links = [];
    private readonly List<Task> _tasks = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly StunNameResolver _resolver = new();
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private int _waitingPings;
    private bool _disposed;

    public NodeHost(GimletNodeOptions options, NodeIdentity identity)
    {
        _options = options;
        _time = options.TimeProvider;
        _origin = _time.GetTimestamp();
        _logger = options.LoggerFactory.CreateLogger("Gimlet.Node");
        _core = new NodeCore(new NodeCoreOptions
        {
            Identity = identity,
            Traversal = options.Traversal,
            Random = System.Security.Cryptography.RandomNumberGenerator.Fill,
            Servers = options.Servers.Count,
            Token = options.ServerToken,
            Policy = options.Policy,
            OnAccept = options.IntroduceOnAccept,
            NoHolepunch = options.NoHolepunch,
            AllowLoopback = options.LoopbackAllowed,
            Agent = $"gimlet/{typeof(NodeHost).Assembly.GetName().Version?.ToString(3)}",
        });
        try
        {
            _sockets = NodeSockets.Bind(options.Port, options.PortIsPreference);
        }
        catch
        {
            _core.Dispose();
            throw;
        }

        _timer = _time.CreateTimer(static host => ((NodeHost)host!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        NodeLog.Bound(_logger, identity.Id, _sockets.Ports.IPv4, _sockets.Ports.IPv6);
    }

    /// <summary>News of the core, in order; completed when the host is disposed.</summary>
    public ChannelReader<NodeEvent> Events => _events.Reader;

    public (int IPv4, int IPv6) Ports => _sockets.Ports;

    /// <summary>The application has heard of a peer's ping.</summary>
    public void PingTold() => _ = Interlocked.Decrement(ref _waitingPings);

    /// <summary>Starts to receive, to gather and to register.</summary>
    public void Start()
    {
        foreach (DatagramSocket socket in new[] { _sockets.IPv4, _sockets.IPv6 }.OfType<DatagramSocket>())
        {
            _tasks.Add(Task.Run(() => ReceiveAsync(socket, NodeSocketKind.Main)));
        }

        List<IPAddress> hosts = HostAddresses.Find(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
        Run(static (core, now, s) => core.Start(s.Ports, s.Hosts, now), (Ports, Hosts: hosts));
        if (_options.PublicAddress is { } configured)
        {
            SetPublicAddress(new TransportAddress(configured));
        }

        NetworkChange.NetworkAddressChanged += OnNetworkAddressChanged;
        if (_options.StunServers.Count > 0)
        {
            ResolveStun(_options.StunServers.Select(StunServerAddress.Parse).ToList());
        }
        else if (_options.Servers.Count == 0)
        {
            // Nobody to ask: the fallbacks are looked for at once.
            Run(static (core, now, _) => core.AddStunTargets([], now), 0);
        }

        for (int i = 0; i < _options.Servers.Count; i++)
        {
            lock (_gate)
            {
                _links.Add(new SignallingLink(_options.Servers[i], i, this, _time));
            }
        }
    }

    /// <summary>Runs a command on the core and drains what came of it.</summary>
    public void Run<TState>(Action<NodeCore, TimeSpan, TState> action, TState state)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                action(_core, Now, state);
                Drain();
            }
        }
    }

    /// <summary>Asks the core something, and drains what came of it.</summary>
    public TResult Run<TState, TResult>(Func<NodeCore, TimeSpan, TState, TResult> function, TState state)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(GimletNode));
            TResult result = function(_core, Now, state);
            Drain();
            return result;
        }
    }

    public void SetPublicAddress(TransportAddress address) => Run(static (core, now, a) => core.SetPublicAddress(a, now), address);

    /// <summary>Resolves names and hands the addresses to the core; a name without an address is a result as well.</summary>
    public void ResolveStun(IReadOnlyList<StunServerAddress> servers)
    {
        // Literal addresses, the usual case behind "the host that was dialled", cost no turn of the scheduler.
        if (servers.All(s => s.TryGetAddress(out _)))
        {
            List<StunTarget> targets = [.. servers.Select(s => s.TryGetAddress(out TransportAddress a) ? new StunTarget(s, a) : StunTarget.Unresolved(s, "no address"))];
            Run(static (core, now, t) => core.AddStunTargets(t, now), targets.Select(Admit).ToList());
            return;
        }

        Track(() => ResolveStunAsync(servers));
    }

    /// <summary>Looks for the public address where STUN answered nothing: the cloud's metadata, then the local address.</summary>
    public void FindFallback() => Track(FindFallbackAsync);

    public void RestartLink(int session)
    {
        if (session < _links.Count)
        {
            _links[session].Restart();
        }
    }

    public void BindProbe()
    {
        lock (_gate)
        {
            if (_disposed || _sockets.Probe is not null)
            {
                return;
            }

            DatagramSocket probe = _sockets.BindProbe();
            _tasks.Add(Task.Run(() => ReceiveAsync(probe, NodeSocketKind.Probe)));
        }
    }

    void ISignallingLinkEvents.LinkOpened(int session, string authority) =>
        Run(static (core, now, s) => core.SignallingOpened(s.session, s.authority, now), (session, authority));

    void ISignallingLinkEvents.LinkReceived(int session, ReadOnlySpan<byte> frame)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            try
            {
                _core.HandleSignal(session, frame, Now);
                Drain();
            }
            catch (Exception e)
            {
                NoteFault(e);
            }
        }
    }

    void ISignallingLinkEvents.LinkClosed(int session, string reason, bool final, int failures)
    {
        Run(static (core, now, s) => core.SignallingClosed(s, now), session);
        _ = _events.Writer.TryWrite(new LinkDown(session, reason, final, failures));
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        NetworkChange.NetworkAddressChanged -= OnNetworkAddressChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_links.Select(l => l.DisposeAsync().AsTask())).ConfigureAwait(false);
        _sockets.Dispose();
        Task[] tasks;
        lock (_gate)
        {
            tasks = [.. _tasks];
        }

        await Task.WhenAll(tasks).ConfigureAwait(false);
        _core.Dispose();
        _ = _events.Writer.TryComplete();
        _stop.Dispose();
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    private void Track(Func<Task> start)
    {
        lock (_gate)
        {
            // News may still be told after the end; what they would start has nobody to wait for it.
            if (!_disposed)
            {
                _ = _tasks.RemoveAll(t => t.IsCompletedSuccessfully);
                _tasks.Add(Task.Run(start));
            }
        }
    }

    /// <summary>Everything that the core has produced leaves it. Called with the lock held.</summary>
    private void Drain()
    {
        while (_core.PollDatagram(out Datagram datagram))
        {
            DatagramSocket? socket = _sockets.For(datagram);
            DatagramSendResult result = socket?.Send(datagram.Bytes, datagram.Remote, datagram.From) ?? DatagramSendResult.Unreachable;
            TransportAddress remote = datagram.Remote;
            NodeSocketKind kind = datagram.Socket;
            _core.Return(datagram);
            if (result != DatagramSendResult.Sent)
            {
                NodeLog.NotSent(_logger, remote, result);
                if (result != DatagramSendResult.WouldBlock)
                {
                    _core.HandleSendFailure(Now, remote, Describe(result), kind);
                }
            }
        }

        while (_core.PollSignal(out int session, out SignalMessage? message))
        {
            if (session < _links.Count && !_links[session].TrySend(SignalCodec.Write(message!)))
            {
                // The link is gone or stalled; its end is reported by itself, and what matters is said again after the next registration.
                NodeLog.SignalIgnored(_logger, _options.Servers[session], "the connection is down, a message was not sent");
            }
        }

        while (_core.PollEvent(out NodeEvent? news))
        {
            if (news is not CallPinged || Volatile.Read(ref _waitingPings) < MaxWaitingPings)
            {
                _ = news is CallPinged ? Interlocked.Increment(ref _waitingPings) : 0;
                _ = _events.Writer.TryWrite(news!);
            }
        }

        TimeSpan next = _core.NextTimeout;
        TimeSpan wait = next == TimeSpan.MaxValue ? MaxTimer : next - Now;
        wait = wait < TimeSpan.Zero ? TimeSpan.Zero : wait > MaxTimer ? MaxTimer : wait;

        // Timers count whole milliseconds and round down: without the rounding up the callback would come too early and spin.
        _ = _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            try
            {
                Run(static (core, now, _) => core.HandleTimeout(now), 0);
            }
            catch (Exception e)
            {
                NoteFault(e);
            }
        }
    }

    /// <summary>
    /// A defect of ours that one datagram, frame or timer meets must not end the loop that brings the next one, and an exception in a timer's
    /// callback would end the process. Called with the lock held.
    /// </summary>
    private void NoteFault(Exception fault)
    {
        NodeLog.Bug(_logger, fault);
        if (!_disposed)
        {
            _ = _timer.Change(TimerAfterFault, Timeout.InfiniteTimeSpan);
        }
    }

    private static string Describe(DatagramSendResult result) => result switch
    {
        DatagramSendResult.Unreachable => "no route to that address",
        DatagramSendResult.Denied => "a firewall on this machine forbids it",
        DatagramSendResult.Refused => "an ICMP error came back",
        DatagramSendResult.TooLarge => "the datagram is too large for the interface",
        _ => "the system refused to send",
    };

    private async Task ReceiveAsync(DatagramSocket socket, NodeSocketKind kind)
    {
        var batch = new DatagramReceiveBatch();
        try
        {
            while (true)
            {
                await socket.WaitToReceiveAsync(_stop.Token).ConfigureAwait(false);
                NoteErrors(socket);
                while (socket.Receive(batch) > 0)
                {
                    lock (_gate)
                    {
                        if (_disposed)
                        {
                            return;
                        }

                        Handle(batch, kind);
                    }
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The node is being disposed.
        }
    }

    private void Handle(DatagramReceiveBatch batch, NodeSocketKind kind)
    {
        long ignored = _core.IgnoredDatagrams;
        for (int i = 0; i < batch.Count; i++)
        {
            try
            {
                ReceivedDatagram datagram = batch[i];
                _core.HandleDatagram(Now, datagram.Local, datagram.Remote, datagram.Payload, kind);
            }
            catch (Exception e)
            {
                NoteFault(e);
            }
        }

        if (_core.IgnoredDatagrams - ignored < batch.Count)
        {
            Drain();
        }
    }

    /// <summary>
    /// ICMP errors are hints: they can be forged, so all they do is tell a STUN query that its server refuses, and an answer that comes
    /// all the same still counts.
    /// </summary>
    private void NoteErrors(DatagramSocket socket)
    {
        while (socket.TryReadError(out DatagramError error))
        {
            if (error.Kind is DatagramErrorKind.Refused or DatagramErrorKind.Unreachable or DatagramErrorKind.Denied)
            {
                string reason = error.Kind == DatagramErrorKind.Refused ? "the port is closed there (ICMP)" : "the network says that it cannot be reached (ICMP)";
                Run(static (core, now, s) => core.HandleSendFailure(now, s.Remote, s.reason), (error.Remote, reason));
            }
        }
    }

    // What a rendezvous server names must not make this machine send to itself, to its cloud's metadata or to a whole network. What the
    // application configures is its own affair, and then nothing else is asked.
    private StunTarget Admit(StunTarget target)
    {
        bool loopback = _options.LoopbackAllowed || _options.Servers.Any(s => s.IsLoopback);
        return _options.StunServers.Count > 0 || target.Address.IsEmpty || Candidates.CandidatePolicy.MaySendTo(target.Address, loopback)
            ? target
            : StunTarget.Unresolved(target.Server, $"{target.Address} is no address of a STUN server");
    }

    private async Task ResolveStunAsync(IReadOnlyList<StunServerAddress> servers)
    {
        try
        {
            StunResolution[] resolved = await Task.WhenAll(servers.Select(s => _resolver.ResolveAsync(s, _stop.Token))).ConfigureAwait(false);
            foreach (StunResolution resolution in resolved.Where(r => r.Error is not null))
            {
                NodeLog.StunNameFailed(_logger, resolution.Server.ToString(), resolution.Error!);
            }

            Run(static (core, now, r) => core.AddStunTargets(r, now), resolved.SelectMany(x => x.ToTargets()).Select(Admit).ToList());
        }
        catch (OperationCanceledException)
        {
            // The node is being disposed.
        }
    }

    private async Task FindFallbackAsync()
    {
        try
        {
            string why = "no cloud was asked";
            if (_options.MetadataAddress is { } metadata)
            {
                using var cloud = new CloudMetadata(metadata, _options.Traversal.MetadataTimeout, _time);
                CloudMetadataResult result = await cloud.FindAsync(_stop.Token).ConfigureAwait(false);
                if (result.Address is not null)
                {
                    var address = new TransportAddress(result.Address, Ports.IPv4);
                    Run(static (core, now, s) => core.SetFallback(s.address, PublicAddressSource.CloudMetadata, s.Explanation, now), (address, result.Explanation));
                    return;
                }

                why = $"no cloud told it ({result.Explanation})";
            }

            List<IPAddress> hosts = HostAddresses.Find(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
            IPAddress? local = hosts.Find(h => h.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? (hosts.Count > 0 ? hosts[0] : null);
            TransportAddress fallback = local is null ? default : new TransportAddress(local, local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Ports.IPv4 : Ports.IPv6);
            string asked = _options.StunServers.Count == 0 && _options.Servers.Count == 0 ? "no STUN server was named" : "no STUN server answered";
            string explanation = $"{asked} and {why}; {(local is null ? "this machine has no address either" : "peers outside this network cannot reach a local address")}";
            Run(static (core, now, s) => core.SetFallback(s.fallback, PublicAddressSource.Local, s.explanation, now), (fallback, explanation));
        }
        catch (OperationCanceledException)
        {
            // The node is being disposed.
        }
    }

    private void OnNetworkAddressChanged(object? sender, EventArgs e)
    {
        try
        {
            List<IPAddress> hosts = HostAddresses.Find(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
            NodeLog.NetworkChanged(_logger, hosts.Count);
            Run(static (core, now, h) => core.SetHostAddresses(h, now), hosts);
        }
        catch (Exception fault)
        {
            // The framework calls this on a thread of its own, where an exception would end the process.
            lock (_gate)
            {
                NoteFault(fault);
            }
        }
    }
}

/// <summary>A server's WebSocket ended or could not be opened; the link says so itself, the core is told beside it.</summary>
internal sealed record LinkDown(int Session, string Reason, bool Final, int Failures) : NodeEvent;
