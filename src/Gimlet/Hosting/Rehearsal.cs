using System.Net;
using System.Security.Cryptography;
using Gimlet.Calls;
using Gimlet.Connections;
using Gimlet.Node;
using Gimlet.Observability;
using Gimlet.Peers;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// Plays one whole call between two nodes in memory, once per process, while the first node registers and gathers. Without it the first
/// real call pays for compiling the code and for loading the platform's cryptography: some 100 ms where a round trip is 40.
/// </summary>
internal static class Rehearsal
{
    // A call takes about a dozen steps; the bound only keeps a bug from spinning.
    private const int MaxSteps = 200;

    // Each on a thread of its own: a call, a connection and a node have little in common, and a start waits for all of them.
    private static readonly Lazy<Task> Once = new(static () => Task.WhenAll(Task.Run(Play), Task.Run(ConnectionRehearsal.PlayAsync)));
    private static readonly Lazy<Task> OnceWithNodes = new(static () => Task.Run(NodeRehearsal.PlayAsync));

    /// <summary>Completes when the rehearsal is over; starts what nobody has played yet.</summary>
    /// <param name="options">How the node is to be: its own play takes the place of the library's.</param>
    public static Task PlayFor(GimletNodeOptions options) =>
        Task.WhenAll(Once.Value, options.Rehearse is null ? OnceWithNodes.Value : Task.Run(() => NodeRehearsal.PlayAsync(options)));

    private static void Play()
    {
        using var callerKey = NodeIdentity.Create();
        using var calleeKey = NodeIdentity.Create();
        using var caller = new NodeCore(Options(callerKey));
        using var callee = new NodeCore(Options(calleeKey));
        var callerAddress = new TransportAddress([127, 0, 0, 1], 1);
        var calleeAddress = new TransportAddress([127, 0, 0, 1], 2);
        TimeSpan now = TimeSpan.Zero;
        var server = new RehearsalServer();
        var callerPeers = new PeerTable(caller);
        var calleePeers = new PeerTable(callee);
        using var statistics = new StatisticsCollector(isHeard: false);
        var records = new CallRecords(statistics);
        var paths = new NodePaths(NodeSockets.None(), static (_, _, _, _) => false, statistics);
        foreach ((NodeCore core, TransportAddress address) in new[] { (caller, callerAddress), (callee, calleeAddress) })
        {
            core.Start((address.Port, 0), [IPAddress.Loopback], now);
            core.SignallingOpened(0, "rehearsal:1", now);
            core.HandleSignal(0, SignalCodec.Write(new ChallengeMessage { Nonce = new byte[SignalProtocol.NonceLength], Stun = [] }), now);
            core.HandleSignal(0, SignalCodec.Write(new RegisteredMessage { KeepAliveMs = 15_000 }), now);
        }

        CallId call = caller.NewCallId();
        caller.Dial(call, calleeKey.Id, now);
        bool connected = false;
        for (int i = 0; i < MaxSteps && !connected; i++)
        {
            server.Carry(caller, callee, now);
            Swap(caller, callerAddress, callee, calleeAddress, now);
            Swap(callee, calleeAddress, caller, callerAddress, now);
            connected = Connected(caller, callerPeers, records, paths, now) & Connected(callee, calleePeers, records, paths, now);
            now += TimeSpan.FromMilliseconds(1);
            caller.HandleTimeout(now);
            callee.HandleTimeout(now);
            callerPeers.HandleTimeout(now);
        }

        _ = caller.TryPing(call, 1, now);
        Swap(caller, callerAddress, callee, calleeAddress, now);
        Swap(callee, calleeAddress, caller, callerAddress, now);
    }

    private static NodeCoreOptions Options(NodeIdentity identity) => new()
    {
        Identity = identity,
        Traversal = new TraversalOptions(),
        Random = RandomNumberGenerator.Fill,
        Servers = 1,
        AllowLoopback = true,
    };

    private static bool Connected(NodeCore core, PeerTable peers, CallRecords records, NodePaths paths, TimeSpan now)
    {
        bool connected = false;
        while (core.PollEvent(out NodeEvent? news))
        {
            connected |= news is CallConnected;
            peers.Handle(news!, now);
            if (news is CallEvent call)
            {
                records.Handle(call, static _ => true);
            }

            if (news is CallHeard heard)
            {
                paths.Vouch(heard.Remote, heard.Peer, CandidateKind.PeerReflexive);
            }
        }

        while (peers.PollEvent(out PeerEvent? chosen))
        {
            _ = chosen is PathChosen { Direct: { } direct } ? paths.To(direct.Remote) : default;
        }

        return connected;
    }

    private static void Swap(NodeCore from, TransportAddress fromAddress, NodeCore to, TransportAddress toAddress, TimeSpan now)
    {
        while (from.PollDatagram(out Datagram datagram))
        {
            to.HandleDatagram(now, toAddress, fromAddress, datagram.Bytes);
            from.Return(datagram);
        }
    }
}

/// <summary>The little of a server that a rehearsal needs: it turns a <c>connect</c> into <c>introduce</c> and <c>incoming</c>, through real JSON.</summary>
internal sealed class RehearsalServer
{
    private RegisterMessage? _caller;
    private RegisterMessage? _callee;

    public void Carry(NodeCore caller, NodeCore callee, TimeSpan now)
    {
        while (callee.PollSignal(out _, out SignalMessage? message))
        {
            _callee = message as RegisterMessage ?? _callee;
        }

        while (caller.PollSignal(out _, out SignalMessage? message))
        {
            _caller = message as RegisterMessage ?? _caller;
            if (message is not ConnectMessage || _caller is null || _callee is null
                || !SignalCodec.TryRead(SignalCodec.Write(message), out SignalMessage? read, out _) || read is not ConnectMessage connect)
            {
                continue;
            }

            caller.HandleSignal(0, SignalCodec.Write(new IntroduceMessage { Call = connect.Call, Peer = connect.Target, PublicKey = _callee.PublicKey, Prekey = _callee.Prekey, Candidates = _callee.Candidates, Capabilities = _callee.Capabilities }), now);
            callee.HandleSignal(0, SignalCodec.Write(new IncomingMessage { Call = connect.Call, Peer = caller.Id.ToString(), PublicKey = _caller.PublicKey, Ephemeral = connect.Ephemeral, Candidates = connect.Candidates, Capabilities = _caller.Capabilities }), now);
        }
    }
}
