using System.Globalization;
using System.Text;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Signalling;

public sealed class SignalCodecTests
{
    [Fact]
    public void Every_message_survives_the_round_trip()
    {
        foreach (SignalMessage message in SignalSamples.All)
        {
            byte[] text = SignalCodec.Write(message);
            Assert.StartsWith("{\"type\":\"", Encoding.UTF8.GetString(text), StringComparison.Ordinal);
            Assert.True(SignalCodec.TryRead(text, out SignalMessage? read, out string? problem), problem);
            Assert.Equal(message.GetType(), read.GetType());
            Assert.Equal(text, SignalCodec.Write(read));
        }
    }

    [Fact]
    public void Every_type_of_the_protocol_has_its_name()
    {
        string[] names = [.. SignalSamples.All.Select(m => Encoding.UTF8.GetString(SignalCodec.Write(m)).Split('"')[3])];
        Assert.Equal(
            ["challenge", "register", "registered", "update", "connect", "introduce", "incoming", "accept", "reject", "hangup", "candidates", "observed", "limited", "unreachable", "ping", "pong", "error"],
            names);
        Assert.Equal(names.Length, typeof(SignalMessage).Assembly.GetTypes().Count(t => t.BaseType == typeof(SignalMessage)));
    }

    [Fact]
    public void Fields_are_snake_case_base64url_and_left_out_when_null()
    {
        string text = Encoding.UTF8.GetString(SignalCodec.Write(new IntroduceMessage { PublicKey = [0xFB, 0xFF, 0xFE] }));
        Assert.Equal("""{"type":"introduce","public_key":"-__-"}""", text);
        Assert.Equal("""{"type":"registered","keep_alive_ms":5}""", Encoding.UTF8.GetString(SignalCodec.Write(new RegisteredMessage { KeepAliveMs = 5 })));
    }

    [Theory]
    [InlineData("""{"type":"from-the-future","x":{"y":[1,2]}}""")]
    [InlineData("""{"x":1}""")]
    [InlineData("{}")]
    [InlineData("""{"type":5}""")]
    public void A_type_that_this_version_does_not_know_is_no_error(string text)
    {
        Assert.True(SignalCodec.TryRead(Encoding.UTF8.GetBytes(text), out SignalMessage? message, out _));
        Assert.Equal(typeof(SignalMessage), message.GetType());
    }

    [Theory]
    [InlineData("""{"new_field":{"deep":[1,{"a":null}]},"id":7,"type":"ping","another":"x"}""")]
    [InlineData("""{"id":7,"type":"ping"}""")]
    [InlineData(" {\n\"type\" : \"ping\" ,\t\"id\" : 7 } ")]
    public void Unknown_fields_and_a_type_that_does_not_come_first_are_no_error(string text)
    {
        Assert.True(SignalCodec.TryRead(Encoding.UTF8.GetBytes(text), out SignalMessage? message, out string? problem), problem);
        Assert.Equal(7, Assert.IsType<PingMessage>(message).Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("\"ping\"")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("""{"type":null}""")]
    [InlineData("""{"type":{}}""")]
    [InlineData("""{"type":"ping","type":"pong"}""")]
    [InlineData("""{"type":"ping","id":"7"}""")]
    [InlineData("""{"type":"ping","id":1e400}""")]
    [InlineData("""{"type":"ping","id":99999999999999999999}""")]
    [InlineData("""{"type":"ping","id":1.5}""")]
    [InlineData("""{"type":"registered","keep_alive_ms":2147483648}""")]
    [InlineData("""{"type":"registered","limits":[]}""")]
    [InlineData("""{"type":"challenge","nonce":"a"}""")]
    [InlineData("""{"type":"challenge","nonce":"ab+/"}""")]
    [InlineData("""{"type":"challenge","nonce":"\u0061\u0062cd"}""")]
    [InlineData("""{"type":"challenge","nonce":[1,2]}""")]
    [InlineData("""{"type":"challenge","nonce":5}""")]
    [InlineData("""{"type":"challenge","stun":"x"}""")]
    [InlineData("""{"type":"update","candidates":{}}""")]
    [InlineData("\u0000")]
    public void What_is_no_message_is_reported_in_words(string text)
    {
        Assert.False(SignalCodec.TryRead(Encoding.UTF8.GetBytes(text), out SignalMessage? message, out string? problem));
        Assert.Null(message);
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_reported_in_words()
    {
        byte[] text = [.. "{\"type\":\"observed\",\"address\":\""u8, 0xC3, 0x28, .. "\"}"u8];
        Assert.True(SignalCodec.TryRead(text, out _, out string? problem) == (problem is null));
    }

    [Fact]
    public void A_bomb_of_depth_is_refused_before_it_is_read()
    {
        foreach ((string open, string close) in new[] { ("[", "]"), ("{\"a\":", "}") })
        {
            string inner = string.Concat(Enumerable.Repeat(open, 4000)) + "1" + string.Concat(Enumerable.Repeat(close, 4000));
            string text = $$"""{"type":"ping","x":{{inner}}}""";
            Assert.False(SignalCodec.TryRead(Encoding.UTF8.GetBytes(text), out _, out string? problem));
            Assert.NotEmpty(problem);
        }
    }

    [Fact]
    public void Lists_with_holes_and_numbers_of_any_length_are_no_danger()
    {
        byte[] text = Encoding.UTF8.GetBytes("""{"type":"update","candidates":[null,{},{"kind":null,"address":null,"proof":null}],"unknown":""" + new string('9', 8000) + "}");
        Assert.True(SignalCodec.TryRead(text, out SignalMessage? message, out string? problem), problem);
        Assert.Equal(3, Assert.IsType<UpdateMessage>(message).Candidates!.Length);
    }

    [Fact]
    public void Every_truncation_and_ten_thousand_mutations_of_each_message_are_read_or_reported()
    {
        for (int i = 0; i < SignalSamples.All.Length; i++)
        {
            byte[] valid = SignalCodec.Write(SignalSamples.All[i]);
            foreach (byte[] bytes in Mutations.Truncations(valid).Concat(Mutations.Random(valid, seed: i)))
            {
                bool read = SignalCodec.TryRead(bytes, out SignalMessage? message, out string? problem);
                Assert.True(read ? message is not null && problem is null : message is null && problem is not null, string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(bytes)}"));
            }
        }
    }

    [Fact]
    public void The_largest_registration_stays_under_the_limit()
    {
        CandidateDescription candidate = new() { Kind = "mapped", Address = "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", Proof = SignalSamples.Bytes(20), Unverified = true };
        RegisterMessage register = (RegisterMessage)SignalSamples.All[1] with
        {
            Candidates = [.. Enumerable.Repeat(candidate, SignalProtocol.MaxCandidates)],
            Nat = new NatDescription { Mapping = "address-and-port-dependent", Filtering = "address-and-port-dependent", Evidence = new string('e', 300) },
            Token = new string('t', 100),
        };
        Assert.InRange(SignalCodec.Write(register).Length, 1, SignalProtocol.MaxMessageBytes);
    }
}
