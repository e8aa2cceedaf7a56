using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>A server and two whole nodes with connections, and the verbs of what may happen to them.</summary>
internal sealed class Couple
{
    public const string Protocol = "life";

    private readonly SimServer _server;

    public Couple(World world, SimServer server, SimHost a, Router? routerA, SimHost b, Router? routerB)
    {
        World = world;
        _server = server;
        A = new Side(0, a, routerA);
        B = new Side(1, b, routerB);
        Sides = [A, B];
        foreach (Side side in Sides)
        {
            StartProcess(side, run: 0);
        }
    }

    public World World { get; }

    public Side A { get; }

    public Side B { get; }

    public IReadOnlyList<Side> Sides { get; }

    public IReadOnlyList<Flow> Flows { get; private set; } = [];

    /// <summary>Both behind a NAT of their own.</summary>
    public static Couple Behind(World world, RouterOptions natA, RouterOptions natB)
    {
        SimServer server = new(world);
        Router a = new(world, "nat a", world.Internet, natA);
        Router b = new(world, "nat b", world.Internet, natB);
        return new Couple(world, server, a.Inside.AddHost("a"), a, b.Inside.AddHost("b"), b);
    }

    /// <summary>Both behind the same.</summary>
    public static Couple InOneLan(World world, RouterOptions nat)
    {
        SimServer server = new(world);
        Router router = new(world, "nat", world.Internet, nat);
        return new Couple(world, server, router.Inside.AddHost("a"), router, router.Inside.AddHost("b"), router);
    }

    /// <summary>The two are registered and have what STUN has to say.</summary>
    public Couple Ready()
    {
        Assert.True(World.RunUntil(() => A.Node.IsReady && B.Node.IsReady, TimeSpan.FromSeconds(30)), "the nodes did not get ready");
        World.RunFor(TimeSpan.FromSeconds(1));
        return this;
    }

    /// <summary>What each will send, and take.</summary>
    public void Plan(params IReadOnlyList<Flow> flows)
    {
        Flows = flows;
        foreach (Side side in Sides)
        {
            Prepare(side);
        }
    }

    public SimDial Dial(Side caller)
    {
        SimDial? dial = null;
        caller.Node.Act(() => dial = caller.Connections.Dial(Other(caller).Node.Id, Protocol, caller.Traffic));
        return dial!;
    }

    public (SimDial A, SimDial B) DialBoth() => (Dial(A), Dial(B));

    public Side Other(Side side) => side == A ? B : A;

    /// <summary>Runs until both applications have the connection.</summary>
    public void Connect(Side caller, TimeSpan within)
    {
        SimDial dial = Dial(caller);
        bool connected = World.RunUntil(() => dial.Failure is not null || Sides.All(static s => s.Traffic.Connection is not null), within);
        Assert.True(connected && dial.Failure is null, $"no connection within {within.TotalSeconds} s: {dial.Failure ?? "nothing happened"}");
    }

    /// <summary>Runs until both send directly, or both by the relay.</summary>
    public void Await(bool direct, TimeSpan within) => Assert.True(
        World.RunUntil(() => Sides.All(s => s.Connection.End is null && s.Connection.IsDirect == direct), within),
        $"not both {(direct ? "direct" : "on the relay")} within {within.TotalSeconds} s: {Describe()}");

    /// <summary>Runs until everything was delivered.</summary>
    public void Deliver(TimeSpan within)
    {
        bool delivered = World.RunUntil(() => Flows.All(static f => f.IsDelivered) || Sides.Any(static s => s.Traffic.End is not null), within);
        Assert.True(delivered && Flows.All(static f => f.IsDelivered), $"not delivered within {within.TotalSeconds} s: {Describe()}");
    }

    // The verbs.

    public static void Rebind(Side side) => side.Router!.Rebind(side.Host);

    public static void RebootNat(Side side) => side.Router!.Reboot();

    public static void ChangeAddress(Side side) => _ = side.Router!.ChangePublicAddress();

    /// <summary>The machine leaves its network for another one.</summary>
    /// <param name="side">Who.</param>
    /// <param name="nat">What the other network is behind.</param>
    /// <param name="overlap">How long it is in both; zero: never.</param>
    public void SwitchNetwork(Side side, RouterOptions nat, TimeSpan overlap = default)
    {
        Router cellular = new(World, $"cellular {side.Host.Name} {++side.Moves}", World.Internet, nat);
        Nic old = side.Host.Nics[0];
        side.Router = cellular;
        if (overlap == default)
        {
            side.Host.Detach(old);
            _ = side.Host.Attach(cellular.Inside);
        }
        else
        {
            _ = side.Host.Attach(cellular.Inside);
            World.After(overlap, () => side.Host.Detach(old));
        }
    }

    /// <summary>No UDP passes any more, as behind a firewall that has changed its mind.</summary>
    public static void CutDirect(Side side) => side.Link.BlockUdp();

    /// <summary>What goes directly to the other vanishes; the server is reached.</summary>
    public void BlackHole(Side side, bool up = true, bool down = true)
    {
        side.Link.Up.Swallows = up ? IsDirect : null;
        side.Link.Down.Swallows = down ? IsDirect : null;
    }

    /// <summary>Checks pass, full-size datagrams do not.</summary>
    public void SwallowLarge(Side side) => side.Link.Up.Swallows = packet => packet.Length > 600 && IsDirect(packet);

    /// <summary>Everything vanishes, UDP and TCP.</summary>
    public static void BlackHoleAll(Side side) => side.Link.BlackHole();

    /// <summary>As before the last three.</summary>
    public static void Mend(Link link) => link.Restore();

    public void CrashServer() => _server.Rendezvous.Crash();

    public void RestartServer() => _server.Rendezvous.Restart();

    public static void Lose(Side side, double probability)
    {
        Link link = side.Router?.Wan ?? side.Link;
        link.SetConditions(link.Up.Conditions with { Loss = probability });
    }

    /// <summary>The process is killed, and another one with the same key comes.</summary>
    public void RestartPeer(Side side)
    {
        side.Node.Kill();
        StartProcess(side, side.Node.Run + 1);
        Prepare(side);
    }

    /// <summary>Whether the two can have a direct path where they are now.</summary>
    public bool IsDirectPossible()
    {
        if (A.Host.Nics[0].Network == B.Host.Nics[0].Network)
        {
            return true;
        }

        return Sides.All(static s => !s.Link.Up.BlocksUdp && s.Router is not { Wan.Up.BlocksUdp: true })
            && DirectPath.IsPossible(Behaviour(A), Behaviour(B));
    }

    /// <summary>Runs until both sides send directly, or both by the relay, and each on the way by which it hears the other; and stay there.</summary>
    public void Settle(bool direct, TimeSpan within)
    {
        TimeSpan deadline = World.Now + within;
        do
        {
            Await(direct, deadline - World.Now);
        }
        while (!IsSamePath(direct));
    }

    /// <summary>Runs until each side sends on the way by which it hears the other, whichever it is.</summary>
    public void SettleAnywhere(TimeSpan within)
    {
        TimeSpan deadline = World.Now + within;
        while (!IsSamePath(A.Connection.IsDirect))
        {
            Assert.True(World.Now < deadline && Sides.All(static s => s.Connection.End is null), $"no agreement within {within.TotalSeconds} s: {Describe()}");
        }
    }

    /// <summary>Demands that each side sends on the way by which it hears the other.</summary>
    public void AssertSamePath() => Assert.True(
        IsSamePath(A.Connection.IsDirect),
        $"the two disagree: {string.Join(", ", Sides.Select(s => $"{s.Host.Name} hears on {s.Connections.Describe(s.Connection.Quic.HeardOn)}"))}; {Describe()}");

    private bool IsSamePath(bool direct)
    {
        foreach (Side side in Sides)
        {
            SimQuic other = Other(side).Connection.Quic;
            TimeSpan asked = World.Now;
            side.Node.Act(() =>
            {
                side.Connection.Quic.Core.Ping();
                side.Connections.Touch(side.Connection.Quic);
            });
            World.RunFor(TimeSpan.FromSeconds(1));
            if (Sides.Any(s => s.Connection.End is not null || s.Connection.IsDirect != direct) || other.HeardAt <= asked || other.HeardOn != other.CurrentPath)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Closes the connection, waits, and demands that nothing is left of it.</summary>
    /// <summary>
    /// Demands that two who live on with their one connection hold nothing else: no dial, no half of a handshake, no connection of a glare or of an
    /// earlier path. What is ended lingers for some probe timeouts, and another try to punch may be under way.
    /// </summary>
    public void AssertNothingButTheConnection()
    {
        bool alone = World.RunUntil(() => Sides.All(static s => IsAlone(s)), TimeSpan.FromSeconds(40));
        Assert.True(alone, $"more is left than the connection: {string.Join("; ", Sides.Select(static s => DescribeTables(s)))}");
    }

    public void CloseAndAssertNothingIsLeft(Side closer)
    {
        AssertNothingButTheConnection();
        closer.Node.Act(() => closer.Connection.Close());

        // A close that is lost is said again to whoever still speaks: after the keep-alive of 5 s at the latest, and a retransmission or two.
        bool ended = World.RunUntil(() => Sides.All(static s => s.Traffic.End is not null), TimeSpan.FromSeconds(12));
        Assert.True(ended, $"the other side did not hear of the close: {Describe()}");

        // Closing takes three probe timeouts, the paths linger for ten seconds, a server's call lives for thirty.
        World.RunFor(TimeSpan.FromSeconds(45));
        Assert.True(_server.Rendezvous.Core.CallCount == 0, $"the server: {_server.Rendezvous.Core.CallCount} calls are left");
        foreach (Side side in Sides)
        {
            SimConnections all = side.Connections;
            string name = side.Host.Name;
            Assert.True(all.All.Count == 0, $"{name}: {all.All.Count} connections are left");
            Assert.True(all.QuicCount == 0, $"{name}: {all.QuicCount} QUIC connections are left");
            Assert.True(all.DialCount == 0, $"{name}: {all.DialCount} dials are left");
            Assert.True(all.Endpoint.Routes.IdCount == 0, $"{name}: {all.Endpoint.Routes.IdCount} connection ids are left");
            Assert.True(all.Endpoint.Routes.TokenCount == 0, $"{name}: {all.Endpoint.Routes.TokenCount} reset tokens are left");
            Assert.True(all.Endpoint.Admission is { Connections: 0, HalfOpen: 0 }, $"{name}: {all.Endpoint.Admission.Connections} connections are counted");
            Assert.True(all.Peers.Count == 0, $"{name}: {all.Peers.Count} peers are left");
            Assert.True(all.Peers.CallCount == 0, $"{name}: {all.Peers.CallCount} calls are left in the peer table");
            Assert.True(side.Node.Core.CallCount == 0, $"{name}: {side.Node.Core.CallCount} call agents are left");
            Assert.True(side.Node.Core.DialCount == 0, $"{name}: {side.Node.Core.DialCount} calls wait for an introduction");
            Assert.True(all.Paths.RelayCount == 0, $"{name}: {all.Paths.RelayCount} relays are left");
            Assert.True(all.Paths.VouchedCount == 0, $"{name}: {all.Paths.VouchedCount} addresses are vouched for");
        }
    }

    private static bool IsAlone(Side side)
    {
        SimConnections all = side.Connections;
        return all is { All.Count: 1, QuicCount: 1, DialCount: 0, Peers.Count: 1, Paths.RelayCount: <= 1, Endpoint.Admission: { Connections: 1, HalfOpen: 0 } }
            && side.Node.Core is { CallCount: <= 1, DialCount: <= 1 };
    }

    private static string DescribeTables(Side side)
    {
        SimConnections all = side.Connections;
        return $"{side.Host.Name}: {all.All.Count} connections, {all.QuicCount} of QUIC, {all.Endpoint.Admission.Connections} counted, {all.Endpoint.Admission.HalfOpen} half open, "
            + $"{all.DialCount} dials, {all.Peers.Count} peers, {all.Paths.RelayCount} relays, {side.Node.Core.CallCount} call agents, {side.Node.Core.DialCount} calls without an introduction";
    }

    public string Describe() => string.Join("; ", Sides.Select(s => s.Traffic.Connection is { } c
        ? $"{s.Host.Name} {(c.Quic.IsOver ? "over" : "on " + s.Connections.Describe(c.Quic.CurrentPath))}{(s.Traffic.End is { } end ? $" ended: {end}" : string.Empty)}, "
            + $"{s.Connections.Peers.Count} peers, {s.Node.Core.CallCount} calls{(s.Node.IsRegistered ? string.Empty : ", not registered")}"
        : $"{s.Host.Name} has no connection")) + $" at {World.Now.TotalSeconds:0.000} s; " + string.Join("; ", Flows);

    private static NatBehaviour Behaviour(Side side) => side.Router?.Nat?.Behaviour ?? NatBehaviour.FullCone;

    private void StartProcess(Side side, int run)
    {
        side.Node = new SimNode(side.Host, SimIdentities.Get(World, side.Number), new SimNodeOptions { Protocols = [Protocol], Run = run }, _server);
        side.Connections.Accept = _ => side.Traffic;
    }

    private void Prepare(Side side) => side.Traffic = new Traffic(this, side.Number, Flows);

    private bool IsDirect(Packet packet) => !IsServers(packet.Source) && !IsServers(packet.Destination);

    private bool IsServers(Sockets.TransportAddress address)
    {
        foreach (Sockets.TransportAddress known in _server.Host.Nics[0].Addresses)
        {
            if (known.SameAddress(address))
            {
                return true;
            }
        }

        return false;
    }
}
