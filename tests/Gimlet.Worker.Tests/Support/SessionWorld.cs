using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gimlet.Identity;
using Gimlet.Sockets;
using Gimlet.Worker.Session;

namespace Gimlet.Worker.Tests.Support;

/// <summary>A session on a virtual clock; what it wants done as short texts, which are taken by <see cref="Done"/>.</summary>
internal sealed class SessionWorld : IDisposable
{
    public const string Authority = "rendezvous.example.org:443";
    public const string Dialled = "203.0.113.7:41002";

    private readonly NodeIdentity _first = NodeIdentity.Create();
    private readonly NodeIdentity _second = NodeIdentity.Create();
    private readonly List<WorkerAction> _taken = [];

    public SessionWorld(bool isSmaller = true, bool isNodeReady = true, Func<WorkerSessionOptions, WorkerSessionOptions>? with = null)
    {
        (Self, Peer) = _first.Id < _second.Id == isSmaller ? (_first, _second) : (_second, _first);
        var options = new WorkerSessionOptions
        {
            WorkerId = "me",
            Rendezvous = new Uri("https://rendezvous.example.org"),
            Authority = Authority,
            Identity = Self,
        };
        Session = new WorkerSession(with?.Invoke(options) ?? options);
        Session.SetEndpoint(TransportAddress.Parse("198.51.100.1:8081"));
        if (isNodeReady)
        {
            Session.HandleNodeReady(Now);
        }
    }

    public NodeIdentity Self { get; }

    public NodeIdentity Peer { get; }

    public WorkerSession Session { get; }

    public TimeSpan Now { get; private set; }

    public IEnumerable<WorkerTrouble> Troubles => _taken.OfType<TellNews>().Select(static t => t.News).OfType<WorkerTrouble>();

    /// <summary>What was wanted since the last time.</summary>
    public IReadOnlyList<string> Done
    {
        get
        {
            var texts = new List<string>();
            while (Session.Poll(out WorkerAction? action))
            {
                _taken.Add(action!);
                texts.Add(Describe(action!));
            }

            return texts;
        }
    }

    /// <summary>Lets time pass, with every timer at its moment.</summary>
    public SessionWorld Wait(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        while (Session.NextTimeout <= end)
        {
            Assert.True(Session.NextTimeout >= Now, "a timer is due in the past");
            Now = Session.NextTimeout;
            Session.HandleTimeout(Now);
            Assert.True(Session.NextTimeout > Now, "a timer is due twice");
        }

        Now = end;
        return this;
    }

    public void Say(string message) => Session.HandleMessage(Encoding.UTF8.GetBytes(message), Now);

    /// <summary>The rendezvous offers somebody.</summary>
    public void Offer(string worker = "B", bool isProven = true, PeerId? peer = null) => Say(
        $$"""{"type":"p2p_connection_offer","peer_worker_id":"{{worker}}","peer_udp_ip":"203.0.113.7","peer_udp_port":41002"""
        + (isProven ? $$""","peer_id":"{{peer ?? Peer.Id}}"}""" : "}"));

    /// <summary>Opens the link and answers the proof.</summary>
    public SessionWorld Register()
    {
        Session.HandleLinkOpened(Now);
        Say($$"""{"type":"peer_id_challenge","nonce":"{{Convert.ToBase64String(new byte[32])}}"}""");
        Say($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{Self.Id}}"}""");
        return this;
    }

    /// <summary>Registered and connected to B by connection 1; nothing is left to do.</summary>
    public static SessionWorld Connected()
    {
        var world = new SessionWorld();
        _ = world.Register();
        world.Offer();
        world.Session.HandleDialled(1, connection: 1, world.Now);
        Assert.Contains("adopt 1 B", world.Done);
        return world;
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    /// <summary>Whether the last proof that was sent is right.</summary>
    public bool IsProofRight(byte[] nonce)
    {
        JsonNode proof = JsonNode.Parse(_taken.OfType<SendMessage>().Last(static s => Encoding.UTF8.GetString(s.Frame).Contains("signature", StringComparison.Ordinal)).Frame)!;
        byte[] key = Convert.FromBase64String((string)proof["public_key"]!);
        return P256.Verify(key, Statement.Worker(Authority, "me", nonce, key), Convert.FromBase64String((string)proof["signature"]!));
    }

    private static string Describe(WorkerAction action) => action switch
    {
        SendMessage send when Encoding.UTF8.GetString(send.Frame) is var text => text.Contains("signature", StringComparison.Ordinal) ? "send proof" : $"send {text}",
        DialPeer dial => $"dial {dial.Attempt}",
        DialAddress dial => $"dial {dial.Attempt} at {dial.Address}",
        CancelDial cancel => $"cancel {cancel.Attempt}",
        AdoptConnection adopt => $"adopt {adopt.Connection} {adopt.WorkerId}",
        CloseConnection close => $"close {close.Connection}",
        ProbeConnection probe => $"probe {probe.Connection}",
        LeaveRendezvous => "leave",
        TellNews { News: WorkerRegistered registered } => registered.PeerId is null ? "registered" : "registered and proven",
        TellNews { News: WorkerOffered offered } => $"offered {offered.PeerWorkerId}",
        TellNews { News: WorkerTrouble trouble } => $"trouble {trouble.Problem.Kind.ToKindString()}",
        _ => action.ToString(),
    };
}
