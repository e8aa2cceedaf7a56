using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Server.Access;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class RegistrationTests
{
    [Fact]
    public void A_new_connection_gets_a_fresh_challenge_with_the_stun_servers_and_its_own_address()
    {
        var world = new World();
        WorldNode a = world.Connect("198.51.100.7:50000");
        WorldNode b = world.Connect("[2001:db8::7]:50001");
        ChallengeMessage first = a.Output.Next<ChallengeMessage>();
        ChallengeMessage second = b.Output.Next<ChallengeMessage>();
        Assert.Equal(SignalProtocol.NonceLength, first.Nonce!.Length);
        Assert.NotEqual(first.Nonce, second.Nonce);
        Assert.Equal([":3478", ":3479"], first.Stun!);
        Assert.Equal("198.51.100.7:50000", first.Observed);
        Assert.Equal("[2001:db8::7]:50001", second.Observed);
    }

    [Fact]
    public void A_signed_registration_is_confirmed_with_the_id_the_address_and_the_limits()
    {
        var world = new World();
        WorldNode node = world.Connect();
        node.Register();
        RegisteredMessage registered = node.Output.Next<RegisteredMessage>();
        Assert.Equal(node.Id.ToString(), registered.Peer);
        Assert.Equal("198.51.100.7:50000", registered.Observed);
        Assert.Equal(15_000, registered.KeepAliveMs);
        Assert.Equal((16 * 1024, 20, 60), (registered.Limits!.MessageBytes, registered.Limits.MessagesPerSecond, registered.Limits.CallsPerMinute));
        Assert.Equal(1, world.Core.NodeCount);
        node.Output.Nothing();
    }

    [Fact]
    public void A_signature_over_another_host_is_refused()
    {
        // What a server that passes this challenge on would collect: the node signs the name that it dialled.
        var world = new World();
        WorldNode node = world.Connect();
        ChallengeMessage challenge = node.Output.Next<ChallengeMessage>();
        node.Send(node.Node.Register(challenge.Nonce, "evil.example.net:443"));
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
        Assert.Equal(0, world.Core.NodeCount);
    }

    [Fact]
    public void A_signature_over_another_port_is_refused()
    {
        var world = new World();
        WorldNode node = world.Connect();
        ChallengeMessage challenge = node.Output.Next<ChallengeMessage>();
        node.Send(node.Node.Register(challenge.Nonce, "gimlet.example.org:8443"));
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    [Fact]
    public void A_signature_over_another_sessions_challenge_is_refused()
    {
        var world = new World();
        WorldNode first = world.Connect();
        WorldNode second = world.Connect();
        _ = second.Output.Next<ChallengeMessage>();
        second.Send(second.Node.Register(first.Output.Next<ChallengeMessage>().Nonce, World.Authority));
        second.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    [Fact]
    public void A_key_that_did_not_sign_is_refused()
    {
        var world = new World();
        using var other = new TestNode();
        WorldNode node = world.Connect();
        node.Register(with: m => m with { PublicKey = other.Identity.PublicKey.ToArray() });
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    public static TheoryData<string> Halves => ["no key", "no signature", "short key", "short signature", "point off the curve"];

    [Theory]
    [MemberData(nameof(Halves))]
    public void A_registration_with_a_malformed_proof_is_refused(string what)
    {
        var world = new World();
        WorldNode node = world.Connect();
        node.Register(with: m => what switch
        {
            "no key" => m with { PublicKey = null },
            "no signature" => m with { Signature = null },
            "short key" => m with { PublicKey = m.PublicKey![..90] },
            "short signature" => m with { Signature = m.Signature![..63] },
            _ => m with { PublicKey = [.. m.PublicKey![..89], 1, 2] },
        });
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    [Fact]
    public void A_pre_key_that_the_node_did_not_sign_is_refused()
    {
        var world = new World();
        using var other = new TestNode();
        WorldNode node = world.Connect();
        node.Register(with: m => m with { Prekey = other.Prekey() });
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    [Fact]
    public void A_pre_key_signed_for_another_purpose_is_refused()
    {
        var world = new World();
        WorldNode node = world.Connect();
        node.Register(with: m => m with { Prekey = m.Prekey! with { Signature = node.Node.Identity.Sign(Statement.Hello(m.Prekey.Key)) } });
        node.ShouldBeRefused(ErrorCode.BadSignature, 1008);
    }

    [Fact]
    public void A_host_that_the_server_does_not_answer_for_is_refused_at_once_with_the_remedy()
    {
        var world = new World();
        WorldNode node = world.Connect(authority: "203.0.113.9:443");
        ErrorMessage error = node.Output.Next<ErrorMessage>();
        Assert.Equal(ErrorCode.WrongHost, error.Code);
        Assert.Contains("gimlet.example.org", error.Detail, StringComparison.Ordinal);
        node.ShouldBeClosed(ErrorCode.WrongHost, 1008);
    }

    [Fact]
    public void A_node_that_is_not_on_the_list_is_refused_and_one_that_is_registers()
    {
        using var listed = new TestNode();
        var world = new World(o => o with { Access = new ListAccess("of the test", [listed.Id]) });
        _ = world.Register(node: listed);
        WorldNode other = world.Connect();
        other.Register();
        other.ShouldBeRefused(ErrorCode.Unauthorised, 1008);
    }

    [Theory]
    [InlineData("correct horse battery", true)]
    [InlineData("correct horse batterz", false)]
    [InlineData("correct horse batter", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_token_admits_who_holds_it(string? token, bool admitted)
    {
        var world = new World(o => o with { Access = new TokenAccess("correct horse battery") });
        WorldNode node = world.Connect();
        node.Register(with: m => m with { Token = token });
        if (admitted)
        {
            _ = node.Output.Next<RegisteredMessage>();
        }
        else
        {
            node.ShouldBeRefused(ErrorCode.Unauthorised, 1008);
        }
    }

    [Fact]
    public void A_node_that_is_taken_off_the_list_is_closed()
    {
        using var staying = new TestNode();
        using var going = new TestNode();
        var access = new ListAccess("of the test", [staying.Id, going.Id]);
        var world = new World(o => o with { Access = access });
        WorldNode a = world.Register(node: staying);
        WorldNode b = world.Register(node: going);
        access.Replace([staying.Id]);
        world.Core.Reauthorise(world.Now);
        b.ShouldBeRefused(ErrorCode.Unauthorised, 1008);
        Assert.False(a.Session.IsClosed);
    }

    [Fact]
    public void An_accept_mode_nobody_knows_is_a_bad_message_and_the_node_may_try_again()
    {
        var world = new World();
        WorldNode node = world.Connect();
        ChallengeMessage challenge = node.Output.Next<ChallengeMessage>();
        node.Send(node.Node.Register(challenge.Nonce, World.Authority, "perhaps"));
        Assert.Equal(ErrorCode.BadMessage, node.Output.Next<ErrorMessage>().Code);
        node.Send(node.Node.Register(challenge.Nonce, World.Authority));
        _ = node.Output.Next<RegisteredMessage>();
    }

    [Fact]
    public void A_second_registration_on_the_same_session_is_a_bad_message()
    {
        var world = new World();
        WorldNode node = world.Register();
        node.Send(node.Node.Register(RandomNumberGenerator.GetBytes(32), World.Authority));
        Assert.Equal(ErrorCode.BadMessage, node.Output.Next<ErrorMessage>().Code);
        Assert.False(node.Session.IsClosed);
    }

    [Fact]
    public void A_stranger_can_do_nothing_but_register_and_ping()
    {
        var world = new World();
        WorldNode callee = world.Register();
        WorldNode stranger = world.Connect();
        _ = stranger.Output.Next<ChallengeMessage>();
        SignalMessage[] messages =
        [
            stranger.Node.Call(callee.Id), new UpdateMessage(), new AcceptMessage { Call = TestNode.NewCallId() },
            new RejectMessage { Call = TestNode.NewCallId() }, new CandidatesMessage { Call = TestNode.NewCallId() },
        ];
        foreach (SignalMessage message in messages)
        {
            stranger.Send(message);
            Assert.Equal(ErrorCode.BadMessage, stranger.Output.Next<ErrorMessage>().Code);
        }

        callee.Output.Nothing();
        stranger.Send(new PingMessage { Id = 7 });
        Assert.Equal(7, stranger.Output.Next<PongMessage>().Id);
        stranger.Send(new PongMessage { Id = 7 });
        stranger.Output.Nothing();
    }

    [Fact]
    public void Who_does_not_register_in_time_is_closed()
    {
        var world = new World();
        WorldNode node = world.Connect();
        _ = node.Output.Next<ChallengeMessage>();
        world.Advance(9.5);
        Assert.False(node.Session.IsClosed);
        world.Advance(0.5);
        node.ShouldBeRefused(ErrorCode.RegistrationTimeout, 1008);

        // What arrives after that changes nothing, not even a good registration.
        node.Send(new PingMessage { Id = 1 });
        node.Output.Nothing();
    }

    [Fact]
    public void Unknown_messages_and_messages_only_a_server_sends_are_ignored()
    {
        var world = new World();
        WorldNode node = world.Register();
        node.SendRaw("""{"type":"dance","steps":3}"""u8);
        node.SendRaw("""{"steps":3}"""u8);
        node.Send(new IntroduceMessage { Call = TestNode.NewCallId() });
        node.Send(new ErrorMessage { Code = ErrorCode.ShuttingDown });
        node.Output.Nothing();
        Assert.False(node.Session.IsClosed);
    }

    [Fact]
    public void A_server_that_does_not_relay_drops_binary_frames_and_tells_the_node_once()
    {
        var world = new World(o => o with { Relays = false });
        WorldNode node = world.Register();
        node.SendBinary(new byte[1200]);
        node.SendBinary(new byte[1200]);
        Assert.Equal(ErrorCode.BadMessage, node.Output.Next<ErrorMessage>().Code);
        node.Output.Nothing();
        Assert.False(node.Session.IsClosed);
    }

    [Fact]
    public void Closing_tells_every_node_why_and_refuses_who_comes_later()
    {
        var world = new World();
        WorldNode a = world.Register();
        WorldNode b = world.Connect();
        _ = b.Output.Next<ChallengeMessage>();
        world.Core.CloseAll(ErrorCode.ShuttingDown, world.Now);
        a.ShouldBeRefused(ErrorCode.ShuttingDown, 1001);
        b.ShouldBeRefused(ErrorCode.ShuttingDown, 1001);
        world.Connect().ShouldBeRefused(ErrorCode.ShuttingDown, 1001);
        Assert.Equal(0, world.Core.NodeCount);
    }
}
