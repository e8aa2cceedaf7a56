using Gimlet.Calls;
using Gimlet.Identity;
using Gimlet.Node;
using Gimlet.Serverless;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Serverless;

public sealed class ServerlessTests : IDisposable
{
    private static readonly TransportAddress Elsewhere = TransportAddress.Parse("192.0.2.66:666");

    private readonly NodeWorld _world = new();
    private readonly WorldNode _a;
    private readonly WorldNode _b;

    public ServerlessTests()
    {
        _a = _world.Add(Keys.Small, "203.0.113.1:1001", o => o with { Servers = 0 }, stun: false);
        _b = _world.Add(Keys.Large, "203.0.113.2:2002", o => o with { Servers = 0 }, stun: false);
    }

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Two_that_typed_each_others_address_and_id_are_connected_and_authenticated()
    {
        CallId handleOfA = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _world.Run(3); // people are not simultaneous
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(1);
        CallConnected a = _a.News<CallConnected>().Single();
        CallConnected b = _b.News<CallConnected>().Single();
        Assert.Equal(handleOfA, a.Handle);
        Assert.Equal(a.Call, b.Call);
        Assert.Equal((_b.Core.Id, _a.Core.Id), (a.Peer, b.Peer));
        Assert.True(a.IsAuthenticated && b.IsAuthenticated);
        _world.Do(() => Assert.True(_a.Core.TryPing(handleOfA, 1, _world.Now)));
        _world.Run(0.1);
        _ = Assert.Single(_a.News<CallPong>());
        _world.Run(60);
        Assert.DoesNotContain(_a.Events, e => e is CallFailed or CallClosed);
    }

    [Fact]
    public void A_bare_address_believes_the_first_who_answers_from_there_and_says_that_it_is_not_authenticated()
    {
        _ = _world.DialServerless(_a, _b.Address.WithPort(1), default);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(1);
        Assert.False(_a.News<CallConnected>().Single().IsAuthenticated);
        Assert.Equal(_b.Core.Id, _a.News<CallConnected>().Single().Peer);
        Assert.True(_b.News<CallConnected>().Single().IsAuthenticated);

        // A second one from that address comes too late.
        using var other = NodeIdentity.Create();
        int sent = _world.Datagrams.Count;
        _world.Inject(_b.Address, _a, Hello(other));
        Assert.Equal(sent, _world.Datagrams.Count);
    }

    [Fact]
    public void Another_id_than_the_typed_one_is_nobody()
    {
        _ = _world.DialServerless(_a, _b.Address, Keys.Stranger.Id, timeout: 2);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id, timeout: 2);
        _world.Run(3);
        Assert.DoesNotContain(_a.Events.Concat(_b.Events), e => e is CallConnected);
        Assert.Equal(GimletErrorKind.PeerNotReachable, _a.News<CallFailed>().Single().Kind);
    }

    [Fact]
    public void A_hello_whose_signature_is_wrong_gets_no_answer()
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        int sent = _world.Datagrams.Count;
        _world.Inject(_b.Address, _a, Hello(Keys.Large, signature: Keys.Stranger.Sign(Statement.Hello(Prekey))));
        _world.Inject(_b.Address, _a, Hello(Keys.Large, signature: Keys.Large.Sign(Statement.Prekey(Prekey))));
        _world.Inject(_b.Address, _a, Hello(Keys.Large, signature: new byte[64]));
        _world.Inject(_b.Address, _a, Hello(Keys.Large, fingerprint: false));
        _world.Inject(_b.Address, _a, Hello(Keys.Stranger));
        _world.Inject(_b.Address, _a, Hello(Keys.Small)); // our own, reflected
        Assert.Equal(sent, _world.Datagrams.Count);
        _world.Inject(_b.Address, _a, Hello(Keys.Large));
        Assert.True(_world.Datagrams.Count > sent);
    }

    [Fact]
    public void A_pre_key_that_is_not_on_the_curve_makes_no_call()
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id, timeout: 2);
        byte[] bad = [4, .. Enumerable.Repeat((byte)7, 64)];
        _world.Inject(_b.Address, _a, Hello(Keys.Large, prekey: bad));
        _world.Run(3);
        Assert.Equal(GimletErrorKind.PeerNotReachable, _a.News<CallFailed>().Single().Kind);
    }

    [Fact]
    public void A_node_that_dials_nobody_answers_no_hello()
    {
        _world.Inject(_b.Address, _a, Hello(Keys.Large));
        Assert.DoesNotContain(_world.Datagrams, d => d.From == _a.Address);
    }

    [Fact]
    public void A_flood_of_hellos_costs_a_bounded_number_of_verifications()
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        int sent = _world.Datagrams.Count;
        byte[] forged = Hello(Keys.Large, signature: new byte[64]);
        for (int i = 0; i < 50; i++)
        {
            _world.Inject(Elsewhere, _a, forged);
        }

        // The flood has used up this second: even a good one waits for the next.
        _world.Inject(_b.Address, _a, Hello(Keys.Large));
        Assert.Equal(sent, _world.Datagrams.Count);
        _world.Run(0.1);
        _world.Inject(_b.Address, _a, Hello(Keys.Large));
        Assert.True(_world.Datagrams.Count > sent);
    }

    [Fact]
    public void Lost_hellos_and_lost_answers_are_made_up_for()
    {
        int hellos = 0;
        _world.Loses = (_, _, bytes) => IsHello(bytes) && ++hellos <= 5;
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(3);
        Assert.True(_a.Has<CallConnected>() && _b.Has<CallConnected>());
    }

    [Fact]
    public void When_every_answer_to_hellos_is_lost_the_hellos_alone_are_enough()
    {
        _world.Loses = (_, _, bytes) => IsHello(bytes) && IsAnswer(bytes);
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(3);
        Assert.True(_a.Has<CallConnected>() && _b.Has<CallConnected>());
    }

    [Fact]
    public void When_one_sides_hellos_never_arrive_its_answers_are_enough()
    {
        _world.Loses = (from, _, bytes) => from == _a.Address && IsHello(bytes) && !IsAnswer(bytes);
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(3);
        Assert.True(_a.Has<CallConnected>() && _b.Has<CallConnected>());
    }

    [Fact]
    public void Hellos_go_out_at_once_and_at_the_interval_until_the_timeout_which_is_named()
    {
        CallId handle = _world.DialServerless(_a, _b.Address, _b.Core.Id, timeout: 2);
        _world.Run(20);
        Assert.Equal(5, _world.Datagrams.Count);
        CallFailed failed = _a.News<CallFailed>().Single();
        Assert.Equal((handle, GimletErrorKind.PeerNotReachable), (failed.Handle, failed.Kind));
        Assert.Contains("within 2 s", failed.Message, StringComparison.Ordinal);
        Assert.Contains("5 hellos", failed.Message, StringComparison.Ordinal);
        Assert.Contains(_b.Address.ToString(), failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, true, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    public void The_one_initiator_nominates_and_without_one_or_with_two_the_smaller_id(bool smallInitiates, bool largeInitiates, bool smallNominates)
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id, smallInitiates);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id, largeInitiates);
        _world.Run(5);
        TransportAddress[] nominators = [.. _world.Datagrams.Where(d => new Packet(default, d.From, d.To, d.Bytes).Kind == PacketKind.Nomination).Select(d => d.From).Distinct()];
        Assert.Equal([smallNominates ? _a.Address : _b.Address], nominators);
    }

    [Fact]
    public void Cancelling_stops_the_hellos_and_reports_nothing()
    {
        CallId handle = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _world.Do(() => _a.Core.Hangup(handle, 0, _world.Now));
        _world.Run(20);
        _ = Assert.Single(_world.Datagrams);
        Assert.DoesNotContain(_a.Events, e => e is CallEvent);
    }

    [Fact]
    public void A_copy_of_a_hello_from_elsewhere_aims_no_more_than_three_checks_there()
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        _world.Inject(Elsewhere, _a, Hello(Keys.Large));
        _world.Run(8);
        Assert.InRange(_world.Datagrams.Count(d => d.To == Elsewhere && !IsHello(d.Bytes)), 1, 3);
        Assert.Equal(1, _world.Datagrams.Count(d => d.To == Elsewhere && IsHello(d.Bytes)));
    }

    [Fact]
    public void A_peer_behind_a_NAT_that_gave_it_another_port_is_found_by_its_hello()
    {
        TransportAddress real = _b.Address;
        _ = _world.DialServerless(_a, real.WithPort(9), _b.Core.Id);
        _ = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(1);
        Assert.Equal(real, _a.News<CallConnected>().Single().Path.Remote);
    }

    [Fact]
    public void A_connection_that_has_ended_does_not_rise_again_from_an_old_hello()
    {
        _ = _world.DialServerless(_a, _b.Address, _b.Core.Id);
        CallId handleOfB = _world.DialServerless(_b, _a.Address, _a.Core.Id);
        _world.Run(1);
        byte[] hello = _world.Datagrams.First(d => d.From == _b.Address && IsHello(d.Bytes) && !IsAnswer(d.Bytes)).Bytes;
        _world.Do(() => _b.Core.Hangup(handleOfB, 0, _world.Now));
        _world.Run(1);
        _ = Assert.Single(_a.News<CallClosed>());
        _world.Inject(_b.Address, _a, hello);
        _world.Run(20);
        _ = Assert.Single(_a.News<CallConnected>());
        Assert.DoesNotContain(_a.Events, e => e is CallFailed);
    }

    [Fact]
    public void Loopback_that_somebody_typed_is_meant()
    {
        WorldNode c = _world.Add(Keys.Stranger, "127.0.0.1:3003", o => o with { Servers = 0 }, stun: false);
        using var key = NodeIdentity.Create();
        WorldNode d = _world.Add(key, "127.0.0.1:4004", o => o with { Servers = 0 }, stun: false);
        _ = _world.DialServerless(c, d.Address, d.Core.Id);
        _ = _world.DialServerless(d, c.Address, c.Core.Id);
        _world.Run(1);
        Assert.True(c.Has<CallConnected>() && d.Has<CallConnected>());
    }

    [Fact]
    public void An_answer_is_not_much_longer_than_the_hello_it_answers()
    {
        byte[] buffer = new byte[512];
        foreach (string address in new[] { "203.0.113.1:1", "[2001:db8::1]:1" })
        {
            int request = HelloMessages.Write(buffer, StunClass.Request, default, Own(Keys.Small, initiator: false), default);
            int answer = HelloMessages.Write(buffer, StunClass.Success, default, Own(Keys.Small, initiator: true), TransportAddress.Parse(address));
            Assert.NotEqual(0, request);

            // Counted as IP packets, with the headers of IPv4 and UDP.
            Assert.InRange((answer + 28) / (double)(request + 28), 1, 2.1);
            Assert.InRange(answer, request, request + 24 + 12);
        }
    }

    [Fact]
    public void The_call_id_depends_on_both_pre_keys_and_their_order()
    {
        byte[] first = [.. Enumerable.Repeat((byte)1, 65)];
        byte[] second = [.. Enumerable.Repeat((byte)2, 65)];
        CallId[] ids = [HelloMessages.CallIdOf(first, second), HelloMessages.CallIdOf(second, first), HelloMessages.CallIdOf(first, first)];
        Assert.Equal(3, ids.Distinct().Count());
        byte[] text = [.. "gimlet.v1 serverless\0"u8, .. first, .. second];
        Assert.Equal(new CallId(System.Security.Cryptography.SHA256.HashData(text).AsSpan(0, 16)), ids[0]);
    }

    private static byte[] Prekey { get; } = NewPrekey();

    private static byte[] NewPrekey()
    {
        using System.Security.Cryptography.ECDiffieHellman key = Keys.NewAgreementKey();
        return Keys.Point(key);
    }

    private static OwnHello Own(NodeIdentity identity, bool initiator) => new(identity.PublicKey.ToArray(), Prekey, identity.Sign(Statement.Hello(Prekey)), initiator);

    private static byte[] Hello(NodeIdentity identity, byte[]? signature = null, byte[]? prekey = null, bool fingerprint = true)
    {
        byte[] buffer = new byte[512];
        byte[] point = prekey ?? Prekey;
        var builder = new StunMessageBuilder(buffer, StunClass.Request, StunMethod.Binding, new StunTransactionId("abcdefghijkl"u8));
        builder.AddGimletHello(identity.PublicKey.Span, point, signature ?? identity.Sign(Statement.Hello(point)));
        if (fingerprint)
        {
            builder.AddFingerprint();
        }

        return buffer[..builder.Length];
    }

    private static bool IsHello(byte[] bytes) => StunMessage.TryParse(bytes, out StunMessage message) && message.TryGetGimletHello(out _);

    private static bool IsAnswer(byte[] bytes) => StunMessage.TryParse(bytes, out StunMessage message) && message.Class == StunClass.Success;
}
