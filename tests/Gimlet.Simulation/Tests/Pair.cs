using Gimlet.Node;
using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>A server and two nodes, and what the stories about them have in common.</summary>
internal sealed class Pair
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(20);
    private uint _pings;

    public Pair(World world, SimServer server, SimHost a, SimHost b, SimNodeOptions? optionsA = null, SimNodeOptions? optionsB = null, bool hasRendezvous = true)
    {
        World = world;
        Server = server;
        SimServer[] servers = hasRendezvous ? [server] : [];
        A = new SimNode(a, SimIdentities.Get(world, 0), optionsA ?? new SimNodeOptions(), servers);
        B = new SimNode(b, SimIdentities.Get(world, 1), optionsB ?? new SimNodeOptions(), servers);
    }

    public World World { get; }

    public SimServer Server { get; }

    public SimNode A { get; }

    public SimNode B { get; }

    /// <summary>Both nodes behind NATs of their own.</summary>
    public static Pair Behind(
        World world,
        RouterOptions natA,
        RouterOptions natB,
        SimServer? server = null,
        SimNodeOptions? optionsA = null,
        SimNodeOptions? optionsB = null,
        bool hasRendezvous = true)
    {
        Router a = new(world, "nat a", world.Internet, natA);
        Router b = new(world, "nat b", world.Internet, natB);
        return new Pair(world, server ?? new SimServer(world), a.Inside.AddHost("a"), b.Inside.AddHost("b"), optionsA, optionsB, hasRendezvous)
        {
            NatA = a,
            NatB = b,
        };
    }

    /// <summary>The NAT that A is behind, where it has one of its own.</summary>
    public Router NatA
    {
        get => field ?? throw new InvalidOperationException("A has no NAT of its own.");
        init;
    }

    /// <summary>The NAT that B is behind, where it has one of its own.</summary>
    public Router NatB
    {
        get => field ?? throw new InvalidOperationException("B has no NAT of its own.");
        init;
    }

    /// <summary>Both nodes are registered and have what STUN has to say.</summary>
    public Pair Ready()
    {
        Assert.True(World.RunUntil(() => A.IsReady && B.IsReady, Start), "the nodes did not get ready");

        // The registration of the last candidate is on its way to the server.
        World.RunFor(TimeSpan.FromSeconds(1));
        return this;
    }

    /// <summary>Both nodes know their NAT, and the server has been told.</summary>
    public Pair Classified()
    {
        Assert.True(World.RunUntil(() => A.Core.Nat is not null && B.Core.Nat is not null, Start), "the NATs were not classified");
        World.RunFor(TimeSpan.FromSeconds(1));
        return this;
    }

    /// <summary>A calls B, and both sides end with a failure of this kind.</summary>
    /// <returns>A's failure.</returns>
    public CallFailed Fail(GimletErrorKind kind, TimeSpan within)
    {
        SimCall call = A.Dial(B.Id);
        Assert.True(World.RunUntil(() => call.IsOver && Callee(call) is null or { IsOver: true }, within), "the call did not end in time");
        Assert.Null(call.ConnectedAt);
        Assert.Equal(kind, call.Failure?.Kind);
        Assert.True(Callee(call) is not { } callee || callee.Failure?.Kind == GimletErrorKind.PunchFailed, "the callee's end is of another kind");
        return call.Failure!;
    }

    /// <summary>Runs until both sides of a call that A made have a path.</summary>
    public SimCall Connect(TimeSpan within)
    {
        SimCall call = A.Dial(B.Id);
        bool connected = World.RunUntil(() => (call.HasPath && Callee(call) is { HasPath: true }) || call.IsOver, within);
        Assert.True(connected && !call.IsOver, $"no path within {within.TotalSeconds} s: {call.Failure?.Message ?? call.End?.ToString()}");
        return call;
    }

    /// <summary>B's side of a call that A made.</summary>
    public SimCall? Callee(SimCall call)
    {
        foreach (SimCall other in B.Calls)
        {
            if (other.Handle == call.Handle)
            {
                return other;
            }
        }

        return null;
    }

    /// <summary>
    /// Lets the call settle, and demands that both sides use the same pair: what A sends on its path comes from where B sends to on
    /// its own, and the other way round.
    /// </summary>
    public void AssertSamePath(SimCall call) =>
        AssertSamePath(call, Callee(call) ?? throw new InvalidOperationException("The callee knows nothing of the call."));

    /// <summary>The same for a call whose two sides have different handles.</summary>
    public void AssertSamePath(SimCall call, SimCall callee)
    {
        World.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal(callee.Path.Remote, PingedFrom(A, call, callee));
        Assert.Equal(call.Path.Remote, PingedFrom(B, callee, call));
    }

    private TransportAddress PingedFrom(SimNode sender, SimCall call, SimCall other)
    {
        // A link may lose a ping or two; what matters is where those come from that arrive.
        for (int tries = 0; tries < 20; tries++)
        {
            uint sequence = ++_pings;
            Assert.True(sender.Ping(call, sequence), "the call has no path to ping on");
            if (World.RunUntil(() => call.Pongs.Exists(p => p.Sequence == sequence), TimeSpan.FromSeconds(1)))
            {
                Assert.Equal(call.Path.Remote, call.Pongs.Find(p => p.Sequence == sequence)!.Remote);
                return other.Pinged.Find(p => p.Sequence == sequence)!.Remote;
            }
        }

        throw new InvalidOperationException($"20 pings over {call.Path.Remote} were lost.");
    }
}
