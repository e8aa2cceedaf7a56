using Gimlet.Sockets;
using Gimlet.Worker.Tests.Support;

namespace Gimlet.Worker.Tests.Session;

/// <summary>What a worker says when its WebSocket opens, and again when it opens anew.</summary>
public sealed class RegistrationTests
{
    private const string Endpoint = """send {"type":"update_udp_endpoint","udp_ip":"198.51.100.1","udp_port":8081}""";
    private const string Question = """send {"type":"prove_peer_id"}""";
    private const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public void The_proof_comes_first_and_the_endpoint_after_its_answer()
    {
        using var world = new SessionWorld();
        world.Session.HandleLinkOpened(world.Now);
        Assert.Equal([Question], world.Done);

        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        Assert.Equal(["send proof"], world.Done);
        Assert.True(world.IsProofRight(Convert.FromBase64String(Nonce)));

        world.Say($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{world.Self.Id}}"}""");
        Assert.Equal(["registered and proven", Endpoint], world.Done);
        Assert.Equal(TimeSpan.MaxValue, world.Session.NextTimeout);
    }

    [Fact]
    public void A_rendezvous_that_does_not_know_proofs_gets_the_endpoint_after_two_seconds()
    {
        using var world = new SessionWorld();
        world.Session.HandleLinkOpened(world.Now);
        Assert.Equal([Question], world.Wait(1.9).Done);

        Assert.Equal(["registered", Endpoint], world.Wait(0.2).Done);
    }

    [Fact]
    public void A_proof_that_is_not_believed_is_told_and_the_endpoint_is_reported_all_the_same()
    {
        using var world = new SessionWorld();
        world.Session.HandleLinkOpened(world.Now);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        world.Say("""{"type":"peer_id_proof","status":"error","detail":"wrong name"}""");

        Assert.Equal([Question, "send proof", "trouble rendezvous-rejected", "registered", Endpoint], world.Done);
        Assert.Contains("wrong name", world.Troubles.Single().Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_challenge_that_nobody_asked_for_is_signed_by_nobody()
    {
        using var world = new SessionWorld(with: static o => o with { Proves = false });
        world.Session.HandleLinkOpened(world.Now);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");

        Assert.Equal(["registered", Endpoint], world.Done);
    }

    [Fact]
    public void A_second_challenge_is_not_signed()
    {
        using var world = new SessionWorld();
        world.Session.HandleLinkOpened(world.Now);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");

        Assert.Equal([Question, "send proof"], world.Done);
    }

    [Fact]
    public void Where_only_proven_peers_are_wanted_a_silent_rendezvous_is_said()
    {
        using var world = new SessionWorld(with: static o => o with { RequiresProof = true });
        world.Session.HandleLinkOpened(world.Now);

        Assert.Equal([Question, "trouble unsupported"], world.Wait(2).Done);
        Assert.Equal(TimeSpan.MaxValue, world.Session.NextTimeout);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_challenge_that_comes_late_is_answered_once_and_registers_the_worker_with_its_proof(bool provenOnly)
    {
        using var world = new SessionWorld(with: o => o with { RequiresProof = provenOnly });
        world.Session.HandleLinkOpened(world.Now);
        Assert.Equal([Question, .. provenOnly ? (string[])["trouble unsupported"] : ["registered", Endpoint]], world.Wait(30).Done);

        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        Assert.Equal(["send proof"], world.Done);
        Assert.True(world.IsProofRight(Convert.FromBase64String(Nonce)));
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        Assert.Empty(world.Wait(30).Done);

        string verdict = $$"""{"type":"peer_id_proof","status":"success","peer_id":"{{world.Self.Id}}"}""";
        world.Say(verdict);
        Assert.Equal(["registered and proven", Endpoint], world.Done);
        world.Say(verdict);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        Assert.Empty(world.Done);
    }

    [Fact]
    public void A_verdict_that_comes_late_and_is_bad_is_told_and_changes_nothing()
    {
        using var world = new SessionWorld();
        world.Session.HandleLinkOpened(world.Now);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        Assert.Equal([Question, "send proof", "registered", Endpoint], world.Wait(3).Done);

        world.Say("""{"type":"peer_id_proof","status":"error","detail":"wrong name"}""");
        Assert.Equal(["trouble rendezvous-rejected"], world.Done);
    }

    [Fact]
    public void Where_only_proven_peers_are_wanted_a_proof_that_is_not_believed_reports_no_address()
    {
        using var world = new SessionWorld(with: static o => o with { RequiresProof = true });
        world.Session.HandleLinkOpened(world.Now);
        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        world.Say("""{"type":"peer_id_proof","status":"error","detail":"wrong name"}""");

        Assert.Equal([Question, "send proof", "trouble rendezvous-rejected"], world.Done);
        world.Session.SetEndpoint(TransportAddress.Parse("198.51.100.1:9000"));
        Assert.Empty(world.Wait(60).Done);
    }

    [Fact]
    public void A_late_proof_keeps_the_peer_of_the_time_before()
    {
        using var world = SessionWorld.Connected();
        world.Session.HandleLinkClosed();
        world.Session.HandleLinkOpened(world.Now);
        _ = world.Wait(3).Done;

        world.Say($$"""{"type":"peer_id_challenge","nonce":"{{Nonce}}"}""");
        world.Say($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{world.Self.Id}}"}""");
        Assert.Equal(["send proof", "registered and proven", """send {"type":"resume_pairing","peer_worker_id":"B"}""", Endpoint], world.Done);
    }

    [Fact]
    public void The_endpoint_is_reported_when_it_is_known_and_whenever_it_changes_and_not_twice()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;

        world.Session.SetEndpoint(TransportAddress.Parse("198.51.100.1:8081"));
        Assert.Empty(world.Done);
        world.Session.SetEndpoint(TransportAddress.Parse("198.51.100.1:9000"));
        Assert.Equal(["""send {"type":"update_udp_endpoint","udp_ip":"198.51.100.1","udp_port":9000}"""], world.Done);

        world.Session.HandleLinkClosed();
        world.Session.SetEndpoint(TransportAddress.Parse("198.51.100.1:9001"));
        Assert.Empty(world.Done);
        Assert.Contains("""send {"type":"update_udp_endpoint","udp_ip":"198.51.100.1","udp_port":9001}""", world.Register().Done);
    }

    [Fact]
    public void The_address_that_HTTP_shows_is_said_at_each_opening()
    {
        const string Said = """send {"type":"register_public_ip","ip":"192.0.2.9"}""";
        using var world = new SessionWorld();
        _ = world.Register().Done;

        world.Session.SetSeenAddress("192.0.2.9");
        world.Session.SetSeenAddress("192.0.2.9");
        Assert.Equal([Said], world.Done);

        world.Session.HandleLinkClosed();
        world.Session.HandleLinkOpened(world.Now);
        Assert.Equal([Said, Question], world.Done);
    }

    [Fact]
    public void An_address_that_is_not_taken_is_told()
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;

        world.Say("""{"type":"udp_endpoint_ack","status":"success"}""");
        Assert.Empty(world.Done);
        world.Say("""{"type":"udp_endpoint_ack","status":"error","detail":"no\u001b[2J address"}""");
        Assert.Equal(["trouble rendezvous-rejected"], world.Done);
        Assert.DoesNotContain('\e', world.Troubles.Single().Problem.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("12")]
    [InlineData("{}")]
    [InlineData("""{"type":null}""")]
    [InlineData("""{"type":7}""")]
    [InlineData("""{"type":{"a":1}}""")]
    [InlineData("""{"type":"unknown"}""")]
    [InlineData("""{"type":"\ud800"}""")]
    [InlineData("""{"type":"peer_id_challenge"}""")]
    [InlineData("""{"type":"peer_id_challenge","nonce":"!"}""")]
    [InlineData("""{"type":"peer_id_proof","status":"success"}""")]
    [InlineData("""{"type":"echo_response","original_payload":1}""")]
    [InlineData("""{"type":"udp_endpoint_ack","status":"success"}{""")]
    public void What_means_nothing_changes_nothing(string message)
    {
        using var world = new SessionWorld();
        _ = world.Register().Done;

        world.Say(message);

        Assert.Empty(world.Done);
        Assert.Equal(TimeSpan.MaxValue, world.Session.NextTimeout);
    }
}
