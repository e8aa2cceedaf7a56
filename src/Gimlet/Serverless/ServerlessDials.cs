using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Node;
using Gimlet.Sockets;
using Gimlet.Stun;

namespace Gimlet.Serverless;

/// <summary>
/// Connections between two people who exchanged addresses by hand: sends hellos until the other's arrives, derives the call's keys from
/// both pre-keys, and hands over to an ordinary call (docs/protocol.md section 4). Sans-IO, part of the node's core.
/// </summary>
internal sealed class ServerlessDials(CallContext context, CallTable calls, Queue<NodeEvent> events, NodeIdentity identity, Prekey prekey)
{
    // Each verification costs some 50 us and a stranger can ask for one by copying the peer's public key: this many per second are let through.
    private const int VerificationsPerSecond = 50;

    private readonly List<ServerlessDial> _dials = [];
    private readonly CheckBudget _verifications = new(VerificationsPerSecond);

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (ServerlessDial dial in _dials)
            {
                TimeSpan due = dial.NextHello < dial.Deadline ? dial.NextHello : dial.Deadline;
                next = due < next ? due : next;
            }

            return next;
        }
    }

    /// <summary>Begins.</summary>
    /// <param name="handle">What events call it.</param>
    /// <param name="target">The address that was typed in.</param>
    /// <param name="expected">The id that was typed in; empty to believe whoever answers from that IP address.</param>
    /// <param name="options">Timers and the role.</param>
    /// <param name="now">The time.</param>
    public void Add(CallId handle, TransportAddress target, PeerId expected, ServerlessTimers options, TimeSpan now)
    {
        _dials.Add(new ServerlessDial(handle, target, expected, options, now));
        HandleTimeout(now);
    }

    /// <summary>The host does not want it any more.</summary>
    public void Cancel(CallId handle) => _dials.RemoveAll(d => d.Handle == handle);

    /// <summary>A request that is not a check: a hello, perhaps.</summary>
    public bool HandleRequest(TimeSpan now, TransportAddress local, TransportAddress remote, in StunMessage request)
    {
        if (_dials.Count == 0 || !TryMatch(now, remote, request, out ServerlessDial? dial, out PeerHello hello))
        {
            return false;
        }

        byte[] buffer = context.Transmits.Rent();
        int length = HelloMessages.Write(buffer, StunClass.Success, request.TransactionId, Own(dial!), remote);
        context.Transmits.Enqueue(remote, local, NodeSocketKind.Main, buffer, length);
        Meet(dial!, hello, remote, now);
        return true;
    }

    /// <summary>An answer that is nobody else's: to one of our hellos, perhaps.</summary>
    public bool HandleAnswer(TimeSpan now, TransportAddress remote, in StunMessage answer)
    {
        StunTransactionId id = answer.TransactionId;
        if (!_dials.Exists(d => d.HelloIds.Contains(id) && d.Target == remote) || !TryMatch(now, remote, answer, out ServerlessDial? dial, out PeerHello hello))
        {
            return false;
        }

        Meet(dial!, hello, remote, now);
        return true;
    }

    public void HandleTimeout(TimeSpan now)
    {
        for (int i = _dials.Count - 1; i >= 0; i--)
        {
            ServerlessDial dial = _dials[i];
            if (now >= dial.Deadline)
            {
                _dials.RemoveAt(i);
                if (dial.Met is null)
                {
                    events.Enqueue(new CallFailed(
                        dial.Handle,
                        GimletErrorKind.PeerNotReachable,
                        $"Nobody answered from {dial.Target} within {dial.Timers.Timeout.TotalSeconds:0.#} s: {dial.HellosSent} hellos were sent and no valid one came back.",
                        null));
                }
            }
            else if (now >= dial.NextHello)
            {
                SendHello(dial, now);
            }
        }
    }

    private OwnHello Own(ServerlessDial dial) => new(identity.PublicKey.ToArray(), prekey.Point, prekey.HelloSignature, dial.Timers.IsInitiator);

    private void SendHello(ServerlessDial dial, TimeSpan now)
    {
        // Once the peer is known its hellos are still answered, for it may have missed ours, but checks do the rest.
        dial.NextHello = dial.Met is null ? now + dial.Timers.Interval : TimeSpan.MaxValue;
        if (dial.Met is not null)
        {
            return;
        }

        StunTransactionId id = context.NewTransactionId();
        dial.RememberHello(id);
        byte[] buffer = context.Transmits.Rent();
        int length = HelloMessages.Write(buffer, StunClass.Request, id, Own(dial), default);
        context.Transmits.Enqueue(dial.Target, default, NodeSocketKind.Main, buffer, length);
    }

    private bool TryMatch(TimeSpan now, TransportAddress remote, in StunMessage message, out ServerlessDial? dial, out PeerHello hello)
    {
        hello = default;
        dial = null;
        if (!HelloMessages.TryPeekSender(message, out PeerId sender) || sender == identity.Id)
        {
            return false;
        }

        // The typed id decides; only where none was typed, the address does. A peer that was met stays who it was.
        dial = _dials.Find(d => d.Met is { } met ? met.Id == sender : d.Expected.IsEmpty ? d.Target.SameAddress(remote) : d.Expected == sender);
        return dial is not null && _verifications.TryTake(now) && HelloMessages.TryRead(message, out hello);
    }

    private void Meet(ServerlessDial dial, PeerHello hello, TransportAddress remote, TimeSpan now)
    {
        bool selfIsSmaller = identity.Id < hello.Id;
        byte[] smaller = selfIsSmaller ? prekey.Point : hello.Prekey;
        byte[] larger = selfIsSmaller ? hello.Prekey : prekey.Point;
        CallId id = HelloMessages.CallIdOf(smaller, larger);
        if (calls.TryFind(id, out NodeCall? known))
        {
            AddAddress(known!.Agent, dial, remote, now);
            return;
        }

        if (dial.Met is not null)
        {
            // An old hello after the end of the call, or the peer has started anew: this dial has had its call, and whoever waited for it knows.
            return;
        }

        PeerId caller = selfIsSmaller ? identity.Id : hello.Id;
        PeerId callee = selfIsSmaller ? hello.Id : identity.Id;
        var keys = CallKeys.TryDerive(prekey.Key, hello.Prekey, id, caller, callee);
        if (keys is null)
        {
            return;
        }

        // The one who called itself the initiator controls; with none or two of them the smaller id does.
        bool controlling = dial.Timers.IsInitiator == hello.IsInitiator ? selfIsSmaller : dial.Timers.IsInitiator;
        dial.Met = hello;
        dial.NextHello = TimeSpan.MaxValue;
        var agent = new CallAgent(context, calls, id, hello.Id, isCaller: selfIsSmaller, controlling, keys, now)
        {
            // Typed by this machine's user, who means it; no peer or server can name it.
            AllowLoopback = dial.Target.IsLoopback,
        };
        calls.Add(new NodeCall(dial.Handle, agent, session: -1, isIncoming: false, isAuthenticated: !dial.Expected.IsEmpty, dial.StartedAt, peerNat: null));
        agent.AddRemote(new Candidate(CandidateKind.ServerReflexive, dial.Target), now);
        AddAddress(agent, dial, remote, now);
    }

    // A NAT that maps per destination shows another port than was typed, so a hello's source is worth a check. But whoever saw the hello can
    // send a copy from any address: not more than three checks go there until the peer's own check vouches for it, and to few such addresses.
    private static void AddAddress(CallAgent agent, ServerlessDial dial, TransportAddress remote, TimeSpan now)
    {
        if (remote != dial.Target && dial.TryNoteAddress(remote))
        {
            agent.AddRemote(new Candidate(CandidateKind.PeerReflexive, remote, Unverified: true), now);
        }
    }
}

/// <summary>How a serverless dial behaves.</summary>
/// <param name="Interval">The pause between hellos.</param>
/// <param name="Timeout">How long to wait for the other person.</param>
/// <param name="IsInitiator">This side wants to control.</param>
internal sealed record ServerlessTimers(TimeSpan Interval, TimeSpan Timeout, bool IsInitiator);

/// <summary>One address that a person typed in.</summary>
internal sealed class ServerlessDial(CallId handle, TransportAddress target, PeerId expected, ServerlessTimers timers, TimeSpan now)
{
    // Answers later than this many hellos are of no use.
    private const int RememberedHellos = 16;

    // The peer's own, and some more from a NAT that forgets its mappings within seconds.
    private const int MaxAddresses = 4;

    private readonly HashSet<TransportAddress> _addresses = [];

    public CallId Handle { get; } = handle;

    public TransportAddress Target { get; } = target;

    public PeerId Expected { get; } = expected;

    public ServerlessTimers Timers { get; } = timers;

    public TimeSpan StartedAt { get; } = now;

    public TimeSpan Deadline { get; } = now + timers.Timeout;

    public TimeSpan NextHello { get; set; } = now;

    /// <summary>Whose hello was believed; null before that.</summary>
    public PeerHello? Met { get; set; }

    public Queue<StunTransactionId> HelloIds { get; } = new();

    public int HellosSent { get; private set; }

    /// <summary>False when hellos came from too many addresses already.</summary>
    public bool TryNoteAddress(TransportAddress address) => _addresses.Contains(address) || (_addresses.Count < MaxAddresses && _addresses.Add(address));

    public void RememberHello(in StunTransactionId id)
    {
        HellosSent++;
        HelloIds.Enqueue(id);
        if (HelloIds.Count > RememberedHellos)
        {
            _ = HelloIds.Dequeue();
        }
    }
}
