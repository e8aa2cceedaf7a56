using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>The STUN client and server across simulated NATs.</summary>
public sealed class StunQueryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_query_learns_the_address_that_the_server_sees_and_a_proof_of_it(bool ipv4)
    {
        World world = new(1);
        SimServer server = new(world);
        Router router = new(world, "nat", world.Internet, new RouterOptions { Versions = IpVersions.Both });
        SimHost host = router.Inside.AddHost("client");
        SimSocket socket = host.Bind(5000, ipv4);
        StunClient client = new(socket, new StunQueryOptions { RequestProof = true }, server.Host.Address(SimStunServer.Port, ipv4));
        Assert.True(world.RunUntil(() => client.IsComplete, Patience));
        StunServerResult result = Assert.Single(client.Results);
        Assert.Equal(StunOutcome.Answered, result.Outcome);
        Assert.Equal(ipv4 ? router.Nat!.PublicAddresses[0].WithPort(5000) : host.Address(5000, ipv4: false), result.MappedAddress);
        Assert.False(result.Proof.IsEmpty);
        Assert.Equal(1, result.Sends);
    }

    [Fact]
    public void Two_ports_of_one_server_show_a_mapping_that_depends_on_the_port_and_two_addresses_show_the_rest()
    {
        foreach (NatBehaviour behaviour in NatTable.All(PortAllocation.Random))
        {
            World world = new(1);
            SimServer server = new(world, secondAddress: true);
            Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = behaviour });
            TransportAddress first = server.Host.Address(SimStunServer.Port);
            TransportAddress second = server.Host.Nics[0].Addresses.Last(static a => a.IsIPv4).WithPort(SimStunServer.Port);
            StunClient client = new(
                router.Inside.AddHost("client").Bind(), new StunQueryOptions(), first, first.WithPort(SimStunServer.AlternatePort), second);
            Assert.True(world.RunUntil(() => client.IsComplete, Patience));
            TransportAddress[] seen = [.. client.Results.Select(static r => r.MappedAddress)];
            Assert.Equal(behaviour.Mapping != Dependence.AddressAndPort, seen[0] == seen[1]);
            Assert.Equal(behaviour.Mapping == Dependence.Endpoint, seen[0] == seen[2]);
            Assert.Equal(second.WithPort(SimStunServer.AlternatePort), client.Results[0].OtherAddress);
        }
    }

    [Fact]
    public void Under_heavy_loss_a_query_is_answered_or_says_after_its_deadline_how_often_it_asked()
    {
        int answered = 0;
        int runs = 0;
        Seeds.Run(300, (seed, trace) =>
        {
            World world = new(seed, trace);
            SimServer server = new(world);
            LinkConditions bad = new()
            {
                Latency = TimeSpan.FromMilliseconds(40),
                Jitter = TimeSpan.FromMilliseconds(40),
                Loss = 0.3,
                Duplication = 0.1,
                Reordering = 0.1,
            };
            Router router = new(world, "nat", world.Internet, new RouterOptions { Nat = NatBehaviour.Symmetric, Wan = bad });
            StunClient client = new(router.Inside.AddHost("client").Bind(), new StunQueryOptions(), server.Host.Address(SimStunServer.Port));
            Assert.True(world.RunUntil(() => client.IsComplete, TimeSpan.FromSeconds(3.5)));
            StunServerResult result = client.Results[0];
            Assert.True(result.Outcome is StunOutcome.Answered or StunOutcome.TimedOut, result.Detail);
            Assert.True(result.Outcome == StunOutcome.Answered || result.Sends == 5, result.Detail);
            runs++;
            answered += result.Outcome == StunOutcome.Answered ? 1 : 0;
        });

        // Five sends, each lost with 1 - 0.7 * 0.7: at most 3.5 % of the queries fail; a single reproduced seed may be one of them.
        Assert.True(runs == 1 || answered >= runs * 0.93, $"{answered} of {runs} were answered");
    }

    [Fact]
    public void Blocked_UDP_a_closed_port_and_no_network_are_three_different_results()
    {
        World world = new(1);
        SimServer server = new(world);
        SimHost closed = world.Internet.AddHost("closed");
        Router router = new(world, "nat", world.Internet);
        SimHost host = router.Inside.AddHost("client");
        TransportAddress stun = server.Host.Address(SimStunServer.Port);

        StunClient refused = new(host.Bind(), new StunQueryOptions(), closed.Address(SimStunServer.Port));
        Assert.True(world.RunUntil(() => refused.IsComplete, Patience));
        Assert.Equal(StunOutcome.Unreachable, refused.Results[0].Outcome);
        Assert.InRange(world.Now, TimeSpan.Zero, TimeSpan.FromMilliseconds(200));

        router.Wan.BlockUdp();
        StunClient blocked = new(host.Bind(), new StunQueryOptions(), stun);
        Assert.True(world.RunUntil(() => blocked.IsComplete, Patience));
        Assert.Equal(StunOutcome.TimedOut, blocked.Results[0].Outcome);

        host.Link.Cut();
        StunClient offline = new(host.Bind(), new StunQueryOptions(), stun);
        Assert.True(world.RunUntil(() => offline.IsComplete, Patience));
        Assert.Equal(StunOutcome.Unreachable, offline.Results[0].Outcome);
    }
}
