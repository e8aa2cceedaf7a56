using Gimlet.Worker.Session;
using Gimlet.Worker.Tests.Support;

namespace Gimlet.Worker.Tests.Session;

/// <summary>Offers, attempts, connections and their ends.</summary>
public sealed class PairingTests
{
    private const string End = """send {"type":"end_pairing"}""";
    private const string ResumeB = """send {"type":"resume_pairing","peer_worker_id":"B"}""";

    private static readonly GimletException Offline = new(GimletErrorKind.PeerOffline, "not there");

    [Fact]
    public void The_smaller_id_dials()
    {
        using var world = new SessionWorld(isSmaller: true);
        _ = world.Register().Done;
        world.Offer();
        Assert.Equal(["offered B", "dial 1"], world.Done);

        world.Session.HandleDialled(1, connection: 7, world.Now);
        Assert.Equal(["cancel 1", "adopt 7 B"], world.Done);
        Assert.Equal(TimeSpan.MaxValue, world.Session.NextTimeout);
    }

    [Fact]
    public void The_larger_id_waits_for_that_peer_only()
    {
        using var world = new SessionWorld(isSmaller: false);
        using var stranger = NodeIdentity.Create();
        _ = world.Register().Done;
        world.Offer();
        Assert.Equal(["offered B"], world.Done);

        world.Session.HandleAccepted(1, stranger.Id, world.Now);
        Assert.Empty(world.Done);
        world.Session.HandleAccepted(2, world.Peer.Id, world.Now);
        Assert.Equal(["adopt 2 B"], world.Done);
        Assert.Equal(["close 1"], world.Wait(10).Done);
    }

    [Fact]
    public void Without_ids_both_dial_the_address()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer(isProven: false);

        Assert.Equal(["offered B", $"dial 1 at {SessionWorld.Dialled}"], world.Done);
    }

    [Fact]
    public void A_port_may_be_a_numeric_string()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Say("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":"41002"}""");

        Assert.Equal(["offered B", $"dial 1 at {SessionWorld.Dialled}"], world.Done);
    }

    [Fact]
    public void An_offer_that_comes_before_the_node_waits_for_it()
    {
        using var world = new SessionWorld(isNodeReady: false);
        _ = world.Register().Done;
        world.Offer();
        Assert.Equal(["offered B"], world.Done);
        Assert.Empty(world.Wait(60).Done);

        world.Session.HandleNodeReady(world.Now);
        Assert.Equal(["dial 1"], world.Done);
        Assert.Equal(["cancel 1", "trouble timed-out", End], world.Wait(10).Done);
    }

    [Fact]
    public void A_dial_that_overtakes_its_offer_is_kept_for_it()
    {
        using var world = new SessionWorld(isSmaller: false);
        _ = world.Register().Done;
        world.Session.HandleAccepted(1, world.Peer.Id, world.Now);
        Assert.Empty(world.Wait(1).Done);

        world.Offer();
        Assert.Equal(["offered B", "adopt 1 B"], world.Done);
        Assert.Empty(world.Wait(60).Done);
    }

    [Fact]
    public void Dials_that_nobody_announced_are_few_and_do_not_stay()
    {
        using var world = new SessionWorld(isSmaller: false);
        _ = world.Register().Done;
        for (int i = 1; i <= ParkedConnections.Max + 2; i++)
        {
            using var stranger = NodeIdentity.Create();
            world.Session.HandleAccepted(i, stranger.Id, world.Now);
        }

        Assert.Equal(["close 1", "close 2"], world.Done);
        Assert.Equal(ParkedConnections.Max, world.Wait(10).Done.Count);
    }

    [Fact]
    public void A_stranger_that_dials_often_pushes_out_nobody_but_itself()
    {
        using var world = new SessionWorld(isSmaller: false);
        using var stranger = NodeIdentity.Create();
        _ = world.Register().Done;
        world.Session.HandleAccepted(1, world.Peer.Id, world.Now);
        for (int i = 2; i <= 100; i++)
        {
            world.Session.HandleAccepted(i, stranger.Id, world.Now);
        }

        Assert.Equal(Enumerable.Range(2, 98).Select(static i => $"close {i}"), world.Done);
        world.Offer();
        Assert.Equal(["offered B", "adopt 1 B"], world.Done);
        Assert.Equal(["close 100"], world.Wait(10).Done);
    }

    [Fact]
    public void The_newest_dial_of_one_peer_is_the_one_that_its_offer_gets()
    {
        using var world = new SessionWorld(isSmaller: false);
        _ = world.Register().Done;
        world.Session.HandleAccepted(1, world.Peer.Id, world.Now);
        world.Session.HandleAccepted(2, world.Peer.Id, world.Now);
        Assert.Equal(["close 1"], world.Done);
        world.Session.HandleConnectionClosed(1, world.Now);

        world.Offer();
        Assert.Equal(["offered B", "adopt 2 B"], world.Done);
        Assert.Empty(world.Wait(60).Done);
    }

    [Fact]
    public void A_peer_that_is_not_there_yet_is_dialled_again()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        _ = world.Done;

        world.Session.HandleDialFailed(1, Offline, world.Now);
        Assert.Empty(world.Done);
        Assert.Equal(["dial 2"], world.Wait(0.3).Done);
        world.Session.HandleDialled(2, connection: 1, world.Now);
        Assert.Contains("adopt 1 B", world.Done);
    }

    [Fact]
    public void A_peer_that_never_comes_ends_the_pairing_with_the_last_reason()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        world.Session.HandleDialFailed(1, Offline, world.Now);

        Assert.Equal(["offered B", "dial 1", "dial 2", "cancel 2", "trouble timed-out", End], world.Wait(10).Done);
        Assert.Contains("not there", world.Troubles.Single().Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dial_that_comes_too_late_is_closed()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        _ = world.Wait(10).Done;

        world.Session.HandleDialled(1, connection: 5, world.Now);
        Assert.Equal(["close 5"], world.Done);
    }

    [Theory]
    [InlineData(GimletErrorKind.Refused)]
    [InlineData(GimletErrorKind.Unsupported)]
    public void A_peer_that_refuses_is_not_dialled_again(GimletErrorKind kind)
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        _ = world.Done;

        world.Session.HandleDialFailed(1, new GimletException(kind, "no"), world.Now);
        Assert.Equal([$"trouble {kind.ToKindString()}", End], world.Done);
    }

    [Fact]
    public void Pairings_that_fail_one_after_the_other_end_later_and_later()
    {
        using var world = new SessionWorld(with: static o => o with { RequiresProof = true });
        _ = world.Register().Done;
        foreach (double pause in new[] { 0, 1, 2, 4, 8, 10, 10 })
        {
            world.Offer(isProven: false);
            Assert.Equal(["offered B", "trouble refused"], world.Done.Take(2));
            if (pause > 0)
            {
                Assert.Empty(world.Wait(pause - 0.1).Done);
                Assert.Equal([End], world.Wait(0.2).Done);
            }
        }
    }

    [Fact]
    public void Short_connections_that_the_application_had_are_no_failures()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        for (int i = 1; i <= 5; i++)
        {
            world.Offer();
            world.Session.HandleDialled(i, connection: i, world.Now);
            world.Session.HandleHandedOver(i);
            world.Session.HandleConnectionClosed(i, world.Now);
            Assert.Equal(["offered B", $"dial {i}", $"cancel {i}", $"adopt {i} B", End], world.Done);
        }
    }

    [Fact]
    public void Connections_that_end_before_the_application_has_them_are_failures_until_it_has_one()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        for (int i = 1; i <= 3; i++)
        {
            world.Offer();
            world.Session.HandleDialled(i, connection: i, world.Now);
            _ = world.Wait(6).Done;
            world.Session.HandleConnectionClosed(i, world.Now);
            Assert.Equal(i == 1 ? [End] : [], world.Done);
            Assert.Equal(i == 1 ? [] : [End], world.Wait(Math.Pow(2, i - 2)).Done);
        }

        world.Offer();
        world.Session.HandleDialled(4, connection: 4, world.Now);
        world.Session.HandleHandedOver(4);
        world.Session.HandleConnectionClosed(4, world.Now);
        Assert.Equal(End, world.Done[^1]);
    }

    [Fact]
    public void The_newest_offer_counts()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        _ = world.Done;

        world.Offer("C", isProven: false);
        Assert.Equal(["cancel 1", "offered C", $"dial 2 at {SessionWorld.Dialled}"], world.Done);
        world.Session.HandleDialled(1, connection: 1, world.Now);
        Assert.Equal(["close 1"], world.Done);
    }

    [Fact]
    public void Who_is_connected_is_not_offered_to_others()
    {
        using var world = SessionWorld.Connected();
        using var other = NodeIdentity.Create();

        world.Offer("C", peer: other.Id);
        Assert.Equal([ResumeB], world.Done);
        world.Session.HandleAccepted(2, other.Id, world.Now);
        Assert.Equal(["close 2"], world.Done);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void When_the_same_worker_is_offered_again_the_connection_says_whether_it_lives(bool lives)
    {
        using var world = SessionWorld.Connected();
        world.Offer();
        world.Offer();
        Assert.Equal(["probe 1"], world.Done);

        world.Session.HandleProbed(1, lives, world.Now);
        Assert.Equal(lives ? [ResumeB] : ["close 1", "offered B", "dial 2"], world.Done);
        world.Session.HandleConnectionClosed(1, world.Now);
        Assert.Equal(lives ? [End] : [], world.Done);
    }

    [Fact]
    public void A_connection_that_ends_while_its_worker_is_offered_anew_makes_room_for_it()
    {
        using var world = SessionWorld.Connected();
        world.Offer();
        Assert.Equal(["probe 1"], world.Done);

        world.Session.HandleConnectionClosed(1, world.Now);
        Assert.Equal(["offered B", "dial 2"], world.Done);
        world.Session.HandleProbed(1, isAlive: false, world.Now);
        Assert.Empty(world.Done);
    }

    [Fact]
    public void The_end_of_the_peer_ends_the_pairing()
    {
        using var world = SessionWorld.Connected();
        _ = world.Wait(60);

        world.Session.HandleConnectionClosed(1, world.Now);
        Assert.Equal([End], world.Done);
        world.Offer();
        Assert.Equal(["offered B", "dial 2"], world.Done);
    }

    [Fact]
    public void Rendezvous_lost_and_back_with_a_peer()
    {
        using var world = SessionWorld.Connected();
        world.Session.HandleLinkClosed();
        Assert.Empty(world.Wait(300).Done);

        IReadOnlyList<string> said = world.Register().Done;
        Assert.Equal(ResumeB, said[^2]);
        Assert.StartsWith("""send {"type":"update_udp_endpoint""", said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Rendezvous_lost_and_back_without_a_peer()
    {
        using var world = SessionWorld.Connected();
        world.Session.HandleLinkClosed();
        world.Session.HandleConnectionClosed(1, world.Now);
        Assert.Empty(world.Wait(20).Done);

        Assert.DoesNotContain(world.Register().Done, static d => d == End || d == ResumeB);
    }

    [Fact]
    public void An_attempt_outlives_the_rendezvous()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer();
        world.Session.HandleLinkClosed();
        Assert.Equal(["offered B", "dial 1"], world.Done);

        Assert.Contains(ResumeB, world.Wait(1).Register().Done);
        world.Session.HandleDialled(1, connection: 1, world.Now);
        Assert.Contains("adopt 1 B", world.Done);
    }

    [Fact]
    public void Only_allowed_peers_are_dialled()
    {
        using var friend = NodeIdentity.Create();
        using var world = new SessionWorld(with: o => o with { Allowed = [friend.Id] });
        _ = world.Register().Done;

        world.Offer();
        Assert.Equal(["offered B", "trouble refused", End], world.Done);
        world.Offer("C", isProven: false);
        Assert.Equal(["offered C", "trouble refused"], world.Done);
        world.Offer("D", peer: friend.Id);
        Assert.Equal("offered D", world.Done[0]);
        Assert.Equal(2, world.Troubles.Count());
    }

    [Fact]
    public void A_peer_with_the_own_key_is_refused()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Offer(peer: world.Self.Id);

        Assert.Equal(["offered B", "trouble refused", End], world.Done);
        Assert.Contains("own key", world.Troubles.Single().Problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"p2p_connection_offer"}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"a b","peer_udp_ip":"203.0.113.7","peer_udp_port":1}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"somewhere","peer_udp_port":1}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":0}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":70000}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":" 1"}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":1,"peer_id":"x"}""")]
    [InlineData("""{"type":"p2p_connection_offer","peer_worker_id":"B","peer_udp_ip":"203.0.113.7","peer_udp_port":1,"peer_id":7}""")]
    public void An_offer_of_nobody_is_told_and_given_back(string offer)
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;
        world.Say(offer);

        Assert.Equal(["trouble unsupported", End], world.Done);
    }

    [Fact]
    public void After_the_last_peer_nobody_is_offered_a_worker_that_is_about_to_go()
    {
        using var world = SessionWorld.Connected();
        world.Session.HandleLastPeer(1);
        world.Offer();
        Assert.Equal([ResumeB], world.Done);

        world.Session.HandleConnectionClosed(1, world.Now);
        Assert.Equal(["leave"], world.Done);
        world.Offer();
        world.Session.HandleAccepted(2, world.Peer.Id, world.Now);
        Assert.Equal(["close 2"], world.Done);
    }
}
