using System.Net;
using Gimlet.Access;
using Gimlet.Candidates;
using Gimlet.Connections;
using Gimlet.Errors;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Serverless;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Gimlet.Stun.Discovery;
using Microsoft.Extensions.Logging;

namespace Gimlet;

/// <summary>
/// A running node: one identity key, one UDP socket per address family, registered with its servers, ready to connect and to be connected to.
/// Thread-safe.
/// </summary>
/// <example>
/// <code>
/// await using GimletNode node = await GimletNode.StartAsync(new() { Servers = [new("https://gimlet.example.org")] });
/// await using GimletConnection connection = await node.ConnectAsync(PeerId.Parse("..."));
/// PingResult pong = await connection.PingAsync();
/// </code>
/// </example>
public sealed class GimletNode : IAsyncDisposable
{
    private readonly GimletNodeOptions _options;
    private readonly NodeIdentity _identity;
    private readonly bool _ownsIdentity;
    private readonly ILogger _logger;
    private readonly NodeHost _host;
    private readonly ConnectionTable _connections;
    private readonly StartGate _start;
    private readonly Task _dispatch;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PublicAddress? _lastPublic;
    private int _disposed;

    private GimletNode(GimletNodeOptions options)
    {
        _options = options;
        _ownsIdentity = options.Identity is null;
        _identity = options.Identity ?? NodeIdentity.Create();
        _logger = options.LoggerFactory.CreateLogger("Gimlet.Node");
        _start = new StartGate(options.Servers.Count);
        try
        {
            _host = new NodeHost(options, _identity);
            _connections = new ConnectionTable(_host, options, _logger);
        }
        catch
        {
            DisposeIdentity();
            throw;
        }

        _dispatch = Task.Run(DispatchAsync);
    }

    /// <summary>The public address has become known or another one. Raised one at a time, in order; must not block.</summary>
    public event Action<PublicAddress>? PublicAddressChanged;

    /// <summary>A server was registered with, or lost. Raised one at a time, in order; must not block.</summary>
    public event Action<ServerStatus>? ServerStatusChanged;

    /// <summary>A server dropped relayed datagrams of this node, and which limit it was. Raised one at a time, in order; must not block.</summary>
    public event Action<RelayLimited>? RelayLimited;

    /// <summary>Every STUN server that is known has answered or failed; again each time when all were asked anew. Raised like the others.</summary>
    internal event Action? GatheringFinished;

    /// <summary>The connections, for tests that say what QUIC would.</summary>
    internal ConnectionTable Connections => _connections;

    /// <summary>This node's id.</summary>
    public PeerId Id => _identity.Id;

    /// <summary>The local UDP ports; 0 for a family without a socket.</summary>
    public (int IPv4, int IPv6) LocalPorts => _host.Ports;

    /// <summary>The public address of this node's port, as far as it is known.</summary>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public PublicAddress PublicAddress => _host.Run(static (host, _, _) => host.Core.Public, 0);

    /// <summary>The NAT in front of this node; null until it is classified.</summary>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public NatBehavior? Nat => _host.Run(static (host, _, _) => host.Core.Nat, 0);

    /// <summary>What became of each STUN server that was asked.</summary>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public IReadOnlyList<StunServerResult> StunResults => _host.Run(static (host, _, _) => host.Core.StunResults, 0);

    /// <summary>What this node has done, in numbers of one moment; the meter <c>Gimlet</c> has the same.</summary>
    public NodeStatistics GetStatistics() => _connections.GetStatistics();

    /// <summary>A ticket that leads to this node.</summary>
    public Ticket Ticket => new(Id, _options.Servers);

    /// <summary>
    /// Starts a node: binds its sockets, and, where <see cref="GimletNodeOptions.RequireServer"/> says so, registers with its servers and learns its public address or why there is none.
    /// </summary>
    /// <param name="options">How it is to be.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="GimletException">An option is wrong, a port is in use, no server could be reached, or the server refused this node.</exception>
    public static async Task<GimletNode> StartAsync(GimletNodeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var node = new GimletNode(options);
        try
        {
            // A rehearsal is not rehearsed.
            Task rehearsal = options.Ground == NodeGround.Real ? Rehearsal.PlayFor(options) : Task.CompletedTask;
            node._host.Start();
            if (options.RequireServer)
            {
                await node.WaitForStartAsync(cancellationToken).ConfigureAwait(false);
            }

            await rehearsal.WaitAsync(cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Connects to a peer through the servers: at once by the relay, and then directly where the two networks allow it.
    /// </summary>
    /// <param name="peer">Whom to connect to.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.PeerOffline"/>: no server knows the peer; <see cref="GimletErrorKind.Refused"/>: it does not want this node, or cannot prove to be
    /// that peer; <see cref="GimletErrorKind.Unsupported"/>: it does not speak the protocol, or a direct path is demanded and it takes part in none;
    /// <see cref="GimletErrorKind.PunchFailed"/>: the same, and none could be opened; <see cref="GimletErrorKind.RendezvousRejected"/>: the server or the peer takes no
    /// more calls; <see cref="GimletErrorKind.RendezvousNoRelay"/>: the server does not relay, and there is no direct path; <see cref="GimletErrorKind.ServerUnreachable"/>;
    /// <see cref="GimletErrorKind.TimedOut"/>; <see cref="GimletErrorKind.Transport"/>: the connection ended while it was made;
    /// <see cref="GimletErrorKind.BadUsage"/>: an option is wrong. The message says why.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing is left of the attempt.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public Task<GimletConnection> ConnectAsync(PeerId peer, CancellationToken cancellationToken = default) => ConnectAsync(peer, new ConnectOptions(), cancellationToken);

    /// <summary>Connects to the peer of a ticket, at the servers that it names where this node knows them, and with its secret.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.Refused"/>: the ticket has expired, or the peer does not know its secret; otherwise as
    /// <see cref="ConnectAsync(PeerId, ConnectOptions, CancellationToken)"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing is left of the attempt.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public Task<GimletConnection> ConnectAsync(Ticket ticket, ConnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        return ConnectAsync(ticket.Peer, (options ?? new ConnectOptions()) with { Ticket = ticket }, cancellationToken);
    }

    /// <summary>Connects to a peer through the servers: at once by the relay where the policy allows it, and directly where the two networks do.</summary>
    /// <param name="peer">Whom to connect to.</param>
    /// <param name="options">For which protocol, on which paths, and what else.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.PeerOffline"/>: no server knows the peer; <see cref="GimletErrorKind.Refused"/>: it does not want this node, or cannot prove to be
    /// that peer; <see cref="GimletErrorKind.Unsupported"/>: it does not speak the protocol, or a direct path is demanded and it takes part in none;
    /// <see cref="GimletErrorKind.PunchFailed"/>: the same, and none could be opened; <see cref="GimletErrorKind.RendezvousRejected"/>: the server or the peer takes no
    /// more calls; <see cref="GimletErrorKind.RendezvousNoRelay"/>: the server does not relay, and there is no direct path; <see cref="GimletErrorKind.ServerUnreachable"/>;
    /// <see cref="GimletErrorKind.TimedOut"/>; <see cref="GimletErrorKind.Transport"/>: the connection ended while it was made;
    /// <see cref="GimletErrorKind.BadUsage"/>: an option is wrong. The message says why.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing is left of the attempt.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public Task<GimletConnection> ConnectAsync(PeerId peer, ConnectOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (peer.IsEmpty || peer == Id)
        {
            throw new GimletException(GimletErrorKind.BadUsage, peer.IsEmpty ? "The peer id is empty." : "This is this node's own id; a node does not call itself.", "Pass the id that the other side prints.");
        }

        if (_options.Servers.Count == 0 && options.Ticket is not { Servers.Count: > 0 })
        {
            throw new GimletException(GimletErrorKind.BadUsage, "A call to a peer id goes through a server, and this node has none.", "Name one with GimletNodeOptions.Servers (--server), or connect to an address instead.");
        }

        if (_options.NoHolepunch && options.Policy is { AllowsRelay: false })
        {
            throw new GimletException(GimletErrorKind.BadUsage, "A direct path is demanded of a node that takes part in none.", "Leave out --no-holepunch, or --path direct-only.");
        }

        if (options.Ticket is { } ticket && ticket.IsExpired(_options.TimeProvider.GetUtcNow()))
        {
            throw new GimletException(GimletErrorKind.Refused, $"The ticket of {peer} has expired.", "Ask the other side for a new one.");
        }

        return _connections.ConnectAsync(peer, options, cancellationToken);
    }

    /// <summary>Connects to an address that was exchanged by hand; both sides call this within the timeout.</summary>
    /// <param name="address">The other side's public address.</param>
    /// <param name="peer">Its id; null to believe whoever answers from there, which <see cref="GimletConnection.IsAuthenticated"/> then denies.</param>
    /// <param name="options">Timers and the role; null for the defaults.</param>
    /// <param name="dialing">Called with the id of the attempt before the first message leaves.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.PeerNotReachable"/>: nobody answered; <see cref="GimletErrorKind.PunchFailed"/>: somebody did, and no path could be opened;
    /// <see cref="GimletErrorKind.Refused"/>: it has not proven to be that peer, or hung up; <see cref="GimletErrorKind.Unsupported"/>: it speaks another protocol, or
    /// this node takes part in no direct paths; <see cref="GimletErrorKind.TimedOut"/>, <see cref="GimletErrorKind.Transport"/>: the handshake did not end;
    /// <see cref="GimletErrorKind.BadUsage"/>: an argument is wrong.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public Task<GimletConnection> ConnectAsync(
        IPEndPoint address, PeerId? peer, ServerlessOptions? options = null, Action<CallId>? dialing = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        var target = new TransportAddress(address);
        if (!CandidatePolicy.MaySendTo(target, allowLoopback: true))
        {
            throw new GimletException(
                GimletErrorKind.BadUsage,
                address.Port == 0 ? $"The address {address} has no port." : $"{address} is no address that a node can have.",
                "Write it as IP:PORT, as the other side's discover prints it.");
        }

        if (_options.NoHolepunch)
        {
            throw new GimletException(GimletErrorKind.Unsupported, "This node takes part in no direct paths, and a connection without a server has no other.", "Leave out --no-holepunch.");
        }

        if (peer == Id)
        {
            throw new GimletException(GimletErrorKind.BadUsage, "This is this node's own id; a node does not call itself.", "Pass what the other side's discover prints.");
        }

        options?.Validate();
        var timers = new ServerlessTimers(
            options?.Interval ?? _options.Traversal.ServerlessInterval, options?.Timeout ?? _options.Traversal.ServerlessTimeout, options?.IsInitiator ?? false);
        string protocol = _options.FirstProtocol ?? throw new GimletException(
            GimletErrorKind.BadUsage, "No application protocol is named, and either side may turn out to be the one that is dialled.", "Name one in GimletNodeOptions.Protocols.");
        return _connections.ConnectServerlessAsync(
            call =>
            {
                dialing?.Invoke(call);
                return new Dial(call, peer ?? default, protocol, PathPolicy.DirectOnly, _options.TimeProvider.GetTimestamp()) { IsServerBased = false, IsAuthenticated = peer is not null };
            },
            (core, now, call) => core.DialServerless(call, target, peer ?? default, timers, now),
            cancellationToken);
    }

    /// <summary>Waits for the next connection that a peer made for the first of <see cref="GimletNodeOptions.Protocols"/>.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<GimletConnection> AcceptAsync(CancellationToken cancellationToken = default) =>
        AcceptAsync(_options.FirstProtocol ?? string.Empty, cancellationToken);

    /// <summary>Waits for the next connection that a peer made for a protocol.</summary>
    /// <param name="protocol">One of <see cref="GimletNodeOptions.Protocols"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>: this node does not serve the protocol.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed.</exception>
    public Task<GimletConnection> AcceptAsync(string protocol, CancellationToken cancellationToken = default) => _connections.AcceptAsync(protocol, cancellationToken);

    /// <summary>Issues a ticket with a secret: whoever has it may connect, once or until it expires, where the policy takes tickets.</summary>
    /// <param name="options">For how many and how long.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>: an option makes no sense, or too many tickets are out.</exception>
    public Ticket IssueTicket(TicketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        IssuedTicket issued = _host.Run(static (host, _, o) => host.Tickets.Issue(o.options, o.now), (options, now: _options.TimeProvider.GetUtcNow()));
        return Ticket.With(issued);
    }

    /// <summary>
    /// Takes back a ticket of <see cref="IssueTicket"/>: nobody can call with it any more, not even the peer that has taken a one-time one. Connections that it led to
    /// stay; close those that should not.
    /// </summary>
    /// <param name="ticket">The ticket.</param>
    /// <returns>True if it was out; false when this node has not issued it, has revoked it before, or has forgotten it since it expired.</returns>
    public bool RevokeTicket(Ticket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        return _host.Run(static (host, _, t) => host.Tickets.Revoke(t.Secret), ticket);
    }

    /// <summary>Overrides the public address at run time; peers are told at once. Null ends the override.</summary>
    /// <param name="address">The address; port 0 means the local port.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>: no node can have that address.</exception>
    public void SetPublicAddress(IPEndPoint? address)
    {
        if (address is not null)
        {
            GimletNodeOptions.ValidatePublicAddress(address);
        }

        _host.SetPublicAddress(address is null ? default : new TransportAddress(address));
    }

    /// <summary>Waits until every STUN server has answered or failed, and a fallback was found where none answered.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForGatheringAsync(CancellationToken cancellationToken = default) => _start.Gathered.WaitAsync(cancellationToken);

    /// <summary>Waits until the NAT is classified, or it is known that it cannot be.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForNatAsync(CancellationToken cancellationToken = default) => _start.Classified.WaitAsync(cancellationToken);

    /// <summary>What is below it, for tests that play a peer which keeps to no rule.</summary>
    internal NodeHost Host => _host;

    /// <summary>What the node remembers of others at this moment.</summary>
    internal TableCounts CountTables()
    {
        (int peers, int calls, int agents, int dials) = _host.Run(static (host, _, _) => (host.Peers.Count, host.Peers.CallCount, host.Core.CallCount, host.Core.DialCount), 0);
        return new TableCounts(peers, calls, agents, dials, _connections.RecordCount, _connections.ConnectionCount);
    }

    /// <summary>Asks further STUN servers, beside those that are configured or that the servers name; with none, it is settled that there are no others.</summary>
    /// <param name="servers">They.</param>
    internal void AskStun(IReadOnlyList<StunServerAddress> servers) => _host.ResolveStun(servers);

    /// <summary>Ends all connections, leaves the servers, and lets go of the sockets. Safe to call twice: whoever comes second waits for the same end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            await _ended.Task.ConfigureAwait(false);
            return;
        }

        try
        {
            await _connections.DisposeAsync().ConfigureAwait(false);
            await _host.DisposeAsync().ConfigureAwait(false);
            await _dispatch.ConfigureAwait(false);
            DisposeIdentity();
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private void DisposeIdentity()
    {
        if (_ownsIdentity)
        {
            _identity.Dispose();
        }
    }

    private async Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(_options.ServerTimeout, _options.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            await _start.Registered.WaitAsync(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GimletException(
                GimletErrorKind.ServerUnreachable,
                $"No server completed the registration within {_options.ServerTimeout.TotalSeconds:0.#} s ({_start.LastProblem ?? "no answer"}).");
        }

        try
        {
            // A registered node without a reflexive address is of use on its LAN; the address trickles when it comes.
            await _start.Reflexive.WaitAsync(_options.Traversal.StartGatherTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return;
        }
    }

    private async Task DispatchAsync()
    {
        await foreach (NodeEvent news in _host.Events.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                Dispatch(news);
            }
            catch (ObjectDisposedException) when (Volatile.Read(ref _disposed) != 0)
            {
                // News that came before the end, and what they ask of the core is gone.
            }
            catch (Exception e)
            {
                // An event handler of the application threw. One bad handler must not end the node; the log has the whole story.
                NodeLog.Bug(_logger, e);
            }
        }
    }

    private void Dispatch(NodeEvent news)
    {
        switch (news)
        {
            case SessionEvent gone when _host.ServerOf(gone.Session) is null:
                break;
            case ServerLeft left:
                NodeLog.ServerLeft(_logger, left.Server, left.Reason);
                ServerStatusChanged?.Invoke(new ServerStatus(left.Server, IsRegistered: false, left.Reason));
                break;
            case StunServersNamed named when _options.StunServers.Count == 0:
                _host.ResolveStun(StunServerNames.Parse(named.Servers, _host.ServerOf(named.Session)!));
                break;
            case SessionRegistered registered:
                NodeLog.Registered(_logger, _host.ServerOf(registered.Session)!, registered.Observed ?? "nothing");
                _start.NoteRegistered();
                ServerStatusChanged?.Invoke(new ServerStatus(_host.ServerOf(registered.Session)!, IsRegistered: true, "registered"));
                break;
            case SessionError error:
                NodeLog.ServerError(_logger, _host.ServerOf(error.Session)!, error.Code, error.Detail);
                _start.NoteRefused(error.Code, error.Detail, _host.ServerOf(error.Session)!);
                break;
            case SessionLimited limited:
                var notice = RelayLimitNotice.Of(limited.Limit, limited.Value, limited.Dropped);
                Uri limiting = _host.ServerOf(limited.Session)!;
                NodeLog.RelayLimited(_logger, limiting, limited.Dropped, notice.Message);
                RelayLimited?.Invoke(new RelayLimited(limiting, limited.Limit, limited.Value, limited.Dropped, notice.Message, notice.Hint));
                break;
            case PeerUnreachable unreachable when unreachable.Reason == Signalling.RejectReason.Offline:
                _connections.Unreachable(unreachable.Peer);
                break;
            case SessionGivenUp given:
                _host.RestartLink(given.Session);
                break;
            case SignalIgnored ignored:
                NodeLog.SignalIgnored(_logger, _host.ServerOf(ignored.Session)!, ignored.Problem);
                break;
            case LinkDown down:
                NodeLog.ServerLost(_logger, _host.ServerOf(down.Session)!, down.Reason, down.Failures);
                _start.NoteProblem($"{_host.ServerOf(down.Session)!}: {down.Reason}");
                ServerStatusChanged?.Invoke(new ServerStatus(_host.ServerOf(down.Session)!, IsRegistered: false, down.Reason));
                break;
            case CandidatesChanged changed:
                NoteGathering();
                if (!changed.Public.Address.IsEmpty && changed.Public != _lastPublic)
                {
                    _lastPublic = changed.Public;
                    NodeLog.PublicAddressKnown(_logger, changed.Public.Address, changed.Public.Source, changed.Public.Explanation);
                    PublicAddressChanged?.Invoke(changed.Public);
                }

                break;
            case GatheringEnded:
                NoteGathering();
                GatheringFinished?.Invoke();
                if (!_host.Run(static (host, _, _) => host.Core.IsClassifying, 0))
                {
                    // No STUN server has an address, or there is nothing to punch for: nobody will ever say what the NAT does.
                    _start.NoteClassified();
                }

                break;
            case FallbackNeeded:
                if (StunResults is { Count: > 0 } results)
                {
                    NodeLog.NoStunAnswer(_logger, string.Join("; ", results.Select(r => $"{r.Target.Server}: {r.Detail}")));
                }

                _host.FindFallback();
                break;
            case ProbeSocketNeeded:
                _host.BindProbe();
                break;
            case NatClassified nat:
                NodeLog.NatKnown(_logger, nat.Behavior.Evidence);
                _start.NoteClassified();
                break;
            case CallEvent call:
                _connections.Record(call);
                DispatchCall(call);
                break;
            case PeerEvent peer:
                _connections.Handle(peer);
                break;
            default:
                break;
        }
    }

    private void DispatchCall(CallEvent news)
    {
        switch (news)
        {
            case CallConnected connected:
                NodeLog.Connected(_logger, connected.Call, connected.Peer, connected.Path.Remote, connected.Elapsed.TotalMilliseconds);
                _connections.ServerlessMet(connected);
                break;
            case CallFailed failed:
                NodeLog.CallFailed(_logger, failed.Handle, failed.Kind.ToKindString(), failed.Message);
                _connections.ServerlessFailed(failed);
                break;
            case CallPathChanged changed:
                NodeLog.PathChanged(_logger, changed.Handle, changed.Path.Remote, changed.Reason);
                break;
            case CallPathLost lost:
                NodeLog.PathLost(_logger, lost.Handle);
                break;
            case CallHungUp hungUp:
                NodeLog.CallEnded(_logger, hungUp.Handle, "the caller has given up");
                break;
            case CallClosed closed:
                NodeLog.CallEnded(_logger, closed.Handle, closed.End.ToString());
                break;
            default:
                break;
        }
    }

    private void NoteGathering()
    {
        (bool settled, bool reflexive) = _host.Run(static (host, _, _) => (host.Core.IsPublicAddressSettled, host.Core.HasReflexiveAddress), 0);
        _start.NoteGathering(settled, reflexive || settled);
    }
}

/// <summary>How much a node remembers of others: what grows and does not shrink again is a leak that no disposal hides.</summary>
/// <param name="Peers">Peers of whom anything is known.</param>
/// <param name="Calls">Calls that the peer table knows.</param>
/// <param name="Agents">Calls with checks.</param>
/// <param name="Dials">Calls of this node that wait for their introduction.</param>
/// <param name="Records">Calls that are counted and have not ended.</param>
/// <param name="Connections">Connections, and those that are being made.</param>
internal readonly record struct TableCounts(int Peers, int Calls, int Agents, int Dials, int Records, int Connections);

/// <summary>Relayed datagrams were dropped by a server.</summary>
/// <param name="Server">Which.</param>
/// <param name="Limit">The limit's stable name, such as <c>relay-bytes-per-second</c>.</param>
/// <param name="Value">What it is, in the unit of its name.</param>
/// <param name="Dropped">How many datagrams since the last time.</param>
/// <param name="Explanation">In words.</param>
/// <param name="Hint">What would help.</param>
public sealed record RelayLimited(Uri Server, string Limit, long Value, long Dropped, string Explanation, string? Hint);

/// <summary>How a node stands with one of its servers.</summary>
/// <param name="Server">The server.</param>
/// <param name="IsRegistered">The server knows this node.</param>
/// <param name="Detail">In words; the reason of a loss.</param>
public sealed record ServerStatus(Uri Server, bool IsRegistered, string Detail);
