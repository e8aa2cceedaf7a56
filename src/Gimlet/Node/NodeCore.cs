using System.Net;
using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Serverless;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Client;
using Gimlet.Stun.Discovery;

namespace Gimlet.Node;

/// <summary>
/// A whole node without sockets, tasks, clocks and locks: gathers candidates, speaks with its servers, calls and is called, keeps paths alive.
/// </summary>
/// <remarks>
/// Order: construct, <see cref="Start"/>; then feed any <c>Handle…</c>, <c>Add…</c>, <c>Set…</c> or command, and after each of them drain
/// <see cref="PollDatagram"/>, <see cref="PollSignal"/> and <see cref="PollEvent"/> until they return false; call <see cref="HandleTimeout"/> when
/// <see cref="NextTimeout"/> has come. <c>now</c> is the time since an origin of the host's choosing and never goes back. Not thread-safe.
/// </remarks>
internal sealed partial class NodeCore : IDisposable
{
    // How long an update may be on its way: TCP sends a lost segment again after 0.2, 0.6, 1.4, 3 and 6.2 s.
    private static readonly TimeSpan UpdateInFlight = TimeSpan.FromSeconds(10);

    private readonly NodeCoreOptions _options;
    private readonly Prekey _prekey;
    private readonly TransmitQueue _transmits = new();
    private readonly Queue<(int Session, SignalMessage Message)> _signals = new();
    private readonly Queue<NodeEvent> _events = new();
    private readonly CallContext _context;
    private readonly CallTable _calls;
    private readonly PendingDials _dials = new();
    private readonly IntroducedDials _introduced = new();
    private readonly IncomingGuard _incoming = new();
    private readonly Access.Admission _admission;
    private readonly ServerlessDials _serverless;
    private readonly CandidateGatherer _gatherer;
    private readonly List<SignallingSession> _sessions = [];
    private NatClassifier? _classifier;
    private int _announcedRevision;
    private HashSet<string> _announcedAddresses = [];

    private int _nextSession;
    private bool _fallbackAsked;

    public NodeCore(NodeCoreOptions options)
    {
        _options = options;
        _prekey = new Prekey(options.Identity);
        _admission = options.Admission ?? new Access.Admission(options.Policy, new Access.TicketBook(options.Random), options.Identity.Id);
        _context = new CallContext(options.Traversal, options.Identity.Id, _transmits, options.Random, options.AllowLoopback);
        _calls = new CallTable(_events, ExplainPunchFailure);
        _serverless = new ServerlessDials(_context, _calls, _events, options.Identity, _prekey);
        _gatherer = new CandidateGatherer(options.Traversal, options.AllowLoopback, options.Random);
        for (int i = 0; i < options.Servers; i++)
        {
            Add(options.Token, isConfigured: true);
        }
    }

    public PeerId Id => _options.Identity.Id;

    /// <summary>The candidates of this node.</summary>
    public IReadOnlyList<Candidate> Candidates => _gatherer.Candidates;

    /// <summary>The public address that peers are told first.</summary>
    public PublicAddress Public => _gatherer.Public;

    /// <summary>Every STUN server has answered or failed.</summary>
    public bool IsGatheringComplete => _gatherer.IsComplete;

    /// <summary>The public address is known, or it is known that nobody tells it.</summary>
    public bool IsPublicAddressSettled => _gatherer.IsSettled;

    /// <summary>A classification is under way; without one, gathering being complete, there will be none.</summary>
    public bool IsClassifying => _classifier is not null;

    /// <summary>Some STUN server has answered.</summary>
    public bool HasReflexiveAddress => _gatherer.Answers.Any();

    /// <summary>What each STUN server that was asked came to.</summary>
    public IReadOnlyList<StunServerResult> StunResults => [.. _gatherer.Answers, .. _gatherer.Failures];

    /// <summary>The NAT, as far as it is known; null before the classification has ended.</summary>
    public NatBehavior? Nat { get; private set; }

    /// <summary>Datagrams that no part of the node wanted: strangers, late answers, checks that do not verify.</summary>
    public long IgnoredDatagrams { get; private set; }

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = Min(_gatherer.NextTimeout, Min(_calls.NextTimeout, Min(_dials.NextTimeout, _serverless.NextTimeout)));
            foreach (SignallingSession session in _sessions)
            {
                next = Min(next, session.NextTimeout);
            }

            return Min(next, _classifier?.NextTimeout ?? TimeSpan.MaxValue);
        }
    }

    /// <summary>The sockets are bound and the interfaces read.</summary>
    /// <param name="ports">The local ports; 0 for a family without a socket.</param>
    /// <param name="hosts">The addresses of the interfaces.</param>
    /// <param name="now">The time.</param>
    public void Start((int IPv4, int IPv6) ports, IReadOnlyList<IPAddress> hosts, TimeSpan now)
    {
        _gatherer.LocalPorts = ports;
        SetHostAddresses(hosts, now);
    }

    /// <summary>The interfaces have these addresses now.</summary>
    public void SetHostAddresses(IReadOnlyList<IPAddress> hosts, TimeSpan now)
    {
        _gatherer.SetHosts(hosts, now);
        DrainGatherer(now);
    }

    /// <summary>The NAT may have forgotten this node: its public address is asked for again.</summary>
    public void RenewMappings(TimeSpan now)
    {
        _gatherer.Renew(now);
        DrainGatherer(now);
    }

    /// <summary>Asks these STUN servers as well.</summary>
    public void AddStunTargets(IEnumerable<StunTarget> targets, TimeSpan now)
    {
        _gatherer.AddTargets(targets, now);
        DrainGatherer(now);
    }

    /// <summary>Overrides the public address; an empty one ends the override.</summary>
    public void SetPublicAddress(TransportAddress address, TimeSpan now)
    {
        _gatherer.SetConfigured(address);
        DrainGatherer(now);
    }

    /// <summary>What the host found where STUN found nothing.</summary>
    public void SetFallback(TransportAddress address, PublicAddressSource source, string explanation, TimeSpan now)
    {
        _gatherer.SetFallback(address, source, explanation);
        DrainGatherer(now);
    }

    /// <summary>A datagram came in. Whoever it is from: it never throws.</summary>
    public void HandleDatagram(TimeSpan now, TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram, NodeSocketKind socket = NodeSocketKind.Main)
    {
        // RFC 9443: everything that is not STUN belongs to QUIC, and does not come here.
        if (!StunMessage.LooksLikeStun(datagram) || !StunMessage.TryParse(datagram, out StunMessage message) || message.Method != StunMethod.Binding)
        {
            // Garbage from a STUN server that was asked is a result as well, if nothing better comes from there.
            IgnoredDatagrams += socket == NodeSocketKind.Main && _gatherer.HandleDatagram(now, remote, local, datagram) ? 0 : 1;
            return;
        }

        bool taken = socket == NodeSocketKind.Probe
            ? HandleClassifierDatagram(now, local, remote, datagram, socket)
            : message.Class switch
            {
                StunClass.Request => HandleRequest(now, local, remote, message),
                StunClass.Success or StunClass.Error => HandleAnswer(now, local, remote, message, datagram),
                _ => false,
            };
        if (!taken)
        {
            // Nothing has changed, so nothing is looked through: a stranger's datagram costs the same however many calls there are.
            IgnoredDatagrams++;
            return;
        }

        AfterCalls(now);
    }

    /// <summary>A datagram could not be sent, for a reason of this machine or its network.</summary>
    public void HandleSendFailure(TimeSpan now, TransportAddress remote, string reason, NodeSocketKind socket = NodeSocketKind.Main)
    {
        if (socket == NodeSocketKind.Main)
        {
            _gatherer.HandleSendFailure(now, remote, reason);
            DrainGatherer(now);
        }

        _classifier?.HandleSendFailure(now, socket == NodeSocketKind.Probe ? ProbeSocket.Filtering : ProbeSocket.Mapping, remote, reason);
        DrainClassifier(now);
    }

    public void HandleTimeout(TimeSpan now)
    {
        _gatherer.HandleTimeout(now);
        DrainGatherer(now);
        foreach (SignallingSession session in _sessions)
        {
            session.HandleTimeout(now);
        }

        foreach (PendingDial dial in _dials.Expired(now))
        {
            string message = dial.Session < 0
                ? "No server could be reached in time to carry the call."
                : $"Neither the server nor {dial.Peer} answered the call within {_options.Traversal.IntroductionTimeout.TotalSeconds:0.#} s.";
            FailDial(dial, now, dial.Session < 0 ? GimletErrorKind.ServerUnreachable : GimletErrorKind.TimedOut, message, null);
        }

        _serverless.HandleTimeout(now);
        _calls.HandleTimeout(now);
        DrainClassifier(now);
        AfterCalls(now);
    }

    public bool PollDatagram(out Datagram datagram) => _transmits.TryDequeue(out datagram);

    /// <summary>Gives back the buffer of a datagram that was polled.</summary>
    public void Return(in Datagram datagram) => _transmits.Return(datagram.Buffer);

    public bool PollSignal(out int session, out SignalMessage? message)
    {
        bool any = _signals.TryDequeue(out (int Session, SignalMessage Message) next);
        session = next.Session;
        message = next.Message;
        return any;
    }

    public bool PollEvent(out NodeEvent? news) => _events.TryDequeue(out news);

    public void Dispose()
    {
        foreach (NodeCall call in _calls.All)
        {
            call.Agent.Dispose();
        }

        foreach (PendingDial dial in _dials.All)
        {
            dial.Dispose();
        }

        _prekey.Dispose();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private bool HandleRequest(TimeSpan now, TransportAddress local, TransportAddress remote, in StunMessage request) =>
        CheckMessages.TryReadUsername(request, out CallId id, out bool fromCaller)
            ? _calls.TryFind(id, out NodeCall? call) && call!.Agent.IsCaller != fromCaller && call.Agent.HandleRequest(now, local, remote, request)
            : _serverless.HandleRequest(now, local, remote, request) || HandleClassifierDatagram(now, local, remote, request.Bytes, NodeSocketKind.Main);

    private bool HandleAnswer(TimeSpan now, TransportAddress local, TransportAddress remote, in StunMessage answer, ReadOnlySpan<byte> datagram)
    {
        // Peeked, not taken, until it has verified: a forged answer must not use up the transaction of the true one.
        if (_context.Transactions.TryPeek(answer.TransactionId, out CheckTransaction transaction))
        {
            if (!transaction.Agent.HandleAnswer(now, local, remote, transaction, answer))
            {
                return false;
            }

            return _context.Transactions.TryTake(answer.TransactionId, out _);
        }

        if (_gatherer.HandleDatagram(now, remote, local, datagram))
        {
            DrainGatherer(now);
            return true;
        }

        return HandleClassifierDatagram(now, local, remote, datagram, NodeSocketKind.Main) || _serverless.HandleAnswer(now, remote, answer);
    }

    private void AfterCalls(TimeSpan now)
    {
        // Calls that were born or woken just now send their first check in the same breath.
        _calls.HandleTimeout(now);
        if (_calls.PathWasLost)
        {
            // A NAT that forgot its mappings gives new ones; the peer needs to hear of them to open its own.
            _calls.PathWasLost = false;
            _gatherer.Renew(now);
            DrainGatherer(now);
        }
    }

    private void DrainGatherer(TimeSpan now)
    {
        while (true)
        {
            byte[] buffer = _transmits.Rent();
            if (!_gatherer.PollTransmit(out TransportAddress destination, buffer, out int length))
            {
                _transmits.Return(buffer);
                break;
            }

            _transmits.Enqueue(destination, default, NodeSocketKind.Main, buffer, length);
        }

        if (_gatherer.NeedsFallback && !_fallbackAsked)
        {
            _fallbackAsked = true;
            _events.Enqueue(new FallbackNeeded());
        }

        if (_gatherer.Revision != _announcedRevision)
        {
            _announcedRevision = _gatherer.Revision;
            _fallbackAsked = _gatherer.NeedsFallback;
            _events.Enqueue(new CandidatesChanged(_gatherer.Public, _gatherer.Candidates.Count));
            AnnounceCandidates(now);
        }

        NoteGathering();
        MaybeClassify(now);
    }
}
