using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Server;

/// <summary>Clients of RFC 3489, which know no magic cookie.</summary>
public sealed class LegacyClientTests
{
    private static readonly TransportAddress From = TransportAddress.Parse("203.0.113.7:50211");

    private static byte[] Bare => [0, 1, 0, 0, .. Enumerable.Range(1, 16).Select(i => (byte)i)];

    [Fact]
    public void A_request_without_the_cookie_gets_the_addresses_of_RFC_3489()
    {
        (StunAnswer answer, byte[] bytes) = Ask(Servers.Full, Bare);

        Assert.Equal(StunVerdict.Answered, answer.Verdict);
        Assert.Equal(Bare[4..20], bytes[4..20]);
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        Assert.True(message.IsLegacy);
        Assert.True(message.TryGetMappedAddress(out TransportAddress mapped));
        Assert.Equal(From, mapped);
        Assert.True(message.TryGetSourceAddress(out TransportAddress source));
        Assert.Equal(Servers.A1P1, source);
        Assert.True(message.TryGetChangedAddress(out TransportAddress changed));
        Assert.Equal(Servers.A2P2, changed);
        Assert.False(message.Contains(StunAttributeType.XorMappedAddress));
    }

    [Fact]
    public void Without_a_second_address_there_is_no_changed_address()
    {
        (_, byte[] bytes) = Ask(Servers.TwoPorts, Bare);
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        Assert.False(message.Contains(StunAttributeType.ChangedAddress));
        Assert.True(message.Contains(StunAttributeType.SourceAddress));
    }

    [Theory]
    [InlineData(2, "198.51.100.1:3479")]
    [InlineData(4, "198.51.100.2:3478")]
    [InlineData(6, "198.51.100.2:3479")]
    public void A_change_request_is_obeyed_where_it_can_be(byte flags, string source)
    {
        (StunAnswer answer, byte[] bytes) = Ask(Servers.Full, Change(flags));
        Assert.Equal(TransportAddress.Parse(source), answer.Source);
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        Assert.True(message.TryGetSourceAddress(out TransportAddress stated));
        Assert.Equal(TransportAddress.Parse(source), stated);
    }

    [Fact]
    public void A_change_request_that_cannot_be_obeyed_meets_silence()
    {
        Assert.Equal(StunVerdict.LegacyUnsupported, Ask(Servers.Plain, Change(6)).Answer.Verdict);
        Assert.Equal(StunVerdict.LegacyUnsupported, Ask(Servers.TwoPorts, Change(4)).Answer.Verdict);
        Assert.Equal(StunVerdict.Answered, Ask(Servers.TwoPorts, Change(2)).Answer.Verdict);
        Assert.Equal(StunVerdict.Answered, Ask(Servers.Plain, Change(0)).Answer.Verdict);
    }

    [Fact]
    public void Nobody_chooses_where_an_answer_goes()
    {
        // RESPONSE-ADDRESS 192.0.2.66:6
        byte[] request = [.. Bare, 0, 2, 0, 8, 0, 1, 0, 6, 192, 0, 2, 66];
        request[3] = 12;
        (StunAnswer answer, byte[] bytes) = Ask(Servers.Full, request);

        Assert.Equal(StunVerdict.Refused, answer.Verdict);
        Assert.Equal(From, answer.Destination);
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        Assert.True(message.TryGetUnknownAttributes(out UnknownAttributeList types));
        Assert.Equal(StunAttributeType.ResponseAddress, types[0]);
    }

    [Fact]
    public void Noise_that_happens_to_begin_like_a_request_is_dropped()
    {
        byte[] odd = [.. Bare, 0x80, 0x22, 0, 3, 1, 2, 3, 0];
        odd[3] = 8;
        Assert.Equal(StunVerdict.NotStun, Ask(Servers.Full, odd).Answer.Verdict);
        Assert.Equal(StunVerdict.NotStun, Ask(Servers.Full, [.. Bare, 0]).Answer.Verdict);
    }

    private static byte[] Change(byte flags)
    {
        byte[] request = [.. Bare, 0, 3, 0, 4, 0, 0, 0, flags];
        request[3] = 8;
        return request;
    }

    private static (StunAnswer Answer, byte[] Bytes) Ask(StunServerEndpoints endpoints, byte[] request)
    {
        var responder = new StunResponder(endpoints, [], new FixedTime());
        byte[] response = new byte[256];
        StunAnswer answer = responder.Answer(request, From, Servers.A1P1, response);
        return (answer, response[..answer.Length]);
    }
}
