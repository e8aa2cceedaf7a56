using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Server;

public sealed class StunResponderTests
{
    private static readonly StunTransactionId Id = new("0123456789ab"u8);
    private static readonly FixedTime Time = new();

    [Theory]
    [InlineData("203.0.113.7:50211", "198.51.100.1:3478")]
    [InlineData("[2001:db8::7]:50211", "[2001:db8:1::1]:3478")]
    public void A_plain_request_gets_its_address_and_nothing_else(string from, string local)
    {
        Reply reply = Ask(Servers.Plain, Request(), from, local);

        Assert.Equal(StunVerdict.Answered, reply.Answer.Verdict);
        Assert.Equal(TransportAddress.Parse(local), reply.Answer.Source);
        Assert.Equal(TransportAddress.Parse(from), reply.Answer.Destination);
        StunMessage message = reply.Parse();
        Assert.Equal(StunClass.Success, message.Class);
        Assert.Equal(Id, message.TransactionId);
        Assert.True(message.TryGetXorMappedAddress(out TransportAddress mapped));
        Assert.Equal(TransportAddress.Parse(from), mapped);
        Assert.Equal([StunAttributeType.XorMappedAddress], reply.Types());
    }

    [Fact]
    public void The_answer_has_a_fingerprint_only_if_the_request_had_one()
    {
        Reply reply = Ask(Servers.Plain, Request((ref b) => b.AddFingerprint()));
        Assert.Equal([StunAttributeType.XorMappedAddress, StunAttributeType.Fingerprint], reply.Types());
        Assert.True(reply.Parse().VerifyFingerprint());

        Reply wrong = Ask(Servers.Plain, Request((ref b) => b.Add(StunAttributeType.Fingerprint, 1u)));
        Assert.Equal(StunVerdict.BadFingerprint, wrong.Answer.Verdict);
        Assert.Equal(0, wrong.Answer.Length);
    }

    [Fact]
    public void Unknown_attributes_that_must_be_understood_get_420_with_their_list_and_no_reason()
    {
        Reply reply = Ask(Servers.Plain, Request((ref b) =>
        {
            b.Add((StunAttributeType)0x7001, 0u);
            b.Add((StunAttributeType)0xFFF0, 0u);
            b.Add((StunAttributeType)0x7002, 0u);
            b.Add((StunAttributeType)0x7001, 0u);
            b.AddFingerprint();
        }));

        Assert.Equal(StunVerdict.Refused, reply.Answer.Verdict);
        StunMessage message = reply.Parse();
        Assert.Equal(StunClass.Error, message.Class);
        Assert.True(message.TryGetErrorCode(out StunErrorCode code, out ReadOnlySpan<byte> reason));
        Assert.Equal(StunErrorCode.UnknownAttribute, code);
        Assert.True(reason.IsEmpty);
        Assert.True(message.TryGetUnknownAttributes(out UnknownAttributeList types));
        Assert.Equal(2, types.Count);
        Assert.Equal((StunAttributeType)0x7001, types[0]);
        Assert.Equal((StunAttributeType)0x7002, types[1]);
        Assert.True(message.VerifyFingerprint());
    }

    [Fact]
    public void Credentials_that_nobody_asked_for_are_ignored()
    {
        Reply reply = Ask(Servers.Plain, Request((ref b) =>
        {
            b.AddUsername("user"u8);
            b.AddSoftware("client"u8);
            b.AddMessageIntegrity("key"u8);
            b.AddMessageIntegritySha256("key"u8);
            b.AddFingerprint();
        }));
        Assert.Equal(StunVerdict.Answered, reply.Answer.Verdict);
    }

    [Theory]
    [InlineData(0x0011, StunVerdict.NotForUs)]
    [InlineData(0x0101, StunVerdict.NotForUs)]
    [InlineData(0x0111, StunVerdict.NotForUs)]
    [InlineData(0x0003, StunVerdict.NotForUs)]
    [InlineData(0x0002, StunVerdict.NotForUs)]
    [InlineData(0x4001, StunVerdict.NotStun)]
    public void What_is_no_Binding_request_is_never_answered(int type, StunVerdict verdict)
    {
        byte[] bytes = Request();
        bytes[0] = (byte)(type >> 8);
        bytes[1] = (byte)type;

        Reply reply = Ask(Servers.Full, bytes);
        Assert.Equal(verdict, reply.Answer.Verdict);
        Assert.Equal(0, reply.Answer.Length);
        Reply legacy = Ask(Servers.Full, [.. bytes[..4], 1, 2, 3, 4, .. bytes[8..]]);
        Assert.Equal(verdict, legacy.Answer.Verdict);
    }

    [Theory]
    [InlineData("0.0.0.0:5")]
    [InlineData("224.0.0.1:5")]
    [InlineData("255.255.255.255:5")]
    [InlineData("[ff02::1]:5")]
    [InlineData("[::]:5")]
    public void Nothing_is_sent_to_an_address_that_is_nobodys(string from) =>
        Assert.Equal(StunVerdict.BadSource, Ask(Servers.Plain, Request(), from).Answer.Verdict);

    [Fact]
    public void Nothing_is_sent_to_port_zero()
    {
        var responder = new StunResponder(Servers.Plain, [], Time);
        TransportAddress from = TransportAddress.Parse("203.0.113.7:1").WithPort(0);
        Assert.Equal(StunVerdict.BadSource, responder.Answer(Request(), from, Servers.A1P1, new byte[256]).Verdict);
    }

    [Theory]
    [InlineData(ChangeRequest.None, "198.51.100.1:3478")]
    [InlineData(ChangeRequest.ChangePort, "198.51.100.1:3479")]
    [InlineData(ChangeRequest.ChangeAddress, "198.51.100.2:3478")]
    [InlineData(ChangeRequest.ChangePort | ChangeRequest.ChangeAddress, "198.51.100.2:3479")]
    public void With_two_addresses_the_answer_leaves_from_where_it_was_asked_for(ChangeRequest change, string source)
    {
        Reply reply = Ask(Servers.Full, Request((ref b) => b.AddChangeRequest(change)));

        Assert.Equal(StunVerdict.Answered, reply.Answer.Verdict);
        Assert.Equal(TransportAddress.Parse(source), reply.Answer.Source);
        StunMessage message = reply.Parse();
        Assert.True(message.TryGetResponseOrigin(out TransportAddress origin));
        Assert.Equal(TransportAddress.Parse(source), origin);
        Assert.True(message.TryGetOtherAddress(out TransportAddress other));
        Assert.Equal(Servers.A2P2, other);
    }

    [Fact]
    public void The_other_address_is_the_other_one_of_whichever_was_asked()
    {
        Reply reply = Ask(Servers.Full, Request(), local: "198.51.100.2:3479");
        Assert.True(reply.Parse().TryGetOtherAddress(out TransportAddress other));
        Assert.Equal(Servers.A1P1, other);
    }

    [Fact]
    public void A_server_behind_a_one_to_one_NAT_names_its_outside_addresses()
    {
        var endpoints = new StunServerEndpoints
        {
            AlternatePort = 3479,
            IPv4 = new StunAddressPair(TransportAddress.Parse("10.0.0.1:1"), TransportAddress.Parse("10.0.0.2:1"))
            {
                AdvertisedPrimary = Servers.A1P1,
                AdvertisedAlternate = Servers.A2P2,
            },
        };
        Reply reply = Ask(endpoints, Request((ref b) => b.AddChangeRequest(ChangeRequest.ChangePort)), local: "10.0.0.1:3478");

        Assert.Equal(TransportAddress.Parse("10.0.0.1:3479"), reply.Answer.Source);
        Assert.True(reply.Parse().TryGetResponseOrigin(out TransportAddress origin));
        Assert.Equal(Servers.A1P1.WithPort(3479), origin);
        Assert.True(reply.Parse().TryGetOtherAddress(out TransportAddress other));
        Assert.Equal(Servers.A2P2, other);
    }

    [Fact]
    public void With_only_a_second_port_the_port_changes_and_the_address_gets_420()
    {
        Reply port = Ask(Servers.TwoPorts, Request((ref b) => b.AddChangeRequest(ChangeRequest.ChangePort)));
        Assert.Equal(Servers.A1P1.WithPort(3479), port.Answer.Source);
        Assert.Equal([StunAttributeType.XorMappedAddress, StunAttributeType.ResponseOrigin], port.Types());

        Reply address = Ask(Servers.TwoPorts, Request((ref b) => b.AddChangeRequest(ChangeRequest.ChangeAddress)));
        AssertRefused(address, StunErrorCode.UnknownAttribute, StunAttributeType.ChangeRequest);
        Assert.Equal(Servers.A1P1, address.Answer.Source);
    }

    [Fact]
    public void A_plain_server_does_not_know_the_attributes_of_behaviour_discovery()
    {
        AssertRefused(
            Ask(Servers.Plain, Request((ref b) => b.AddChangeRequest(ChangeRequest.ChangePort))),
            StunErrorCode.UnknownAttribute,
            StunAttributeType.ChangeRequest);
        AssertRefused(
            Ask(Servers.Plain, Request((ref b) => b.AddResponsePort(9))), StunErrorCode.UnknownAttribute, StunAttributeType.ResponsePort);
        AssertRefused(
            Ask(Servers.Plain, Request((ref b) => b.AddPadding(8))), StunErrorCode.UnknownAttribute, StunAttributeType.Padding);
    }

    [Fact]
    public void A_response_port_changes_only_the_port_of_the_destination()
    {
        Reply reply = Ask(Servers.Full, Request((ref b) => b.AddResponsePort(9)), "203.0.113.7:50211");
        Assert.Equal(TransportAddress.Parse("203.0.113.7:9"), reply.Answer.Destination);
        Assert.True(reply.Parse().TryGetXorMappedAddress(out TransportAddress mapped));
        Assert.Equal(TransportAddress.Parse("203.0.113.7:50211"), mapped);
    }

    [Fact]
    public void Padding_is_mirrored_and_not_with_a_response_port()
    {
        Reply reply = Ask(Servers.Full, Request((ref b) => b.AddPadding(500)));
        Assert.True(reply.Parse().TryGetPadding(out int padding));
        Assert.Equal(500, padding);

        Reply both = Ask(Servers.Full, Request((ref b) =>
        {
            b.AddPadding(500);
            b.AddResponsePort(9);
        }));
        AssertRefused(both, StunErrorCode.BadRequest);
        AssertRefused(Ask(Servers.Full, Request((ref b) => b.Add(StunAttributeType.ResponsePort, 0u))), StunErrorCode.BadRequest);
    }

    [Fact]
    public void Padding_longer_than_the_buffer_is_cut()
    {
        Reply reply = Ask(Servers.Full, Request((ref b) => b.AddPadding(40_000)));
        Assert.Equal(StunVerdict.Answered, reply.Answer.Verdict);
        Assert.InRange(reply.Answer.Length, 1400, StunResponder.MaxAnswerLength);
    }

    [Fact]
    public void A_client_that_asks_gets_a_proof_that_verifies()
    {
        byte[] key = [.. Enumerable.Repeat((byte)7, 32)];
        Reply reply = Ask(Servers.Plain, Request((ref b) => b.AddGimletObserve()), key: key);
        Assert.True(reply.Parse().TryGetGimletProof(out ReadOnlySpan<byte> proof));
        Assert.True(ObservationProof.TryVerify(proof, TransportAddress.Parse("203.0.113.7:50211"), key, Time.Now));

        Assert.Equal([StunAttributeType.XorMappedAddress], Ask(Servers.Plain, Request((ref b) => b.AddGimletObserve())).Types());
        Assert.Equal([StunAttributeType.XorMappedAddress], Ask(Servers.Plain, Request(), key: key).Types());
    }

    [Fact]
    public void A_buffer_that_is_too_small_drops_the_answer()
    {
        var responder = new StunResponder(Servers.Full, [], Time);
        for (int size = 0; size < 56; size++)
        {
            StunAnswer answer = responder.Answer(Request(), TransportAddress.Parse("203.0.113.7:1"), Servers.A1P1, new byte[size]);
            Assert.Equal(StunVerdict.NoRoom, answer.Verdict);
        }
    }

    [Fact]
    public void No_truncation_or_mutation_makes_the_responder_throw_or_answer_too_much()
    {
        byte[] key = new byte[32];
        StunResponder[] responders =
            [new(Servers.Plain, key, Time), new(Servers.TwoPorts, key, Time), new(Servers.Full, key, Time)];
        byte[][] requests =
        [
            Request((ref b) =>
            {
                b.AddChangeRequest(ChangeRequest.ChangePort);
                b.AddGimletObserve();
                b.AddPadding(20);
                b.AddFingerprint();
            }),
            [0, 1, 0, 8, 9, 9, 9, 9, .. new byte[12], 0, 3, 0, 4, 0, 0, 0, 6],
            Samples.Everything(),
        ];
        requests[2][0] = 0;
        byte[] response = new byte[StunResponder.MaxAnswerLength];
        var from = TransportAddress.Parse("203.0.113.7:50211");
        int answered = 0;
        foreach (byte[] request in requests)
        {
            foreach (byte[] bytes in Mutations.Truncations(request).Concat(Mutations.Random(request, seed: 8, stun: true)))
            {
                foreach (StunResponder responder in responders)
                {
                    StunAnswer answer = responder.Answer(bytes, from, Servers.A1P1, response);
                    if (answer.Length > 0)
                    {
                        answered++;
                        AssertBudget(from, bytes.Length, answer.Length);
                        Assert.True(StunMessage.TryParseAny(response.AsSpan(0, answer.Length), out StunMessage message));
                        Assert.True(message.Class is StunClass.Success or StunClass.Error);
                    }
                }
            }
        }

        Assert.True(answered > 1000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_answer_allocates_nothing(bool legacy)
    {
        byte[] key = new byte[32];
        var responder = new StunResponder(Servers.Full, key, Time);
        byte[] request = legacy
            ? [0, 1, 0, 8, 9, 9, 9, 9, .. new byte[12], 0, 3, 0, 4, 0, 0, 0, 6]
            : Request((ref b) =>
            {
                b.AddChangeRequest(ChangeRequest.ChangePort);
                b.AddGimletObserve();
                b.AddFingerprint();
            });
        byte[] response = new byte[256];
        var from = TransportAddress.Parse("[2001:db8::7]:50211");
        var local = TransportAddress.Parse("[2001:db8:1::1]:3478");
        Assert.Equal(StunVerdict.Answered, responder.Answer(request, from, local, response).Verdict);
        Allocations.AssertNone(() => _ = responder.Answer(request, from, local, response).Length);
    }

    [Fact]
    public void An_error_allocates_nothing()
    {
        var responder = new StunResponder(Servers.Plain, [], Time);
        byte[] request = Request((ref b) => b.Add((StunAttributeType)0x7001, 0u));
        byte[] response = new byte[256];
        var from = TransportAddress.Parse("203.0.113.7:50211");
        Allocations.AssertNone(() => _ = responder.Answer(request, from, Servers.A1P1, response).Length);
    }

    [Fact]
    public void Endpoints_and_keys_that_make_no_sense_are_named()
    {
        Assert.Contains("AlternatePort", Throws(new StunServerEndpoints { AlternatePort = 3478 }), StringComparison.Ordinal);
        Assert.Contains(
            "IPv4", Throws(new StunServerEndpoints { IPv4 = new StunAddressPair(Servers.A1P1, Servers.A1P1) }), StringComparison.Ordinal);
        Assert.Contains(
            "IPv6", Throws(new StunServerEndpoints { IPv6 = new StunAddressPair(Servers.A1P1, Servers.A2P2) }), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new StunResponder(Servers.Plain, new byte[31], Time));

        static string Throws(StunServerEndpoints endpoints) =>
            Assert.ThrowsAny<ArgumentException>(() => new StunResponder(endpoints, [], Time)).Message;
    }

    internal static void AssertBudget(TransportAddress from, int request, int answer)
    {
        int headers = from.IsIPv6 ? 48 : 28;
        Assert.True(answer + headers <= 2.1 * (request + headers), $"{answer} bytes for {request}");
    }

    private static void AssertRefused(Reply reply, StunErrorCode expected, params StunAttributeType[] unknown)
    {
        Assert.Equal(StunVerdict.Refused, reply.Answer.Verdict);
        StunMessage message = reply.Parse();
        Assert.True(message.TryGetErrorCode(out StunErrorCode code, out _));
        Assert.Equal(expected, code);
        Assert.Equal(unknown.Length > 0, message.TryGetUnknownAttributes(out UnknownAttributeList types));
        for (int i = 0; i < unknown.Length; i++)
        {
            Assert.Equal(unknown[i], types[i]);
        }
    }

    private static byte[] Request(BuildRequest? build = null, int size = 60_000) => Servers.Request(Id, build, size);

    private static Reply Ask(
        StunServerEndpoints endpoints,
        byte[] request,
        string from = "203.0.113.7:50211",
        string local = "198.51.100.1:3478",
        byte[]? key = null)
    {
        var responder = new StunResponder(endpoints, key, Time);
        byte[] response = new byte[StunResponder.MaxAnswerLength];
        StunAnswer answer = responder.Answer(request, TransportAddress.Parse(from), TransportAddress.Parse(local), response);
        return new Reply(answer, response[..answer.Length]);
    }

    private sealed record Reply(StunAnswer Answer, byte[] Bytes)
    {
        public StunMessage Parse()
        {
            Assert.True(StunMessage.TryParse(Bytes, out StunMessage message));
            return message;
        }

        public List<StunAttributeType> Types()
        {
            List<StunAttributeType> types = [];
            foreach (StunAttribute attribute in Parse())
            {
                types.Add(attribute.Type);
            }

            return types;
        }
    }
}
