using System.Security.Cryptography;
using System.Text;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Codec;

public sealed class VectorTests
{
    private const string Matrix = "マトリックス";

    private static ReadOnlySpan<byte> ShortTermKey => "VOkJxbRl1RmTxUk/WvJxBt"u8;

    [Fact]
    public void The_sample_request_of_RFC_5769_verifies_and_reads_as_printed()
    {
        Assert.True(StunMessage.TryParse(Vector.Read("rfc5769-2.1-request"), out StunMessage message));

        Assert.Equal(StunClass.Request, message.Class);
        Assert.Equal(StunMethod.Binding, message.Method);
        Assert.False(message.IsLegacy);
        Assert.Equal("b7e7a701bc34d686fa87dfae", message.TransactionId.ToString());
        Assert.True(message.TryGetSoftware(out ReadOnlySpan<byte> software));
        Assert.Equal("STUN test client"u8, software);
        Assert.True(message.TryGetPriority(out uint priority));
        Assert.Equal(0x6e0001ffu, priority);
        Assert.True(message.TryGetIceControlled(out ulong tieBreaker));
        Assert.Equal(0x932ff9b151263b36ul, tieBreaker);
        Assert.True(message.TryGetUsername(out ReadOnlySpan<byte> username));
        Assert.Equal("evtj:h6vY"u8, username);
        Assert.True(message.VerifyMessageIntegrity(ShortTermKey));
        Assert.False(message.VerifyMessageIntegrity("another"u8));
        Assert.True(message.VerifyFingerprint());
    }

    [Theory]
    [InlineData("rfc5769-2.2-ipv4-response", "192.0.2.1:32853")]
    [InlineData("rfc5769-2.3-ipv6-response", "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    public void The_sample_responses_of_RFC_5769_verify_and_read_as_printed(string vector, string mapped)
    {
        Assert.True(StunMessage.TryParse(Vector.Read(vector), out StunMessage message));

        Assert.Equal(StunClass.Success, message.Class);
        Assert.True(message.TryGetSoftware(out ReadOnlySpan<byte> software));
        Assert.Equal("test vector"u8, software);
        Assert.True(message.TryGetXorMappedAddress(out TransportAddress address));
        Assert.Equal(TransportAddress.Parse(mapped), address);
        Assert.True(message.VerifyMessageIntegrity(ShortTermKey));
        Assert.True(message.VerifyFingerprint());
    }

    [Fact]
    public void The_long_term_request_of_RFC_5769_verifies()
    {
        Assert.True(StunMessage.TryParse(Vector.Read("rfc5769-2.4-long-term"), out StunMessage message));

        // RFC 8489 section 18.5.1.1: key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))
        byte[] key = MD5.HashData(Encoding.UTF8.GetBytes($"{Matrix}:example.org:TheMatrIX"));
        Assert.True(message.TryGetUsername(out ReadOnlySpan<byte> username));
        Assert.Equal(Matrix, Encoding.UTF8.GetString(username));
        Assert.True(message.TryGetValue(StunAttributeType.Realm, out ReadOnlySpan<byte> realm));
        Assert.Equal("example.org"u8, realm);
        Assert.True(message.TryGetValue(StunAttributeType.Nonce, out ReadOnlySpan<byte> nonce));
        Assert.Equal("f//499k954d6OL34oL9FSTvy64sA"u8, nonce);
        Assert.True(message.VerifyMessageIntegrity(key));
        Assert.False(message.VerifyFingerprint());
    }

    [Fact]
    public void The_SHA256_request_of_RFC_8489_verifies_and_is_rebuilt_byte_for_byte()
    {
        byte[] vector = Vector.Read("rfc8489-b1");
        Assert.True(StunMessage.TryParse(vector, out StunMessage message));
        byte[] key = SHA256.HashData(Encoding.UTF8.GetBytes($"{Matrix}:example.org:TheMatrIX"));
        byte[] userHash = SHA256.HashData(Encoding.UTF8.GetBytes($"{Matrix}:example.org"));

        Assert.True(message.VerifyMessageIntegritySha256(key));
        var builder = new StunMessageBuilder(new byte[256], StunClass.Request, StunMethod.Binding, message.TransactionId);
        builder.Add(StunAttributeType.UserHash, userHash);
        builder.Add(StunAttributeType.Nonce, "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"u8);
        builder.Add(StunAttributeType.Realm, "example.org"u8);
        builder.Add(StunAttributeType.PasswordAlgorithm, 0x0002_0000u);
        builder.AddMessageIntegritySha256(key);
        Assert.Equal(vector, builder.Written.ToArray());
    }

    [Fact]
    public void The_request_of_RFC_5769_is_rebuilt_but_for_its_padding_of_spaces()
    {
        byte[] vector = Vector.Read("rfc5769-2.1-request");
        Assert.True(StunMessage.TryParse(vector, out StunMessage message));
        var builder = new StunMessageBuilder(new byte[256], StunClass.Request, StunMethod.Binding, message.TransactionId);
        builder.AddSoftware("STUN test client"u8);
        builder.AddPriority(0x6e0001ff);
        builder.AddIceControlled(0x932ff9b151263b36);
        builder.AddUsername("evtj:h6vY"u8);
        int covered = builder.Length;
        byte[] expected = vector[..covered];
        expected.AsSpan(covered - 3).Clear();
        expected[3] = (byte)(covered - 20);

        Assert.Equal(expected, builder.Written.ToArray());
        builder.AddMessageIntegrity(ShortTermKey);
        builder.AddFingerprint();
        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage rebuilt));
        Assert.True(rebuilt.VerifyMessageIntegrity(ShortTermKey));
        Assert.True(rebuilt.VerifyFingerprint());
    }
}
