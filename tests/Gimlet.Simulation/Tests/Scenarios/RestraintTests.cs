using Gimlet.Sockets;
using Gimlet.Stun;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>What a node must not do, whoever asks for it.</summary>
public sealed class RestraintTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public void An_address_that_nobody_has_observed_gets_three_checks_and_never_a_burst() => Seeds.Run(20, static (seed, trace) =>
    {
        World world = new(seed, trace);
        Pair pair = Pair.Behind(world, new RouterOptions { Nat = NatBehaviour.Symmetric }, new RouterOptions { Nat = NatBehaviour.Symmetric }).Ready();
        List<TimeSpan> hits = [];
        SimHost victim = world.Internet.AddHost("victim", IpVersions.V4);
        victim.Bind(4000).OnDatagram = (local, remote, datagram) => hits.Add(world.Now);

        // B says that the victim's address is its own; the server has never seen B there.
        pair.B.Feed((core, now) => core.SetPublicAddress(victim.Address(4000), now));
        world.RunFor(TimeSpan.FromSeconds(1));
        _ = pair.Fail(GimletErrorKind.PunchFailed, Deadline);
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.InRange(hits.Count, 1, new TraversalOptions().UnverifiedCheckLimit);
        Assert.All(hits.Zip(hits.Skip(1)), static pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromMilliseconds(400)));
    });

    [Fact]
    public void A_stranger_gets_nothing_from_a_node_out()
    {
        World world = new(1);
        Pair pair = Pair.Behind(world, new RouterOptions { Nat = NatBehaviour.FullCone }, new RouterOptions { Nat = NatBehaviour.FullCone }).Ready();
        SimCall call = pair.Connect(Deadline);
        pair.AssertSamePath(call);
        TransportAddress node = pair.B.Core.Public.Address;
        SimSocket stranger = world.Internet.AddHost("stranger", IpVersions.V4).Bind();
        int answers = 0;
        stranger.OnDatagram = (local, remote, datagram) => answers++;
        long ignored = pair.B.Core.IgnoredDatagrams;
        byte[] request = new byte[64];
        SimRandom random = new(1);
        for (int i = 0; i < 100; i++)
        {
            var builder = new StunMessageBuilder(request, StunClass.Request, StunMethod.Binding, StunTransactionId.Create(random.Fill));
            Assert.True(stranger.Send(node, request.AsSpan(0, builder.Length)));
            random.Fill(request);
            Assert.True(stranger.Send(node, request));
        }

        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(0, answers);
        Assert.Equal(200, pair.B.Core.IgnoredDatagrams - ignored);
        Assert.True(call.HasPath);
    }

    [Fact]
    public void A_call_that_cannot_succeed_stays_within_its_budget_of_checks() => Seeds.Run(20, static (seed, trace) =>
    {
        World world = new(seed, trace);
        SimHost a = new Router(world, "nat a", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric }).Inside.AddHost("a");
        SimHost b = new Router(world, "nat b", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric }).Inside.AddHost("b");
        for (int i = 0; i < 30; i++)
        {
            _ = b.AddAddress(b.Nics[0]);
        }

        Pair pair = new Pair(world, new SimServer(world), a, b).Ready();
        int sent = 0;
        TransportAddress server = pair.Server.Host.Address(1);
        a.Sending = remote => sent += remote.SameAddress(server) ? 0 : 1;
        _ = pair.Fail(GimletErrorKind.PunchFailed, Deadline);
        Assert.InRange(sent, 100, new TraversalOptions().ChecksPerPunch);
    });
}
