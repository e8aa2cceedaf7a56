using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Observability;
using Gimlet.Peers;
using Gimlet.Quic;
using Gimlet.Sockets;
using Microsoft.Extensions.Logging;

namespace Gimlet.Connections;

/// <summary>
/// The node's connections and dials, by peer: makes and accepts them, puts them on the path that the peer table chose, and tells it what they see. Its lock covers
/// the lists only.
/// </summary>
internal sealed partial class ConnectionTable : IConnectionOwner, IAsyncDisposable
{
    // Connections that nobody has accepted yet; the next one is closed, as a full listen backlog does.
    private const int AcceptBacklog = 64;

    private readonly NodeHost _host;
    private readonly GimletNodeOptions _options;
    private readonly ILogger _logger;
    private readonly CallRecords _records;
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, List<Member>> _members = [];
    private readonly List<Dial> _dials = [];
    private readonly ConcurrentDictionary<string, Channel<GimletConnection>> _accepted = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly QuicListener? _listener;
    private bool _isClosed;
    private readonly Task _accepting;

    public ConnectionTable(NodeHost host, GimletNodeOptions options, ILogger logger)
    {
        _host = host;
        _options = options;
        _logger = logger;
        _records = new CallRecords(host.Statistics);
        Instance = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        foreach (string protocol in options.Protocols)
        {
            _accepted[protocol] = Channel.CreateBounded<GimletConnection>(AcceptBacklog);
        }

        _listener = options.Protocols.Count == 0 ? null : host.Quic.Listen(host.QuicOptions.Server(Begun));
        _accepting = _listener is null ? Task.CompletedTask : Task.Run(() => AcceptAllAsync(_listener));
    }

    /// <summary>The number of this process: a peer that meets another one behind the same key forgets what it had with the older.</summary>
    public ulong Instance { get; }

    public TimeProvider Time => _options.TimeProvider;

    /// <summary>Waits for the next connection that a peer made for a protocol.</summary>
    public async Task<GimletConnection> AcceptAsync(string protocol, CancellationToken cancellationToken)
    {
        if (!_accepted.TryGetValue(protocol, out Channel<GimletConnection>? queue))
        {
            throw new GimletException(
                GimletErrorKind.BadUsage, $"This node does not serve the protocol '{protocol}'.", "Name it in GimletNodeOptions.Protocols before the node starts.");
        }

        try
        {
            return await queue.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw new ObjectDisposedException("The node was disposed.", e);
        }
    }

    /// <summary>Where a connection sends now.</summary>
    public ConnectionPath Describe(QuicConnection quic)
    {
        QuicPath path = quic.CurrentPath;
        QuicConnectionStatistics figures = quic.GetStatistics();

        // Before the first sample QUIC goes by a guess, which is nobody's round trip.
        return Describe(path, figures.MinRtt > TimeSpan.Zero ? figures.Rtt : TimeSpan.Zero);
    }

    /// <summary>All paths of a connection.</summary>
    public IReadOnlyList<ConnectionPathFigures> DescribeAll(QuicConnection quic)
    {
        IReadOnlyList<QuicPathStatistics> all = quic.GetPathStatistics();
        var locals = new IPEndPoint?[all.Count];
        _host.TryRun(
            static (host, _, s) =>
            {
                for (int i = 0; i < s.locals.Length; i++)
                {
                    TransportAddress local = host.Peers.LocalOf(host.Paths.PeerOf(s.all[i].Path), host.Paths.AddressOf(s.all[i].Path));
                    s.locals[i] = local.IsEmpty ? null : local.ToIPEndPoint();
                }
            },
            (all, locals));
        return
        [
            .. all.Select((p, i) => new ConnectionPathFigures(
                Describe(p.Path, p.MinRtt > TimeSpan.Zero ? p.Rtt : TimeSpan.Zero),
                p.IsCurrent ? PathState.InUse : p.IsValidated ? PathState.Backup : PathState.Unproven,
                p.BytesSent,
                p.BytesReceived,
                p.PacketsSent,
                p.PacketsLost) { Local = locals[i] }),
        ];
    }

    /// <summary>Why a connection uses the relay.</summary>
    public RelayVerdict Explain(GimletConnection connection)
    {
        if (connection.Quic.CurrentPath.Value > 0)
        {
            return RelayVerdict.NotRelayed;
        }

        return _options.NoHolepunch ? new RelayVerdict(RelayCause.OwnHolepunchOff, RelayEvidence.None)
            : connection.Policy.AllowsDirect && !connection.PeerUsesDirect ? new RelayVerdict(RelayCause.PeerUnsupported, RelayEvidence.None)
            : !connection.UsesDirect
                ? new RelayVerdict(connection.Policy.AllowsDirect ? RelayCause.RaceLost : RelayCause.RelayOnlyPolicy, RelayEvidence.None)
            : _host.Run(static (host, _, p) => host.Peers.Explain(p), connection.RemotePeer);
    }

    /// <summary>Calls whose record has not ended.</summary>
    public int RecordCount => _records.Count;

    /// <summary>Connections, from the moment when they are begun.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_gate)
            {
                return _members.Values.Sum(static m => m.Count);
            }
        }
    }

    /// <summary>What this node does, in numbers.</summary>
    public NodeStatistics GetStatistics() => _host.Statistics.GetStatistics();

    /// <summary>News of a call.</summary>
    public void Record(CallEvent news)
    {
        _records.Handle(news, peer => MembersOf(peer).Any(static m => m.Connection is not null));
        if (news is CallRouted && FindDial(d => d.CurrentCall == news.Handle) is { } dial)
        {
            dial.NoteRouted();
        }

        if (news is CallIntroduced or CallSharesPath or CallFailed { LeavesRelay: true } && FindDial(d => d.CurrentCall == news.Handle) is { } introduced)
        {
            introduced.NoteIntroduced();
        }
    }

    /// <summary>QUIC hears nothing on a path.</summary>
    public void PathSilent(GimletConnection connection, QuicPath path)
    {
        _host.TryRun(static (host, now, s) => host.Peers.HandleSilence(s.RemotePeer, host.Paths.AddressOf(s.path), now), (connection.RemotePeer, path));
        _host.HurryRelayTo(connection.RemotePeer);
    }

    /// <summary>The peer's newest data came on a path.</summary>
    public void PeerMoved(GimletConnection connection, QuicPath path)
    {
        if (MembersOf(connection.RemotePeer).FirstOrDefault(m => m.Connection == connection) is not { } member)
        {
            return;
        }

        if (path.Value < 0 && !member.Policy.AllowsDirect)
        {
            // This connection is on the relay by one side's will; that says nothing of the direct path.
            return;
        }

        _host.TryRun(static (host, now, s) => host.Peers.HandlePeerMoved(s.RemotePeer, host.Paths.AddressOf(s.path), now), (connection.RemotePeer, path));
    }

    /// <summary>A handler of the application threw: the log has the whole story.</summary>
    public void HandlerFailed(Exception exception) => NodeLog.Bug(_logger, exception);

    /// <summary>The peer has named its process: whatever was there with an older one is over.</summary>
    public void HelloReceived(GimletConnection connection)
    {
        Member[] stale;
        lock (_gate)
        {
            stale = !_members.TryGetValue(connection.RemotePeer, out List<Member>? members)
                ? []
                : [.. members.Where(m => m.Connection is { PeerInstance: not 0 } c && c.PeerInstance != connection.PeerInstance)];
        }

        Heed(connection);
        foreach (Member member in stale)
        {
            NodeLog.PeerRestarted(_logger, connection.RemotePeer);
            _ = member.Connection!.CloseAsync(CloseCodes.Restarted, "the peer has started again");
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Ended(GimletConnection connection)
    {
        Leave(connection.RemotePeer, connection.Quic);
        _records.End(connection.Call, null, connection.Path?.Kind, CauseOf(connection));
        _host.TryRun(
            static (host, now, s) => host.Peers.RemoveConnection(s.RemotePeer, s.CountsDirect, now), (connection.RemotePeer, CountsDirect: connection.TryLeaveDirect()));
        NodeLog.ConnectionEnded(_logger, connection.Call, connection.RemotePeer, connection.Closed.IsCompleted ? "closed" : "ended");
    }

    /// <summary>The server says that a peer cannot be reached by it.</summary>
    public void Unreachable(PeerId peer)
    {
        foreach (Member member in MembersOf(peer))
        {
            member.Connection?.NoteUnreachable();
        }
    }

    /// <summary>A connection moved from one kind of path to another.</summary>
    public void CountMove(PathKind from, PathKind to, GimletConnection connection) =>
        NodeLog.PathMoved(_logger, connection.Call, from.ToString(), to.ToString(), connection.Elapsed.TotalMilliseconds);

    /// <summary>The peer table's news.</summary>
    public void Handle(PeerEvent news)
    {
        switch (news)
        {
            case PathChosen chosen:
                Apply(chosen);
                break;
            case PathWorksAgain works:
                foreach (Member member in MembersOf(works.Peer))
                {
                    _ = member.Quic.TryUsePath(member.Quic.CurrentPath);
                }

                break;
            case PunchEnded punch:
                NotePunch(punch);
                break;
            case DialFailed failed:
                if (FindDial(d => d.CurrentCall == failed.Call) is { } dial)
                {
                    dial.Fail(new GimletException(failed.Kind, failed.Message, failed.Hint));
                }

                break;
            case ExpectedDialEnded ended:
                _records.End(ended.Call, GimletErrorKind.TimedOut, null, RelayCause.NotIntroduced);
                foreach (Dial waiting in ended.IsLast ? FindDials(ended.Peer) : [])
                {
                    if (waiting.IsJoining && waiting.Protocol == ended.Protocol)
                    {
                        waiting.NoteAlone();
                    }
                }

                break;
            case DialGlared glared:
                if (FindDial(d => d.CurrentCall == glared.Call) is { } loser)
                {
                    Join(loser);
                }

                break;
            default:
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_listener is not null)
        {
            await _listener.DisposeAsync().ConfigureAwait(false);
        }

        await _accepting.ConfigureAwait(false);
        GimletConnection[] connections;
        Dial[] dials;
        lock (_gate)
        {
            _isClosed = true;
            connections = [.. _members.Values.SelectMany(static m => m).Select(static m => m.Connection).OfType<GimletConnection>()];
            dials = [.. _dials];
        }

        foreach (Dial dial in dials)
        {
            dial.Fail(new ObjectDisposedException(nameof(GimletNode)));
        }

        await Task.WhenAll(connections.Select(static c => c.CloseAsync(CloseCodes.Normal, "the node was disposed"))).ConfigureAwait(false);
        foreach (Channel<GimletConnection> queue in _accepted.Values)
        {
            _ = queue.Writer.TryComplete();
        }

        _records.Close();
        _stop.Dispose();
    }

    // Why the path that a connection has, or had at its end, is not direct.
    private RelayCause CauseOf(GimletConnection connection)
    {
        if (connection.Quic.CurrentPath.Value > 0)
        {
            return connection.Path is null ? RelayCause.PathDied : RelayCause.NotRelayed;
        }

        try
        {
            return Explain(connection).Cause;
        }
        catch (ObjectDisposedException)
        {
            return RelayCause.StillTrying;
        }
    }

    private ConnectionPath Describe(QuicPath path, TimeSpan roundTrip)
    {
        if (path.Value > 0)
        {
            return new ConnectionPath(PathKind.Direct, _host.Paths.GetRemoteEndPoint(path), _host.Paths.KindOf(path), roundTrip);
        }

        int session = _host.Paths.SessionOf(path);
        return new ConnectionPath(PathKind.Relay, null, CandidateKind.Relayed, roundTrip) { Server = _host.ServerOf(session) };
    }

    private void Apply(PathChosen chosen)
    {
        QuicPath relay = _host.Paths.ToRelay(chosen.Peer, session: -1);
        foreach (Member member in MembersOf(chosen.Peer))
        {
            if (chosen.Direct is { } direct)
            {
                member.Connection?.NoteDirectFound();
                if (member.MayGoDirect)
                {
                    member.Connection?.NotePathReason(chosen.Reason);
                    _ = member.Quic.TryUsePath(_host.Paths.To(direct.Remote));
                }
            }
            else if (chosen.LeftSilent && member.Connection is null && FindDial(d => d.IsAttempt(member.Quic)) is { } dial && TryBeginAgain(dial, member.Quic))
            {
                // Its handshake was on a path that is dead, or led to a process that is no more; QUIC moves no handshake.
                continue;
            }
            else if (member.Policy.AllowsRelay)
            {
                member.Connection?.NotePathReason(chosen.Reason);
                QuicPath before = member.Quic.CurrentPath;
                _ = chosen.LeftSilent && before != relay ? member.Quic.AbandonPath(before, relay) : member.Quic.TryUsePath(relay);
            }
        }

        if (chosen.Direct is not null)
        {
            foreach (Dial dial in FindDials(chosen.Peer).Where(static d => d.Policy.AllowsDirect))
            {
                dial.NoteDirect();
            }
        }
    }

    private void NotePunch(PunchEnded punch)
    {
        if (punch.Outcome == PunchOutcome.Succeeded)
        {
            return;
        }

        GimletErrorKind kind = punch.Outcome == PunchOutcome.Failed ? GimletErrorKind.PunchFailed : GimletErrorKind.Unsupported;
        // Of a dial that has joined it is the peer's call that looks for paths.
        foreach (Dial dial in FindDials(punch.Peer).Where(d => d.IsJoining || d.CurrentCall == punch.Call))
        {
            dial.NoteNoDirect(new GimletException(kind, punch.Message ?? "No direct path could be opened."));
        }
    }

    private Member[] MembersOf(PeerId peer)
    {
        lock (_gate)
        {
            return _members.TryGetValue(peer, out List<Member>? members) ? [.. members] : [];
        }
    }

    private Dial? FindDial(Predicate<Dial> predicate)
    {
        lock (_gate)
        {
            return _dials.Find(predicate);
        }
    }

    private Dial[] FindDials(PeerId peer)
    {
        lock (_gate)
        {
            return [.. _dials.Where(d => d.Peer == peer)];
        }
    }

    private Member Enter(PeerId peer, QuicConnection quic, PathPolicy policy)
    {
        var member = new Member(quic, policy);
        lock (_gate)
        {
            if (!_members.TryGetValue(peer, out List<Member>? members))
            {
                _members[peer] = members = [];
            }

            members.Add(member);
        }

        return member;
    }

    private void Leave(PeerId peer, QuicConnection quic)
    {
        lock (_gate)
        {
            if (_members.TryGetValue(peer, out List<Member>? members) && members.RemoveAll(m => m.Quic == quic) > 0 && members.Count == 0)
            {
                _ = _members.Remove(peer);
            }
        }
    }

    /// <summary>One of a peer's connections, from the moment when it is begun.</summary>
    private sealed class Member(QuicConnection quic, PathPolicy policy)
    {
        public QuicConnection Quic { get; } = quic;

        /// <summary>Which paths it may use: by its own side's wish, and what the peer's hello says, and what a race came to.</summary>
        public PathPolicy Policy { get; set; } = policy;

        /// <summary>
        /// It stays on the path that it began on until the peer's hello says what that side wants: the peer dialled by the relay and named no address, which it does where
        /// it wants no direct path, and where it had one.
        /// </summary>
        public bool AwaitsHello { get; set; }

        public bool MayGoDirect => Policy.AllowsDirect && !AwaitsHello;

        /// <summary>Null until its handshake is complete.</summary>
        public GimletConnection? Connection { get; set; }
    }
}
