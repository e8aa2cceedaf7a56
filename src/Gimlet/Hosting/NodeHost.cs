using System.Net;
using System.Net.NetworkInformation;
using System.Threading.Channels;
using Gimlet.Access;
using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Observability;
using Gimlet.Peers;
using Gimlet.Quic;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Microsoft.Extensions.Logging;

namespace Gimlet.Hosting;

/// <summary>
/// Gives a <see cref="NodeCore"/> its sockets, WebSockets, timer and lock. The lock is held around the core only: datagrams are sent from within it
/// (sends do not block), news leave through <see cref="Events"/> in the order in which they came about.
/// </summary>
internal sealed partial class NodeHost : ISignallingLinkEvents, IAsyncDisposable
{
    // Never reached by design: after a defect the timer comes again, and ten times a second fills no log.
    private static readonly TimeSpan TimerAfterFault = TimeSpan.FromMilliseconds(100);

    // RFC 9000 section 14.1: what the caller's first datagram has at least.
    private const int SmallestInitial = 1200;

    // docs/protocol.md section 4: what a check has at least.
    private const int CheckLength = 124;

    /// <summary>
    /// Timers of the core that lie further away are asked for again at the latest after this: so soon is it noticed that the machine has slept.
    /// </summary>
    internal static readonly TimeSpan MaxTimer = TimeSpan.FromSeconds(5);

    private readonly GimletNodeOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly NodeCore _core;
    private readonly NodeSockets _sockets;
    private ServerSession[] _servers;
    private readonly List<Task> _tasks = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly StunNameResolver _resolver = new();
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private bool _disposed;

    public NodeHost(GimletNodeOptions options, NodeIdentity identity)
    {
        _options = options;
        _time = options.TimeProvider;
        _origin = _time.GetTimestamp();
        _aliveAtUtc = _time.GetUtcNow();
        _logger = options.LoggerFactory.CreateLogger("Gimlet.Node");
        Statistics = new StatisticsCollector(isHeard: options.Ground == NodeGround.Real);
        Tickets = new TicketBook(System.Security.Cryptography.RandomNumberGenerator.Fill);
        _core = new NodeCore(new NodeCoreOptions
        {
            Identity = identity,
            Traversal = options.Traversal,
            Random = System.Security.Cryptography.RandomNumberGenerator.Fill,
            Servers = options.Servers.Count,
            Token = options.ServerToken,
            Admission = new Admission(options.Policy, Tickets, identity.Id),
            UtcNow = options.TimeProvider.GetUtcNow,
            Policy = options.Policy,
            OnAccept = options.IntroduceOnAccept,
            NoHolepunch = options.NoHolepunch,
            AllowLoopback = options.LoopbackAllowed,
            Protocols = options.Protocols,
            Agent = $"gimlet/{typeof(NodeHost).Assembly.GetName().Version?.ToString(3)}",
        });
        try
        {
            _sockets = options.Ground.Bind(options.Port, options.PortIsPreference);
        }
        catch
        {
            _core.Dispose();
            throw;
        }

        Id = identity.Id;
        Peers = new PeerTable(_core);
        Paths = new NodePaths(_sockets, TryRelay, Statistics) { WaitForRoom = socket => _ = WaitForRoomAsync(socket) };
        QuicOptions = new NodeQuicOptions(identity, options);
        Quic = new QuicEndpoint(Paths, QuicOptions.Endpoint());
        _servers = [.. options.Servers.Select(static (server, i) => new ServerSession(i, server))];
        _timer = _time.CreateTimer(static host => ((NodeHost)host!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        NodeLog.Bound(_logger, identity.Id, _sockets.Ports.IPv4, _sockets.Ports.IPv6);
    }

    /// <summary>News of the core, in order; completed when the host is disposed.</summary>
    public ChannelReader<NodeEvent> Events => _events.Reader;

    public (int IPv4, int IPv6) Ports => _sockets.Ports;

    public PeerId Id { get; }

    /// <summary>What this node does, in numbers.</summary>
    public StatisticsCollector Statistics { get; }

    /// <summary>The protocol core; only from within <see cref="Run"/>.</summary>
    public NodeCore Core => _core;

    /// <summary>The tickets of this node; only from within <see cref="Run"/>.</summary>
    public TicketBook Tickets { get; }

    /// <summary>Who uses which path; only from within <see cref="Run"/>.</summary>
    public PeerTable Peers { get; }

    /// <summary>The ways of QUIC's datagrams.</summary>
    public NodePaths Paths { get; }

    /// <summary>All QUIC connections.</summary>
    public QuicEndpoint Quic { get; }

    /// <summary>How they are made.</summary>
    public NodeQuicOptions QuicOptions { get; }

    /// <summary>The relay to a peer is needed now: where its WebSocket waits to be opened again, it waits no longer.</summary>
    public void HurryRelayTo(PeerId peer)
    {
        if (Paths.RelaySessionOf(peer) is >= 0 and int session)
        {
            LinkOf(session)?.Hurry();
        }
    }

    /// <summary>Some server carries datagrams to the peer; only from within <see cref="Run"/>.</summary>
    public bool CanRelayTo(PeerId peer) => Paths.RelaySessionOf(peer) is >= 0 and int session && _core.RelaysAt(session);

    /// <summary>Starts to receive, to gather and to register.</summary>
    public void Start()
    {
        foreach (DatagramSocket socket in new[] { _sockets.IPv4, _sockets.IPv6 }.OfType<DatagramSocket>())
        {
            _tasks.Add(Task.Run(() => ReceiveAsync(socket, NodeSocketKind.Main)));
        }

        List<IPAddress> hosts = _options.Ground.FindAddresses(_options.Traversal.MaxHostCandidates, _options.LoopbackAllowed);
        _addresses = hosts;
        TryRun(static (host, now, s) => host.Core.Start(s.Ports, s.Hosts, now), (Ports, Hosts: hosts));
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
            TryRun(static (host, now, _) => host.Core.AddStunTargets([], now), 0);
        }

        lock (_gate)
        {
            foreach (ServerSession server in _servers)
            {
                server.Link = _options.Ground.Open(server.Server, server.Number, this, _time);
            }
        }
    }

    /// <summary>Runs a command on the core and drains what came of it; nothing happens after the end.</summary>
    public void TryRun<TState>(Action<NodeHost, TimeSpan, TState> action, TState state)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                action(this, Now, state);
                Drain();
            }
        }
    }

    /// <summary>Asks the core something, and drains what came of it.</summary>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public TResult Run<TState, TResult>(Func<NodeHost, TimeSpan, TState, TResult> function, TState state)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(GimletNode));
            TResult result = function(this, Now, state);
            Drain();
            return result;
        }
    }

    public void SetPublicAddress(TransportAddress address) => TryRun(static (host, now, a) => host.Core.SetPublicAddress(a, now), address);

    public void RestartLink(int session)
    {
        LinkOf(session)?.Restart();
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
        TryRun(static (host, now, s) => host.Core.SignallingOpened(s.session, s.authority, now), (session, authority));

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

        if (Paths.Held.Count > 0 && Find(session) is { } server)
        {
            ReceiveHeld(ReceiverOf(server));
        }
    }

    void ISignallingLinkEvents.LinkRelayed(int session, Span<byte> frame)
    {
        // Text overtakes: whoever calls is known before its first datagram.
        if (!RelayFrame.TryRead(frame, out RelayFrame header) || Find(session) is not { } server || !Paths.TryFindRelay(header.Peer, out RelayWay? way))
        {
            return;
        }

        QuicReceiver receiver = ReceiverOf(server);
        Paths.CountReceived(PathKind.Relay, frame.Length - header.HeaderLength);
        receiver.Receive(way.Path, EcnMark.NotEct, frame[header.HeaderLength..], header.SegmentSize, Paths.IsExpected(header.Peer));
        if (receiver.HeardAuthentic)
        {
            // The peer is to be reached where it was heard last.
            way.Session = session;
        }

        receiver.Flush();
    }

    // Used by the session's link alone, which calls one at a time.
    private QuicReceiver ReceiverOf(ServerSession server) => server.Receiver ??= Quic.CreateReceiver();

    bool ISignallingLinkEvents.IsMissed(int session)
    {
        lock (_gate)
        {
            return Peers.IsRelayMissed;
        }
    }

    void ISignallingLinkEvents.LinkClosed(int session, string reason, bool final, int failures)
    {
        bool reopens;
        lock (_gate)
        {
            if (final && !_disposed && _core.TryMergeReplaced(session))
            {
                Drain();
                return;
            }

            reopens = final && !_disposed && _core.TakeReplacedByOwn(session);
        }

        TryRun(static (host, now, s) => host.Core.SignallingClosed(s, now), session);
        _ = _events.Writer.TryWrite(new LinkDown(session, reason, final && !reopens, failures));
        if (reopens)
        {
            Reopen(session);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _core.HangupAll(Now);
            Drain();
            _disposed = true;
        }

        NetworkChange.NetworkAddressChanged -= OnNetworkAddressChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_servers.Select(static s => s.Link).OfType<IServerLink>().Select(static l => l.DisposeAsync().AsTask())).ConfigureAwait(false);
        await Quic.DisposeAsync().ConfigureAwait(false);
        _sockets.Dispose();
        Task[] tasks;
        lock (_gate)
        {
            tasks = [.. _tasks];
        }

        await Task.WhenAll(tasks).ConfigureAwait(false);
        _core.Dispose();
        Tickets.Dispose();
        QuicOptions.Dispose();
        Statistics.Dispose();
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
        // What the peer table makes of news may be a call, whose datagrams then go out below.
        TellAll();
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
            if (LinkOf(session)?.TrySend(SignalCodec.Write(message!)) == false)
            {
                // The link is gone or stalled; its end is reported by itself, and what matters is said again after the next registration.
                NodeLog.SignalIgnored(_logger, ServerOf(session)!, "the connection is down, a message was not sent");
            }
        }

        TimeSpan next = _core.NextTimeout;
        next = Peers.NextTimeout is var due && due < next ? due : next;
        TimeSpan now = Now;
        NoteLateTimer(now);
        TimeSpan wait = next == TimeSpan.MaxValue ? MaxTimer : next - now;
        wait = wait < TimeSpan.Zero || _timerWasLate ? TimeSpan.Zero : wait > MaxTimer ? MaxTimer : wait;

        _timerDue = now + wait;

        // Timers count whole milliseconds and round down: without the rounding up the callback would come too early and spin.
        _ = _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void TellAll()
    {
        for (bool any = true; any;)
        {
            any = false;
            while (_core.PollEvent(out NodeEvent? news))
            {
                any = true;
                Peers.Handle(news!, Now);
                Note(news!);
                _ = _events.Writer.TryWrite(news!);
            }

            while (Peers.PollEvent(out PeerEvent? chosen))
            {
                any = true;
                Note(chosen!);
                _ = _events.Writer.TryWrite(chosen!);
            }
        }
    }

    // What cannot wait for the task that tells news: the next datagram may be a stranger's without it.
    private void Note(NodeEvent news)
    {
        switch (news)
        {
            case CallAdmitted admitted:
                _core.NeedSession(admitted.Session, admitted.Peer);
                _ = Paths.ToRelay(admitted.Peer, admitted.Session);
                BeginCopies(admitted);
                break;
            case CallIntroduced introduced:
                Paths.BeginCopies(introduced.Peer);
                break;
            case SessionMerged merged:
                NodeLog.ServersAreOne(_logger, ServerOf(merged.Session)!, ServerOf(merged.Into)!);
                Paths.MoveServer(merged.Session, merged.Into);
                RemoveServer(merged.Session, $"it is the same server as {ServerOf(merged.Into)}");
                break;
            case CallRouted routed:
                Paths.Route(routed.Peer, routed.Session, _core.HasConnection(routed.Peer) && CanRelayTo(routed.Peer));
                break;
            case PeerUnreachable { Reason: RejectReason.Offline } unreachable:
                Paths.NoteOffline(unreachable.Peer, unreachable.Session);
                break;
            case CallHeard heard:
                Paths.Vouch(heard.Remote, heard.Peer, CandidateKind.PeerReflexive);
                Paths.CopyTo(heard.Peer, heard.Remote, CheckLength);
                break;
            case CallConnected connected:
                Paths.Vouch(connected.Path.Remote, connected.Peer, connected.Path.Kind);
                Paths.StopCopies(connected.Peer);
                break;
            case SearchEnded ended:
                Paths.StopCopies(ended.Peer);
                break;
            case PathChosen { Direct: { } direct } chosen:
                Paths.Vouch(direct.Remote, chosen.Peer, direct.Kind);
                break;
            case DialsExpected expected:
                Paths.Expect(expected.Peer, expected.Count > 0);
                break;
            case PeerForgotten forgotten:
                Paths.Forget(forgotten.Peer);
                ReleaseServersOf(forgotten.Peer);
                break;
            default:
                break;
        }
    }

    // Those of an earlier call may be to where the peer was then.
    private void BeginCopies(CallAdmitted admitted)
    {
        Paths.StopCopies(admitted.Peer);
        foreach (TransportAddress proven in admitted.Proven)
        {
            // RFC 9000 section 8.1.3: a token of the rendezvous says that the caller receives there; and an Initial, the least of datagrams, came from it.
            Paths.BeginCopies(admitted.Peer);
            Paths.CopyTo(admitted.Peer, proven, SmallestInitial);
        }
    }

    private bool TryRelay(int session, PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        return LinkOf(session)?.TryRelay(peer, datagrams, segmentSize) ?? false;
    }

    private void OnTimer()
    {
        bool slept = false;
        lock (_gate)
        {
            try
            {
                slept = !_disposed && HasSlept();
                Paths.Held.DropLate(Now);
                TryRun(
                    static (host, now, _) =>
                    {
                        host.Core.HandleTimeout(now);
                        host.Peers.HandleTimeout(now);
                    },
                    0);
            }
            catch (Exception e)
            {
                NoteFault(e);
            }
        }

        if (slept)
        {
            // On another thread: links end on the one that cancels them.
            Track(() => Task.Run(Wake));
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

}

/// <summary>A server's WebSocket ended or could not be opened; the link says so itself, the core is told beside it.</summary>
internal sealed record LinkDown(int Session, string Reason, bool Final, int Failures) : SessionEvent(Session);

/// <summary>The node does not speak with a server any more that a ticket had named.</summary>
internal sealed record ServerLeft(Uri Server, string Reason) : NodeEvent;
