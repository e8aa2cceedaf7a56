using System.Net;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Serverless;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;
using Datagram = Gimlet.Calls.Datagram;

namespace Gimlet.Tests.Support;

/// <summary>
/// Whole nodes without their sockets, a rendezvous server of a few lines, STUN servers, and a virtual clock. One way takes 20 ms. The wire
/// has no NAT.
/// </summary>
internal sealed class NodeWorld : IDisposable
{
    public static readonly TransportAddress StunServer = TransportAddress.Parse("198.51.100.100:3478");

    private readonly PriorityQueue<Action, (TimeSpan At, int Order)> _due = new();
    private readonly List<WorldNode> _nodes = [];
    private int _order;

    public static TimeSpan OneWay { get; } = TimeSpan.FromMilliseconds(20);

    public TimeSpan Now { get; private set; }

    /// <summary>What a test does to a signal on its way to a node: returns what arrives instead, or null for nothing.</summary>
    public Func<WorldNode, SignalMessage, SignalMessage?> OnSignal { get; set; } = static (_, message) => message;

    /// <summary>Datagrams for which this is true are lost.</summary>
    public Func<TransportAddress, TransportAddress, byte[], bool> Loses { get; set; } = static (_, _, _) => false;

    public List<(TransportAddress From, TransportAddress To, byte[] Bytes)> Datagrams { get; } = [];

    public WorldNode Add(NodeIdentity identity, string address, Func<NodeCoreOptions, NodeCoreOptions>? configure = null, bool stun = true)
    {
        var options = new NodeCoreOptions { Identity = identity, Traversal = new TraversalOptions(), Random = SeededRandom.From(_nodes.Count + 1), Servers = 1 };
        var node = new WorldNode(configure?.Invoke(options) ?? options, TransportAddress.Parse(address));
        _nodes.Add(node);
        node.Core.Start((node.Address.Port, node.Address.Port), [node.Address.ToIPAddress()], Now);
        node.Core.AddStunTargets(stun ? [new StunTarget(StunServer)] : [], Now);
        Collect();
        return node;
    }

    /// <summary>The server relays. Relayed datagrams are nobody's business here.</summary>
    public bool Relays { get; set; }

    /// <summary>The numbers of the servers' processes, by session; those that have none do not say.</summary>
    public Dictionary<int, byte> Instances { get; } = [];

    /// <summary>The server's first word.</summary>
    public void Challenge(WorldNode node, int session) =>
        Tell(node, session, new ChallengeMessage { Nonce = new byte[32], Server = Instances.TryGetValue(session, out byte of) ? [of, .. new byte[15]] : null });

    /// <summary>Registers with a server; what that takes is over at once.</summary>
    public void Register(WorldNode node, int session = 0)
    {
        node.Core.SignallingOpened(session, "test:1", Now);
        Challenge(node, session);
        Tell(node, session, new RegisteredMessage { KeepAliveMs = 15_000, Limits = Relays ? new LimitsDescription { RelayFrameBytes = 65_536 } : null });
    }

    public void Tell(WorldNode node, int session, SignalMessage message)
    {
        if (OnSignal(node, message) is { } arrives)
        {
            node.Core.HandleSignal(session, SignalCodec.Write(arrives), Now);
            Collect();
        }
    }

    public CallId Dial(WorldNode caller, PeerId peer)
    {
        CallId id = caller.Core.NewCallId();
        caller.Core.Dial(id, peer, Now);
        Collect();
        return id;
    }

    public CallId DialServerless(WorldNode node, TransportAddress target, PeerId expected, bool initiator = false, double timeout = 10)
    {
        CallId id = node.Core.NewCallId();
        node.Core.DialServerless(id, target, expected, new ServerlessTimers(TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(timeout), initiator), Now);
        Collect();
        return id;
    }

    public void Do(Action action)
    {
        action();
        Collect();
    }

    public void Inject(TransportAddress from, WorldNode to, byte[] bytes)
    {
        to.Core.HandleDatagram(Now, to.Address, from, bytes);
        Collect();
    }

    public void Run(double seconds) => _ = Run(Now + TimeSpan.FromSeconds(seconds), static () => false);

    public void RunUntil(Func<bool> holds, double withinSeconds) =>
        Assert.True(Run(Now + TimeSpan.FromSeconds(withinSeconds), holds), $"it did not happen within {withinSeconds} s");

    public void Dispose() => _nodes.ForEach(n => n.Core.Dispose());

    private bool Run(TimeSpan end, Func<bool> holds)
    {
        int guard = 0;
        TimeSpan last = Now;
        while (!holds())
        {
            TimeSpan next = _nodes.Min(static n => n.NextTimeout);
            if (_due.TryPeek(out _, out (TimeSpan At, int Order) head))
            {
                next = head.At < next ? head.At : next;
            }

            if (next > end)
            {
                Now = end;
                return holds();
            }

            Now = next > Now ? next : Now;
            guard = Now == last ? guard + 1 : 0;
            last = Now;
            Assert.True(guard < 1000, "the nodes spin: a timer is due and nothing comes of it");
            while (_due.TryPeek(out Action? action, out head) && head.At <= Now)
            {
                _ = _due.Dequeue();
                action();
                Collect();
            }

            foreach (WorldNode node in _nodes)
            {
                if (node.NextTimeout <= Now)
                {
                    node.Core.HandleTimeout(Now);
                    node.Peers?.HandleTimeout(Now);
                }
            }

            Collect();
        }

        return true;
    }

    private void Collect()
    {
        foreach (WorldNode node in _nodes)
        {
            // First of all: what the peer table makes of news may be a call.
            while (node.Core.PollEvent(out NodeEvent? news))
            {
                node.Events.Add(news!);
                node.Peers?.Handle(news!, Now);
            }

            while (node.Peers?.PollEvent(out PeerEvent? chosen) == true)
            {
                node.Events.Add(chosen!);
                node.Choices.Add((Now, chosen!));
            }

            while (node.Core.PollDatagram(out Datagram datagram))
            {
                byte[] bytes = datagram.Bytes.ToArray();
                TransportAddress to = datagram.Remote;
                node.Core.Return(datagram);
                Datagrams.Add((node.Address, to, bytes));
                if (!Loses(node.Address, to, bytes))
                {
                    Later(() => Deliver(node.Address, to, bytes));
                }
            }

            while (node.Core.PollSignal(out int session, out SignalMessage? message))
            {
                node.Signals.Add((session, message!));
                node.SignalTimes.Add((Now, message!));
                Later(() => Serve(node, session, message!));
            }
        }
    }

    private void Later(Action action) => _due.Enqueue(action, (Now + OneWay, _order++));

    private void Deliver(TransportAddress from, TransportAddress to, byte[] bytes)
    {
        if (to == StunServer && StunMessage.TryParse(bytes, out StunMessage request))
        {
            byte[] buffer = new byte[128];
            var answer = StunMessageBuilder.ResponseTo(buffer, StunClass.Success, request);
            answer.AddXorMappedAddress(from);
            byte[] response = buffer[..answer.Length];
            Later(() => Deliver(StunServer, from, response));
            return;
        }

        _nodes.Find(n => n.Address == to)?.Core.HandleDatagram(Now, to, from, bytes);
    }

    /// <summary>The little of a server that the tests need.</summary>
    private void Serve(WorldNode from, int session, SignalMessage message)
    {
        switch (message)
        {
            case RegisterMessage register:
                from.Registration = register;
                break;
            case PingMessage ping when from.Peers is not null && from.Core.IsRegistered(session):
                Later(() => Tell(from, session, new PongMessage { Id = ping.Id }));
                break;
            case ConnectMessage connect when _nodes.Find(n => n.Core.Id.ToString() == connect.Target && n.Core.IsRegistered(session) && n.Registration is not null) is { } callee:
                var introduce = new IntroduceMessage { Call = connect.Call, Peer = connect.Target, PublicKey = callee.Registration!.PublicKey, Prekey = callee.Registration.Prekey, Candidates = callee.Candidates, Capabilities = callee.Registration.Capabilities };
                var incoming = new IncomingMessage { Call = connect.Call, Peer = from.Core.Id.ToString(), PublicKey = from.Registration!.PublicKey, Ephemeral = connect.Ephemeral, Candidates = connect.Candidates, Nat = connect.Nat, Capabilities = from.Registration.Capabilities, Protocol = connect.Protocol, Proof = connect.Proof };
                Later(() => Tell(callee, session, incoming));
                if (callee.Registration.Accept == AcceptMode.Open)
                {
                    Later(() => Tell(from, session, introduce));
                }
                else
                {
                    callee.Waiting[connect.Call!] = candidates => Tell(from, session, introduce with { Candidates = candidates ?? introduce.Candidates });
                }

                break;
            case ConnectMessage connect:
                Later(() => Tell(from, session, new RejectMessage { Call = connect.Call, Reason = RejectReason.Offline }));
                break;
            case AcceptMessage accept when from.Waiting.Remove(accept.Call!, out Action<CandidateDescription[]?>? go):
                Later(() => go(accept.Candidates));
                break;
            case HangupMessage hangup:
                ConnectMessage? over = from.Said<ConnectMessage>().FirstOrDefault(c => c.Call == hangup.Call);
                if (_nodes.Find(n => n.Core.Id.ToString() == over?.Target && n.Core.IsRegistered(session)) is { } left)
                {
                    Later(() => Tell(left, session, hangup));
                }

                break;
            case RejectMessage reject:
                WorldNode? caller = _nodes.Find(n => n.Signals.Exists(s => s.Message is ConnectMessage c && c.Call == reject.Call));
                if (caller is not null)
                {
                    Later(() => Tell(caller, session, reject));
                }

                break;
            default:
                break;
        }
    }
}

/// <summary>A node in a <see cref="NodeWorld"/>.</summary>
internal sealed class WorldNode(NodeCoreOptions options, TransportAddress address)
{
    public NodeCore Core { get; } = new(options);

    public TransportAddress Address { get; set; } = address;

    /// <summary>Who uses which path; null in the tests of the core alone.</summary>
    public PeerTable? Peers { get; private set; }

    public TimeSpan NextTimeout => Peers is { } peers && peers.NextTimeout < Core.NextTimeout ? peers.NextTimeout : Core.NextTimeout;

    /// <summary>What the peer table said, and when.</summary>
    public List<(TimeSpan At, PeerEvent News)> Choices { get; } = [];

    /// <summary>What was said to the server, and when.</summary>
    public List<(TimeSpan At, SignalMessage Message)> SignalTimes { get; } = [];

    public List<NodeEvent> Events { get; } = [];

    public WorldNode WithPeers()
    {
        Peers = new PeerTable(Core);
        return this;
    }

    public List<(int Session, SignalMessage Message)> Signals { get; } = [];

    public RegisterMessage? Registration { get; set; }

    public Dictionary<string, Action<CandidateDescription[]?>> Waiting { get; } = [];

    public CandidateDescription[]? Candidates => Signals.FindLast(s => s.Message is UpdateMessage { Candidates: not null }).Message is UpdateMessage update ? update.Candidates : Registration?.Candidates;

    public IEnumerable<T> News<T>()
        where T : NodeEvent => Events.OfType<T>();

    public bool Has<T>()
        where T : NodeEvent => News<T>().Any();

    public IEnumerable<T> Said<T>()
        where T : SignalMessage => Signals.Select(s => s.Message).OfType<T>();
}
