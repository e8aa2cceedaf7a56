using Gimlet.Identity;
using Gimlet.Server.Tests.Support;
using Gimlet.Server.Workers;

namespace Gimlet.Server.Tests.Workers;

public sealed class ProofTests : IDisposable
{
    private readonly NodeIdentity _key = NodeIdentity.Create();
    private readonly NodeIdentity _otherKey = NodeIdentity.Create();

    public void Dispose()
    {
        _key.Dispose();
        _otherKey.Dispose();
    }

    [Fact]
    public void Both_offers_carry_the_ids_where_both_have_proven_theirs()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Connect("b");
        b.Prove(_otherKey);
        b.ShouldHaveProven(_otherKey.Id);
        b.Report("203.0.113.7:2");
        a.ShouldBeOffered("b", "203.0.113.7:2", _otherKey.Id);
        b.ShouldBeOffered("a", "203.0.113.7:1", _key.Id);
    }

    [Fact]
    public void A_proof_after_the_endpoint_asks_the_policy_again_and_its_answer_comes_before_the_offer()
    {
        var world = new WorkerWorld(o => o with { Pairing = new ProvenAlone() });
        WorldWorker a = world.Ready("a", udp: "203.0.113.7:1");
        WorldWorker b = world.Ready("b", udp: "203.0.113.7:2");
        WorldWorker c = world.Ready("c");
        Assert.Equal(("connected", "connected", "connected"), (world.StateOf("a"), world.StateOf("b"), world.StateOf("c")));
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        Assert.Equal("waiting", world.StateOf("a"));
        b.Prove(_otherKey);
        b.ShouldHaveProven(_otherKey.Id);
        a.ShouldBeOffered("b", "203.0.113.7:2", _otherKey.Id);
        b.ShouldBeOffered("a", "203.0.113.7:1", _key.Id);

        // What is said once more is no news.
        b.Prove(_otherKey);
        b.ShouldHaveProven(_otherKey.Id);
        a.Output.ShouldSayNothing();
        b.Output.ShouldSayNothing();
        c.Output.ShouldSayNothing();
    }

    [Fact]
    public void Who_waits_and_proves_its_id_leaves_the_place_of_those_who_have_not()
    {
        var world = new WorkerWorld(o => o with { Pairing = new ProvenApart() });
        WorldWorker a = world.Ready("a");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        WorldWorker b = world.Ready("b");
        b.Output.ShouldSayNothing();
        a.Output.ShouldSayNothing();
        Assert.Equal(("waiting", "waiting"), (world.StateOf("a"), world.StateOf("b")));
    }

    [Fact]
    public void Where_one_has_not_both_offers_are_plain()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Ready("b", udp: "203.0.113.7:2");
        a.ShouldBeOffered("b", "203.0.113.7:2");
        b.ShouldBeOffered("a", "203.0.113.7:1");
    }

    [Fact]
    public void A_signature_over_another_nonce_is_refused_and_the_nonce_is_used_up()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Send("""{"type":"prove_peer_id"}""");
        byte[] nonce = WorkerKeys.NonceOf(a.Output.Next());
        a.Send(WorkerKeys.Proof(_key, WorkerWorld.Authority, "a", new byte[32]));
        Assert.StartsWith("""{"type":"peer_id_proof","status":"error","detail":"The signature does not cover""", a.Output.Next(), StringComparison.Ordinal);
        a.Send(WorkerKeys.Proof(_key, WorkerWorld.Authority, "a", nonce));
        Assert.StartsWith("""{"type":"peer_id_proof","status":"error","detail":"There is no challenge""", a.Output.Next(), StringComparison.Ordinal);
        Assert.Null(world.View("a").Peer);
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
    }

    [Fact]
    public void The_nonce_of_another_connection_is_worth_nothing()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        WorldWorker b = world.Connect("b");
        a.Send("""{"type":"prove_peer_id"}""");
        byte[] nonce = WorkerKeys.NonceOf(a.Output.Next());
        b.Send("""{"type":"prove_peer_id"}""");
        _ = b.Output.Next();
        b.Send(WorkerKeys.Proof(_key, WorkerWorld.Authority, "b", nonce));
        Assert.Contains("\"status\":\"error\"", b.Output.Next(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("elsewhere.example.org:443", "a", "The signature does not cover")]
    [InlineData(WorkerWorld.Authority, "b", "The signature does not cover")]
    public void A_signature_for_another_server_or_worker_is_refused(string authority, string workerId, string detail)
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Prove(_key, authority, workerId);
        Assert.Contains(detail, a.Output.Next(), StringComparison.Ordinal);
        Assert.Null(world.View("a").Peer);
    }

    [Fact]
    public void A_server_that_was_dialled_by_a_name_it_does_not_have_takes_no_proof()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a", authority: "evil.example.org:443");
        a.Prove(_key, "evil.example.org:443");
        Assert.Contains("does not answer for 'evil.example.org:443'", a.Output.Next(), StringComparison.Ordinal);
        Assert.Null(world.View("a").Peer);
    }

    [Fact]
    public void A_rendezvous_without_names_takes_no_proof_and_says_so()
    {
        var world = new WorkerWorld(o => o with { Names = null });
        WorldWorker a = world.Connect("a");
        a.Send("""{"type":"prove_peer_id"}""");
        Assert.StartsWith("""{"type":"peer_id_proof","status":"error","detail":""", a.Output.Next(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"public_key\":\"\",\"signature\":\"\"")]
    [InlineData("\"public_key\":\"AAAA\",\"signature\":\"AAAA\"")]
    [InlineData("\"public_key\":\"!\",\"signature\":\"!\"")]
    [InlineData("\"public_key\":7,\"signature\":[]")]
    [InlineData("\"signature\":\"AAAA\"")]
    [InlineData("\"public_key\":\"AAAA\"")]
    public void Keys_and_signatures_that_are_none_are_refused(string members)
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Send("""{"type":"prove_peer_id"}""");
        _ = a.Output.Next();
        a.Send($$"""{"type":"prove_peer_id",{{members}}}""");
        Assert.StartsWith("""{"type":"peer_id_proof","status":"error","detail":""", a.Output.Next(), StringComparison.Ordinal);
        Assert.False(a.Connection.IsClosed);
    }

    [Fact]
    public void A_held_worker_id_is_taken_over_by_the_same_peer_only()
    {
        var world = new WorkerWorld();
        WorldWorker owner = world.Connect("a");
        owner.Prove(_key);
        owner.ShouldHaveProven(_key.Id);
        owner.Report("203.0.113.7:1");

        WorldWorker stranger = world.Connect("a", remote: "198.51.100.66:1");
        Assert.False(owner.Connection.IsClosed);
        stranger.Send("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.66","udp_port":6}""");
        stranger.Output.ShouldSay("""{"type":"udp_endpoint_ack","status":"error","detail":"Worker a belongs to a peer id: prove it first"}""");
        stranger.Send("""{"type":"echo_request","payload":1}""");
        Assert.Contains("\"original_payload\":1", stranger.Output.Next(), StringComparison.Ordinal);
        stranger.Prove(_otherKey);
        stranger.Output.ShouldSay("""{"type":"peer_id_proof","status":"error","detail":"Worker a belongs to another peer id"}""");
        Assert.Equal(("waiting", _key.Id), (world.StateOf("a"), world.View("a").Peer));

        WorldWorker again = world.Connect("a", remote: "198.51.100.9:1");
        again.Prove(_key);
        again.ShouldHaveProven(_key.Id);
        owner.ShouldBeClosed(1000, "New connection from same worker ID");
        again.Report("203.0.113.9:9");
        world.Ready("b").ShouldBeOffered("a", "203.0.113.9:9");

        world.Advance(10);
        stranger.ShouldBeClosed(1008, WorkerClose.NotProven);
        Assert.False(again.Connection.IsClosed);
    }

    [Fact]
    public void A_peer_id_holds_its_worker_id_while_the_worker_is_gone_for_as_long_as_the_record_lives()
    {
        var world = new WorkerWorld();
        WorldWorker owner = world.Connect("a");
        owner.Prove(_key);
        owner.Leave();
        WorldWorker stranger = world.Connect("a");
        Assert.Equal("left", world.StateOf("a"));
        stranger.Leave();
        world.Advance(599);
        WorldWorker late = world.Connect("a");
        world.Advance(1);

        // The hold is over; who has come before still has to prove something, and may prove anything.
        late.Prove(_otherKey);
        late.ShouldHaveProven(_otherKey.Id);
        Assert.Equal(("connected", _otherKey.Id), (world.StateOf("a"), world.View("a").Peer));
    }

    [Fact]
    public void A_connection_does_not_change_the_peer_id_of_its_worker()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        a.Prove(_otherKey);
        a.Output.ShouldSay("""{"type":"peer_id_proof","status":"error","detail":"Worker a belongs to another peer id"}""");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
    }

    [Fact]
    public void Of_those_who_may_prove_a_held_id_there_is_one_per_address_and_four_in_all()
    {
        var world = new WorkerWorld();
        WorldWorker owner = world.Connect("a");
        owner.Prove(_key);
        for (int i = 1; i <= 3; i++)
        {
            _ = world.Connect("a", remote: $"198.51.100.{i}:1");
        }

        Assert.Null(world.TryConnect("a", out WorkerRefusal? same, remote: "198.51.100.1:2"));
        Assert.Equal((409, "id-held"), (same!.Status, same.Kind));
        WorldWorker fourth = world.Connect("a", remote: "198.51.100.4:1");
        Assert.Null(world.TryConnect("a", out WorkerRefusal? fifth, remote: "198.51.100.5:1"));
        Assert.Equal(409, fifth!.Status);
        fourth.Leave();
        WorldWorker real = world.Connect("a", remote: "198.51.100.5:1");
        real.Prove(_key);
        real.ShouldHaveProven(_key.Id);
    }

    [Fact]
    public void A_pairing_is_kept_through_a_takeover_by_the_same_peer()
    {
        var world = new WorkerWorld();
        WorldWorker a = world.Connect("a");
        a.Prove(_key);
        a.ShouldHaveProven(_key.Id);
        a.Report("203.0.113.7:1");
        WorldWorker b = world.Ready("b");
        b.ShouldBeOffered("a", "203.0.113.7:1");
        WorldWorker again = world.Connect("a");
        again.Resume("b");
        again.Prove(_key);
        again.ShouldHaveProven(_key.Id);
        again.Resume("b");
        again.Report("203.0.113.7:1");
        Assert.Equal(("b", "a"), (world.View("a").Partner, world.View("b").Partner));
        b.Output.ShouldSayNothing();
    }

    private sealed class ProvenAlone : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => worker.PeerId is null ? null : "proven";
    }

    private sealed class ProvenApart : IWorkerPairing
    {
        public string? MeetingPoint(WorkerDescription worker) => worker.PeerId is null ? "unproven" : "proven";
    }
}
