using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class CallTests
{
    [Fact]
    public void An_open_callee_is_introduced_in_the_same_instant_as_it_is_told()
    {
        var world = new World();
        WorldNode a = world.Register("198.51.100.1:1000");
        WorldNode b = world.Register("198.51.100.2:1000");
        ConnectMessage call = a.Node.Call(b.Id);
        a.Send(call);

        IncomingMessage incoming = b.Output.Next<IncomingMessage>();
        Assert.Equal((call.Call, a.Id.ToString()), (incoming.Call, incoming.Peer));
        Assert.Equal(a.Node.Identity.PublicKey.ToArray(), incoming.PublicKey);
        Assert.Equal(call.Ephemeral!.Key, incoming.Ephemeral!.Key);
        Assert.Equal(call.Ephemeral.Signature, incoming.Ephemeral.Signature);
        Assert.Equal(["192.168.7.7:5000"], incoming.Candidates!.Select(c => c.Address));
        Assert.Equal("endpoint-independent", incoming.Nat!.Mapping);
        Assert.Equal(["direct", "relay"], incoming.Capabilities!);

        IntroduceMessage introduce = a.Output.Next<IntroduceMessage>();
        Assert.Equal((call.Call, b.Id.ToString()), (introduce.Call, introduce.Peer));
        Assert.Equal(b.Node.Identity.PublicKey.ToArray(), introduce.PublicKey);
        Assert.Equal(b.Node.Prekey().Key, introduce.Prekey!.Key);
        Assert.Equal(["192.168.1.5:4000"], introduce.Candidates!.Select(c => c.Address));
        a.Output.Nothing();
        b.Output.Nothing();
    }

    [Fact]
    public void A_callee_that_decides_is_told_first_and_introduced_after_its_accept_with_fresher_candidates()
    {
        var world = new World();
        WorldNode a = world.Register("198.51.100.1:1000");
        WorldNode b = world.Register("198.51.100.2:1000", AcceptMode.OnAccept);
        string call = a.Call(b);
        _ = b.Output.Next<IncomingMessage>();
        a.Output.Nothing();
        b.Send(new AcceptMessage { Call = call, Candidates = TestNode.Host("10.0.0.9:9") });
        Assert.Equal(["10.0.0.9:9"], a.Output.Next<IntroduceMessage>().Candidates!.Select(c => c.Address));

        // A second accept introduces nobody again.
        b.Send(new AcceptMessage { Call = call });
        a.Output.Nothing();
    }

    [Fact]
    public void An_accept_without_candidates_means_the_registered_ones()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        b.Send(new UpdateMessage { Candidates = TestNode.Host("10.1.1.1:77") });
        b.Send(new AcceptMessage { Call = call });
        Assert.Equal(["10.1.1.1:77"], a.Output.Next<IntroduceMessage>().Candidates!.Select(c => c.Address));
    }

    [Fact]
    public void A_registration_that_does_not_say_how_it_accepts_decides_first()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(with: m => m with { Accept = null });
        _ = a.Call(b);
        _ = b.Output.Next<IncomingMessage>();
        a.Output.Nothing();
    }

    [Fact]
    public void Only_the_callee_can_accept_or_reject()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        WorldNode stranger = world.Register();
        string call = a.Call(b);
        _ = b.Output.Next<IncomingMessage>();
        foreach (WorldNode other in new[] { stranger, a })
        {
            other.Send(new AcceptMessage { Call = call });
            other.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused });
        }

        a.Output.Nothing();
        stranger.Output.Nothing();
        b.Send(new AcceptMessage { Call = call });
        _ = a.Output.Next<IntroduceMessage>();
    }

    [Fact]
    public void A_callee_that_does_not_answer_in_time_times_the_call_out_and_its_late_accept_is_ignored()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        world.Advance(9);
        a.Output.Nothing();
        world.Advance(1);
        a.ShouldBeRejected(call, RejectReason.TimedOut);
        b.Send(new AcceptMessage { Call = call });
        a.Output.Nothing();
        Assert.Equal(0, world.Core.CallCount);
    }

    [Theory]
    [InlineData("busy", "busy")]
    [InlineData("refused", "refused")]
    [InlineData("unsupported", "unsupported")]
    [InlineData("because", "refused")]
    [InlineData("offline", "refused")]
    [InlineData(null, "refused")]
    public void A_callees_reject_reaches_the_caller_with_a_known_reason(string? given, string expected)
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        b.Send(new RejectMessage { Call = call, Reason = given, Detail = "words" });
        RejectMessage reject = a.Output.Next<RejectMessage>();
        Assert.Equal((call, expected, "words"), (reject.Call, reject.Reason, reject.Detail));
        Assert.Equal(0, world.Core.CallCount);
    }

    [Fact]
    public void An_open_callee_can_still_reject_what_it_was_introduced_to()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = a.Call(b);
        _ = a.Output.Next<IntroduceMessage>();
        b.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused, Detail = "not on my list" });
        a.ShouldBeRejected(call, RejectReason.Refused);
    }

    [Fact]
    public void Nobody_there_is_offline_at_once()
    {
        var world = new World();
        WorldNode a = world.Register();
        using var absent = new TestNode();
        ConnectMessage call = a.Node.Call(absent.Id);
        a.Send(call);
        a.ShouldBeRejected(call.Call!, RejectReason.Offline);
    }

    [Fact]
    public void A_node_that_left_is_offline()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        b.Disconnect();
        string call = a.Call(b);
        a.ShouldBeRejected(call, RejectReason.Offline);
    }

    [Fact]
    public void A_callee_that_leaves_before_it_answers_is_offline_at_once()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register(accept: AcceptMode.OnAccept);
        string call = a.Call(b);
        b.Disconnect();
        a.ShouldBeRejected(call, RejectReason.Offline);
        Assert.Equal(0, world.Core.CallCount);
    }

    [Fact]
    public void A_callee_whose_queue_is_full_is_closed_and_the_caller_hears_offline()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        b.Output.Full = true;
        string call = a.Call(b);
        b.ShouldBeClosed(ErrorCode.TooSlow, 1013);
        a.ShouldBeRejected(call, RejectReason.Offline);
        Assert.False(a.Session.IsClosed);
    }

    [Fact]
    public void Calling_oneself_is_rejected()
    {
        var world = new World();
        WorldNode a = world.Register();
        string call = a.Call(a);
        a.ShouldBeRejected(call, RejectReason.Self);
    }

    [Fact]
    public void Nodes_without_a_direct_path_cannot_be_introduced_by_a_server_that_does_not_relay()
    {
        var world = new World(o => o with { Relays = false });
        WorldNode full = world.Register();
        WorldNode without = world.Register(with: m => m with { Capabilities = ["song", Capability.Relay] });
        WorldNode silent = world.Register(with: m => m with { Capabilities = null });
        WorldNode keyless = world.Register(with: m => m with { Prekey = null });
        full.ShouldBeRejected(full.Call(without), RejectReason.Unsupported);
        full.ShouldBeRejected(full.Call(silent), RejectReason.Unsupported);
        full.ShouldBeRejected(full.Call(keyless), RejectReason.Unsupported);
        without.ShouldBeRejected(without.Call(full), RejectReason.Unsupported);
        string call = keyless.Call(full);
        Assert.Equal(call, keyless.Output.Next<IntroduceMessage>().Call);
    }

    public static TheoryData<string> BadCalls =>
        ["no call", "short call", "call not hex", "no target", "mistyped target", "no key", "short key", "compressed key", "no signature", "short signature"];

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void A_call_that_cannot_be_read_is_a_bad_request(string what)
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        ConnectMessage call = a.Node.Call(b.Id);
        string target = call.Target!;
        SignedKey key = call.Ephemeral!;
        a.Send(what switch
        {
            "no call" => call with { Call = null },
            "short call" => call with { Call = call.Call![1..] },
            "call not hex" => call with { Call = "g" + call.Call![1..] },
            "no target" => call with { Target = null },
            "mistyped target" => call with { Target = (target[0] == 'a' ? 'b' : 'a') + target[1..] },
            "no key" => call with { Ephemeral = null },
            "short key" => call with { Ephemeral = key with { Key = key.Key![..64] } },
            "compressed key" => call with { Ephemeral = key with { Key = [2, .. key.Key![1..]] } },
            "no signature" => call with { Ephemeral = key with { Signature = null } },
            _ => call with { Ephemeral = key with { Signature = key.Signature![..63] } },
        });
        Assert.Equal(RejectReason.BadRequest, a.Output.Next<RejectMessage>().Reason);
        b.Output.Nothing();
    }

    [Fact]
    public void A_call_id_in_use_is_a_bad_request_whoever_uses_it_again()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        WorldNode c = world.Register();
        string call = a.Call(b);
        _ = a.Output.Next<IntroduceMessage>();
        a.Send(a.Node.Call(b.Id, call));
        a.ShouldBeRejected(call, RejectReason.BadRequest);
        c.Send(c.Node.Call(b.Id, call));
        c.ShouldBeRejected(call, RejectReason.BadRequest);
        _ = b.Output.Next<IncomingMessage>();
        b.Output.Nothing();
    }

    [Fact]
    public void A_call_is_forgotten_after_its_life()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        string call = a.Call(b);
        world.AdvanceAlive(29, a, b);
        Assert.Equal(1, world.Core.CallCount);
        world.AdvanceAlive(1, a, b);
        Assert.Equal(0, world.Core.CallCount);
        _ = a.Output.Drain();
        _ = b.Output.Drain();
        a.Send(new CandidatesMessage { Call = call, Candidates = TestNode.Host("10.0.0.1:1") });
        b.Output.Nothing();
        a.Output.Nothing();
    }

    [Fact]
    public void An_update_changes_what_it_names_and_leaves_the_rest()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        b.Send(new UpdateMessage { Candidates = TestNode.Host("10.9.9.9:9") });
        _ = a.Call(b);
        IntroduceMessage introduce = a.Output.Next<IntroduceMessage>();
        Assert.Equal(["10.9.9.9:9"], introduce.Candidates!.Select(c => c.Address));
        Assert.Equal("2 probes, 1 port", introduce.Nat!.Evidence);

        b.Send(new UpdateMessage { Accept = AcceptMode.OnAccept, Nat = new NatDescription { Mapping = "nonsense", Evidence = "a\nb" } });
        _ = a.Call(b);
        a.Output.Nothing();
        b.Send(new UpdateMessage { Accept = AcceptMode.Open });
        _ = a.Call(b);
        introduce = a.Output.Next<IntroduceMessage>();
        Assert.Equal(("unknown", "unknown", "a?b"), (introduce.Nat!.Mapping, introduce.Nat.Filtering, introduce.Nat.Evidence));
        b.Output.Drain();
        b.Send(new UpdateMessage { Accept = "sometimes" });
        Assert.Equal(ErrorCode.BadMessage, b.Output.Next<ErrorMessage>().Code);
    }
}
