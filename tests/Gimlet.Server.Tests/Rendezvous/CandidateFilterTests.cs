using Gimlet.Server.Rendezvous;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class CandidateFilterTests
{
    [Theory]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.9.9.9:1")]
    [InlineData("[::1]:1")]
    [InlineData("[::ffff:127.0.0.1]:1")]
    [InlineData("0.0.0.0:1")]
    [InlineData("0.1.2.3:1")]
    [InlineData("[::]:1")]
    [InlineData("224.0.0.251:5353")]
    [InlineData("[ff02::fb]:5353")]
    [InlineData("255.255.255.255:1")]
    [InlineData("250.1.1.1:1")]
    [InlineData("169.254.169.254:80")]
    [InlineData("[::ffff:169.254.169.254]:80")]
    [InlineData("169.254.7.7:80")]
    [InlineData("169.254.170.2:80")]
    [InlineData("100.100.100.200:80")]
    [InlineData("168.63.129.16:80")]
    [InlineData("[fd00:ec2::254]:80")]
    [InlineData("[fd20:ce::254]:80")]
    [InlineData("[fe80::1]:1")]
    [InlineData("[64:ff9b::7f00:1]:1")]
    [InlineData("[::127.0.0.1]:1")]
    [InlineData("[64:ff9b:1::7f00:1]:1")]
    [InlineData("[2002:7f00:1::1]:1")]
    [InlineData("[fd00:ec2::254%3]:80")]
    [InlineData("192.168.1.1:0")]
    [InlineData("192.168.1.1")]
    [InlineData("example.org:80")]
    [InlineData("3232235777:80")]
    [InlineData("")]
    [InlineData(null)]
    public void An_address_that_nobody_should_be_told_is_dropped(string? address) =>
        Assert.Empty(Told("198.51.100.1:1", [new() { Kind = "host", Address = address }]));

    [Theory]
    [InlineData("192.168.1.1:5000")]
    [InlineData("10.0.0.1:5000")]
    [InlineData("100.64.0.1:5000")]
    [InlineData("[fd12:3456::1]:5000")]
    public void A_private_address_passes_and_needs_no_proof(string address)
    {
        CandidateDescription told = Assert.Single(Told("198.51.100.1:1", TestNode.Host(address)));
        Assert.Equal((address, null), (told.Address, told.Unverified));
    }

    [Theory]
    [InlineData("198.51.100.1:7777", null)]
    [InlineData("198.51.100.2:7777", true)]
    [InlineData("[2001:db8::1]:7777", true)]
    public void A_public_address_is_unverified_unless_the_websocket_comes_from_it(string address, bool? unverified) =>
        Assert.Equal(unverified, Assert.Single(Told("198.51.100.1:1", TestNode.Host(address))).Unverified);

    [Fact]
    public void One_address_with_many_zones_is_told_once() =>
        Assert.Equal("[2001:db8::1]:1", Assert.Single(Told("198.51.100.1:1", TestNode.Host("[2001:db8::1%1]:1", "[2001:db8::1%2]:1", "[2001:db8::1]:1"))).Address);

    [Fact]
    public void A_nodes_own_claim_to_be_verified_or_unverified_counts_for_nothing()
    {
        CandidateDescription[] told = Told("198.51.100.1:1",
        [
            new() { Kind = "host", Address = "8.8.8.8:53", Unverified = false },
            new() { Kind = "host", Address = "192.168.0.1:53", Unverified = true },
        ]);
        Assert.Equal([true, null], told.Select(c => c.Unverified));
    }

    [Fact]
    public void A_valid_proof_verifies_its_own_address_and_is_never_passed_on()
    {
        CandidateDescription[] told = Told("198.51.100.1:1",
        [
            new() { Kind = "srflx", Address = "203.0.113.5:7000", Proof = [1, 2, 3] },
            new() { Kind = "srflx", Address = "203.0.113.6:7000", Proof = [1, 2, 3] },
            new() { Kind = "srflx", Address = "203.0.113.5:7001", Proof = [] },
            new() { Kind = "host", Address = "192.168.0.1:7001", Proof = [1, 2, 3] },
        ], new OneAddress("203.0.113.5:7000"));
        Assert.Equal([null, true, true, null], told.Select(c => c.Unverified));
        Assert.All(told, c => Assert.Null(c.Proof));
    }

    [Theory]
    [InlineData("host", 1)]
    [InlineData("srflx", 1)]
    [InlineData("prflx", 1)]
    [InlineData("mapped", 1)]
    [InlineData("relay", 1)]
    [InlineData("teleport", 0)]
    [InlineData("HOST", 0)]
    [InlineData(null, 0)]
    public void A_candidate_of_a_kind_this_version_does_not_know_is_dropped(string? kind, int expected) =>
        Assert.Equal(expected, Told("198.51.100.1:1", [new() { Kind = kind, Address = "10.0.0.1:1" }]).Length);

    [Fact]
    public void Nobody_hears_an_address_twice_and_the_order_is_kept()
    {
        CandidateDescription[] told = Told("198.51.100.1:1", TestNode.Host("10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1", "[::ffff:10.0.0.1]:1", "10.0.0.1:2"));
        Assert.Equal(["10.0.0.2:1", "10.0.0.1:1", "10.0.0.1:2"], told.Select(c => c.Address));
    }

    [Fact]
    public void At_most_64_candidates_pass_and_holes_in_the_list_do_not_count()
    {
        CandidateDescription?[] many = [null, .. TestNode.Host("127.0.0.1:1"), .. TestNode.Host([.. Enumerable.Range(1, 100).Select(i => $"10.0.0.{i}:1")])];
        CandidateDescription[] told = Told("198.51.100.1:1", many);
        Assert.Equal(64, told.Length);
        Assert.Equal("10.0.0.64:1", told[^1].Address);
    }

    [Fact]
    public void A_link_local_address_passes_on_a_network_that_has_nothing_else()
    {
        CandidateDescription[] told = Told("169.254.8.8:1", TestNode.Host("169.254.7.7:1", "169.254.169.254:80", "[fe80::1]:1"));
        Assert.Equal(["169.254.7.7:1"], told.Select(c => c.Address));
    }

    [Fact]
    public void Loopback_candidates_stay_on_the_servers_own_machine()
    {
        var world = new World();
        WorldNode local = world.Register("127.0.0.1:1", with: m => m with { Candidates = TestNode.Host("127.0.0.1:4000", "192.168.0.1:4000") });
        WorldNode neighbour = world.Register("[::1]:1");
        WorldNode remote = world.Register("198.51.100.1:1");
        _ = neighbour.Call(local);
        Assert.Equal(["127.0.0.1:4000", "192.168.0.1:4000"], neighbour.Output.Next<IntroduceMessage>().Candidates!.Select(c => c.Address));
        _ = remote.Call(local);
        Assert.Equal(["192.168.0.1:4000"], remote.Output.Next<IntroduceMessage>().Candidates!.Select(c => c.Address));
    }

    [Fact]
    public void Loopback_candidates_pass_everywhere_where_the_operator_allows_them()
    {
        var world = new World(o => o with { AllowLoopback = true });
        WorldNode a = world.Register("198.51.100.1:1", with: m => m with { Candidates = TestNode.Host("127.0.0.1:4000") });
        WorldNode b = world.Register("198.51.100.2:1");
        _ = b.Call(a);
        CandidateDescription told = Assert.Single(b.Output.Next<IntroduceMessage>().Candidates!);
        Assert.Equal(("127.0.0.1:4000", null), (told.Address, told.Unverified));
    }

    // What a peer is told of the candidates that a node at "remote" registers with.
    private static CandidateDescription[] Told(string remote, CandidateDescription?[] candidates, IObservationVerifier? observations = null)
    {
        var world = new World(o => o with { Observations = observations });
        WorldNode node = world.Register(remote, with: m => m with { Candidates = candidates! });
        WorldNode peer = world.Register("198.51.100.200:1");
        _ = peer.Call(node);
        return peer.Output.Next<IntroduceMessage>().Candidates!;
    }

    private sealed class OneAddress(string address) : IObservationVerifier
    {
        public bool IsProven(TransportAddress candidate, ReadOnlySpan<byte> proof, TimeSpan now) =>
            candidate == TransportAddress.Parse(address) && proof.SequenceEqual((ReadOnlySpan<byte>)[1, 2, 3]);
    }
}
