using System.Net;
using Gimlet.Candidates;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Support.Gathering;

namespace Gimlet.Tests.Candidates;

public sealed class CandidateGathererTests
{
    private static readonly TransportAddress Other = TransportAddress.Parse("203.0.113.77:7000");

    [Fact]
    public void Host_addresses_are_candidates_at_once_and_the_reflexive_one_after_a_round_trip()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped);
        Assert.Equal(["host 192.168.1.2:4000"], world.Candidates);
        Assert.False(world.Gatherer.IsComplete);
        _ = world.Ask(Server1).Run(0.05);
        Assert.Equal(["host 192.168.1.2:4000", "srflx 203.0.113.1:5000"], world.Candidates);
        Assert.True(world.Gatherer.IsComplete);
        Assert.Equal(new PublicAddress(Mapped, PublicAddressSource.Stun, $"seen by {Server1}"), world.Gatherer.Public);
        Assert.Equal(20, world.Gatherer.Candidates[1].Proof!.Length);
    }

    [Fact]
    public void What_several_servers_see_alike_is_one_candidate_and_what_they_see_apart_are_two()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Mapped).Ask(Server1, Server2).Run(1);
        Assert.Equal(["host 192.168.1.2:4000", "srflx 203.0.113.1:5000"], world.Candidates);
        Assert.Equal(2, world.Gatherer.Answers.Count());
        world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Other).Ask(Server1, Server2).Run(1);
        Assert.Equal(["host 192.168.1.2:4000", "srflx 203.0.113.1:5000", "srflx 203.0.113.77:7000"], world.Candidates);
    }

    [Fact]
    public void Without_a_NAT_the_host_address_carries_the_proof()
    {
        var own = TransportAddress.Parse("192.168.1.2:4000");
        Gathering world = new Gathering().Answer(Server1, own).Ask(Server1).Run(1);
        Candidate candidate = Assert.Single(world.Gatherer.Candidates);
        Assert.Equal(CandidateKind.Host, candidate.Kind);
        Assert.NotNull(candidate.Proof);
        Assert.Equal(PublicAddressSource.Stun, world.Gatherer.Public.Source);
    }

    [Fact]
    public void Servers_of_both_families_are_asked_and_IPv4_is_named_first()
    {
        var v6 = TransportAddress.Parse("[2001:db8::99]:4000");
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(ServerV6, v6).Ask(ServerV6, Server1).Run(1);
        Assert.Contains($"srflx {v6}", world.Candidates);
        Assert.Equal(Mapped, world.Gatherer.Public.Address);
    }

    [Fact]
    public void A_configured_address_comes_first_and_its_port_0_is_the_local_port()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped);
        world.Gatherer.SetConfigured(TransportAddress.Parse("192.0.2.7:9").WithPort(0));
        _ = world.Ask(Server1).Run(1);
        Assert.Equal(["mapped 192.0.2.7:4000", "host 192.168.1.2:4000", "srflx 203.0.113.1:5000"], world.Candidates);
        Assert.Equal(PublicAddressSource.Configured, world.Gatherer.Public.Source);
        Assert.NotEmpty(world.Sent);
    }

    [Fact]
    public void An_override_at_run_time_is_announced_and_so_is_its_end()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        int revision = world.Gatherer.Revision;
        world.Gatherer.SetConfigured(Other);
        Assert.Equal("mapped 203.0.113.77:7000", world.Candidates[0]);
        Assert.True(world.Gatherer.Revision > revision);
        revision = world.Gatherer.Revision;
        world.Gatherer.SetConfigured(default);
        Assert.DoesNotContain("mapped 203.0.113.77:7000", world.Candidates);
        Assert.Equal(Mapped, world.Gatherer.Public.Address);
        Assert.Equal(PublicAddressSource.Stun, world.Gatherer.Public.Source);
        Assert.True(world.Gatherer.Revision > revision);
    }

    [Fact]
    public void When_an_override_ends_and_nothing_else_is_known_the_fallback_is_looked_for()
    {
        var world = new Gathering();
        world.Gatherer.SetConfigured(Other);
        _ = world.Ask(Server1).Run(4);
        Assert.False(world.Gatherer.NeedsFallback);
        world.Gatherer.SetConfigured(default);
        Assert.True(world.Gatherer.NeedsFallback);
        Assert.NotEqual(PublicAddressSource.Configured, world.Gatherer.Public.Source);
        Assert.True(world.Gatherer.Public.Address.IsEmpty);
    }

    [Fact]
    public void When_an_override_ends_the_fallback_found_before_is_named_again()
    {
        Gathering world = new Gathering().Ask(Server1).Run(4);
        world.Gatherer.SetFallback(Other, PublicAddressSource.CloudMetadata, "told by a cloud");
        world.Gatherer.SetConfigured(Mapped);
        Assert.Equal(PublicAddressSource.Configured, world.Gatherer.Public.Source);
        world.Gatherer.SetConfigured(default);
        Assert.Equal(new PublicAddress(Other, PublicAddressSource.CloudMetadata, "told by a cloud"), world.Gatherer.Public);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_fallback_is_needed_exactly_when_nothing_answered(bool oneAnswers)
    {
        var world = new Gathering();
        if (oneAnswers)
        {
            _ = world.Answer(Server2, Mapped);
        }

        _ = world.Garbage(Server1).Ask(Server1, Server2).AskUnresolved("stun.example.invalid");
        _ = world.Run(2.9);
        Assert.False(world.Gatherer.NeedsFallback);
        _ = world.Run(0.2);
        Assert.Equal(!oneAnswers, world.Gatherer.NeedsFallback);
        Assert.True(world.Gatherer.IsComplete);
    }

    [Fact]
    public void A_node_that_knows_no_server_needs_the_fallback_at_once()
    {
        Gathering world = new Gathering().Ask();
        Assert.True(world.Gatherer.NeedsFallback);
        Assert.True(world.Gatherer.IsComplete);
    }

    [Fact]
    public void A_fallback_that_is_a_host_address_anyway_is_news_too()
    {
        Gathering world = new Gathering().Ask();
        int revision = world.Gatherer.Revision;
        world.Gatherer.SetFallback(TransportAddress.Parse("192.168.1.2:4000"), PublicAddressSource.Local, "nothing answered");
        Assert.Equal(["host 192.168.1.2:4000"], world.Candidates);
        Assert.Equal(PublicAddressSource.Local, world.Gatherer.Public.Source);
        Assert.True(world.Gatherer.Revision > revision);
        Assert.True(world.Gatherer.IsSettled);
    }

    [Fact]
    public void A_machine_without_any_address_settles_all_the_same_and_asks_once()
    {
        Gathering world = new Gathering().Ask();
        Assert.False(world.Gatherer.IsSettled);
        world.Gatherer.SetFallback(default, PublicAddressSource.Local, "this machine has no address");
        Assert.True(world.Gatherer.IsSettled);
        Assert.False(world.Gatherer.NeedsFallback);
        _ = world.Run(60);
        Assert.False(world.Gatherer.NeedsFallback);
        Assert.Equal("this machine has no address", world.Gatherer.Public.Explanation);
    }

    [Fact]
    public void STUN_that_answers_later_takes_the_fallbacks_place()
    {
        Gathering world = new Gathering().Ask(Server1).Run(4);
        world.Gatherer.SetFallback(Other, PublicAddressSource.CloudMetadata, "told by a cloud");
        Assert.Contains("mapped 203.0.113.77:7000", world.Candidates);
        _ = world.Answer(Server1, Mapped).Run(30);
        Assert.Equal(["host 192.168.1.2:4000", "srflx 203.0.113.1:5000"], world.Candidates);
        Assert.Equal(PublicAddressSource.Stun, world.Gatherer.Public.Source);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_mapping_is_refreshed_every_20_to_25_seconds_even_when_another_server_is_dead(bool oneDead)
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(oneDead ? [Server1, Server2] : [Server1]).Run(300);
        TimeSpan[] times = [.. world.Sent.Where(s => s.To == Server1).Select(s => s.At)];
        Assert.InRange(times.Length, 13, 16);
        for (int i = 1; i < times.Length; i++)
        {
            Assert.InRange((times[i] - times[i - 1]).TotalSeconds, 20, 25.05);
        }

        Assert.True(times.Skip(1).Zip(times, (b, a) => (b - a).Ticks).Distinct().Count() > 3, "the intervals should vary");
    }

    [Fact]
    public void A_refresh_asks_one_server_per_family()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Mapped).Answer(ServerV6, TransportAddress.Parse("[2001:db8::99]:4000"))
            .Ask(Server1, Server2, ServerV6).Run(1);
        world.Sent.Clear();
        _ = world.Run(26);
        Assert.Equal([Server1, ServerV6], world.Sent.Select(s => s.To));
    }

    [Fact]
    public void A_refresh_renews_the_proof_without_an_announcement()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        int revision = world.Gatherer.Revision;
        byte[] before = world.Gatherer.Candidates[1].Proof!;
        _ = world.Run(26);
        Assert.NotEqual(before, world.Gatherer.Candidates[1].Proof);
        Assert.Equal(revision, world.Gatherer.Revision);
    }

    [Fact]
    public void A_mapping_that_has_become_another_is_announced()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Mapped).Ask(Server1, Server2).Run(1);
        int revision = world.Gatherer.Revision;
        _ = world.Answer(Server1, Other).Answer(Server2, Other).Run(26);
        Assert.Equal(["host 192.168.1.2:4000", "srflx 203.0.113.77:7000"], world.Candidates);
        Assert.True(world.Gatherer.Revision > revision);
    }

    [Fact]
    public void A_server_that_falls_silent_is_replaced_by_the_next_one_and_in_the_end_by_the_fallback()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Mapped).Ask(Server1, Server2).Run(1);
        _ = world.Silent(Server1).Run(60);
        Assert.Contains("srflx 203.0.113.1:5000", world.Candidates);
        Assert.False(world.Gatherer.NeedsFallback);
        _ = world.Silent(Server2).Run(60);
        Assert.Equal(["host 192.168.1.2:4000"], world.Candidates);
        Assert.True(world.Gatherer.NeedsFallback);
        _ = world.Answer(Server2, Other).Run(30);
        Assert.Contains("srflx 203.0.113.77:7000", world.Candidates);
    }

    [Fact]
    public void A_server_that_came_back_gets_proofs_of_its_new_key_although_the_addresses_are_the_same()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        int revision = world.Gatherer.Revision;
        byte[] before = world.Gatherer.Candidates[1].Proof!;
        _ = world.Ask(Server1).Run(1);
        Assert.NotEqual(before, world.Gatherer.Candidates[1].Proof);
        Assert.Equal(revision + 1, world.Gatherer.Revision);
    }

    [Fact]
    public void A_server_that_came_back_with_one_more_address_is_asked_at_both()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Answer(Server2, Mapped).Ask(Server1).Run(1);
        world.Sent.Clear();
        _ = world.Ask(Server1, Server2).Run(1);
        Assert.Equal([Server1, Server2], world.Sent.Select(s => s.To));
    }

    [Fact]
    public void A_name_that_never_resolves_does_not_pile_up_and_does_not_keep_the_others_from_being_asked_again()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped);
        for (int i = 0; i < 50; i++)
        {
            world.Sent.Clear();
            world.Gatherer.AddTargets([new StunTarget(Server1), StunTarget.Unresolved(StunServerAddress.Parse("stun.example.invalid"), "no such name")], world.Now);
            _ = world.Run(0.5);
            Assert.NotEmpty(world.Sent);
            Assert.All(world.Sent, s => Assert.Equal(Server1, s.To));
        }

        _ = Assert.Single(world.Gatherer.Failures);
    }

    [Fact]
    public void Another_network_is_asked_about_at_once_and_what_the_old_one_showed_is_forgotten()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        _ = world.Answer(Server1, Other);
        world.Sent.Clear();
        world.Gatherer.SetHosts([IPAddress.Parse("10.1.1.1")], world.Now);
        _ = world.Run(0.1);
        Assert.Equal([Server1], world.Sent.Select(s => s.To));
        Assert.Equal(["host 10.1.1.1:4000", "srflx 203.0.113.77:7000"], world.Candidates);
    }

    [Fact]
    public void Without_any_server_another_network_shows_at_once_and_the_fallback_is_looked_for_anew()
    {
        Gathering world = new Gathering().Ask();
        world.Gatherer.SetFallback(TransportAddress.Parse("192.168.1.2:4000"), PublicAddressSource.Local, "nobody to ask");
        world.Gatherer.SetHosts([IPAddress.Parse("10.1.1.1")], world.Now);
        Assert.Equal(["host 10.1.1.1:4000"], world.Candidates);
        Assert.True(world.Gatherer.NeedsFallback);
    }

    [Fact]
    public void A_network_that_answers_nothing_leaves_no_address_of_the_old_one_behind()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        world.Gatherer.SetConfigured(Other);
        world.Gatherer.SetHosts([IPAddress.Parse("10.1.1.1")], world.Now);
        _ = world.Silent(Server1).Run(4);
        Assert.Equal(["mapped 203.0.113.77:7000", "host 10.1.1.1:4000"], world.Candidates);
    }

    [Fact]
    public void The_fallback_of_one_network_is_not_believed_in_the_next()
    {
        Gathering world = new Gathering().Ask(Server1).Run(4);
        world.Gatherer.SetFallback(TransportAddress.Parse("192.168.1.2:4000"), PublicAddressSource.Local, "nothing answered");
        world.Gatherer.SetHosts([IPAddress.Parse("10.1.1.1")], world.Now);
        _ = world.Run(4);
        Assert.True(world.Gatherer.NeedsFallback);
        Assert.Equal(["host 10.1.1.1:4000"], world.Candidates);
    }

    [Fact]
    public void A_network_that_appears_where_there_was_none_is_asked_about_at_once()
    {
        var world = new Gathering();
        world.Gatherer.SetHosts([], world.Now);
        _ = world.Ask(Server1).Run(5);
        world.Sent.Clear();
        _ = world.Answer(Server1, Mapped);
        world.Gatherer.SetHosts([IPAddress.Parse("192.168.1.2")], world.Now);
        _ = world.Run(0.1);
        Assert.Contains("srflx 203.0.113.1:5000", world.Candidates);
    }

    [Fact]
    public void The_same_interfaces_again_are_no_news()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped).Ask(Server1).Run(1);
        int revision = world.Gatherer.Revision;
        world.Sent.Clear();
        world.Gatherer.SetHosts([IPAddress.Parse("192.168.1.2")], world.Now);
        _ = world.Run(1);
        Assert.Empty(world.Sent);
        Assert.Equal(revision, world.Gatherer.Revision);
    }

    [Fact]
    public void A_machine_with_a_hundred_addresses_still_tells_the_one_that_peers_can_reach()
    {
        Gathering world = new Gathering().Answer(Server1, Mapped);
        world.Gatherer.SetHosts(
            [.. Enumerable.Range(1, 32).Select(i => IPAddress.Parse($"10.0.0.{i}")), .. Enumerable.Range(1, 32).Select(i => IPAddress.Parse($"fd00::{i:x}"))], world.Now);
        world.Gatherer.SetConfigured(Other);
        _ = world.Ask(Server1).Run(1);
        Assert.Equal(SignalProtocol.MaxCandidates, world.Candidates.Length);
        Assert.Equal("mapped 203.0.113.77:7000", world.Candidates[0]);
        Assert.Equal("srflx 203.0.113.1:5000", world.Candidates[^1]);
        Assert.Equal("host 10.0.0.1:4000", world.Candidates[1]);
    }

    [Fact]
    public void Addresses_that_no_peer_can_use_are_not_told()
    {
        var world = new Gathering();
        world.Gatherer.SetHosts([IPAddress.Loopback, IPAddress.Parse("169.254.3.4"), IPAddress.Parse("fe80::1"), IPAddress.Parse("192.168.1.2"), IPAddress.IPv6Loopback], world.Now);
        Assert.Equal(["host 192.168.1.2:4000"], world.Candidates);
        world = new Gathering(allowLoopback: true);
        world.Gatherer.SetHosts([IPAddress.Loopback], world.Now);
        Assert.Equal(["host 127.0.0.1:4000"], world.Candidates);
    }

    [Fact]
    public void A_family_without_a_socket_has_no_candidates()
    {
        var world = new Gathering();
        world.Gatherer.LocalPorts = (4000, 0);
        world.Gatherer.SetHosts([IPAddress.Parse("192.168.1.2"), IPAddress.Parse("2001:db8::5")], world.Now);
        Assert.Equal(["host 192.168.1.2:4000"], world.Candidates);
    }
}
