using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Tests.Client;

public sealed class StunServerAddressTests
{
    [Theory]
    [InlineData("stun.example.org", "stun.example.org", 3478)]
    [InlineData(" stun.example.org:19302 ", "stun.example.org", 19302)]
    [InlineData("stun:stun.example.org:19302", "stun.example.org", 19302)]
    [InlineData("localhost:1", "localhost", 1)]
    [InlineData("192.0.2.1", "192.0.2.1", 3478)]
    [InlineData("192.0.2.1:5", "192.0.2.1", 5)]
    [InlineData("[2001:db8::1]", "2001:db8::1", 3478)]
    [InlineData("[2001:db8::1]:5", "2001:db8::1", 5)]
    public void What_people_write_is_read(string text, string host, int port)
    {
        Assert.True(StunServerAddress.TryParse(text, out StunServerAddress? server, out string? error));
        Assert.Null(error);
        Assert.Equal(new StunServerAddress(host, port), server);
        Assert.Equal(server, StunServerAddress.Parse(server.ToString()));
    }

    [Theory]
    [InlineData("", "missing")]
    [InlineData("stun:", "missing")]
    [InlineData("2001:db8::1", "brackets")]
    [InlineData("[2001:db8::1", "not closed")]
    [InlineData("[192.0.2.1]:5", "not an IPv6 address")]
    [InlineData("[2001:db8::1]x", "follows the bracket")]
    [InlineData("host:", "not a port")]
    [InlineData("host:0", "not a port")]
    [InlineData("host:65536", "not a port")]
    [InlineData("host:+1", "not a port")]
    [InlineData(":3478", "not a host name")]
    [InlineData("two words", "not a host name")]
    [InlineData("1.2.3", "not a host name")]
    [InlineData("12345", "not a host name")]
    [InlineData("https://example.org", "not a")]
    public void What_is_wrong_is_said_in_words(string text, string word)
    {
        Assert.False(StunServerAddress.TryParse(text, out StunServerAddress? server, out string? error));
        Assert.Null(server);
        Assert.Contains(word, error, StringComparison.Ordinal);
        Assert.Equal(error, Assert.Throws<FormatException>(() => StunServerAddress.Parse(text)).Message);
    }

    [Fact]
    public void An_address_needs_no_resolver_and_a_name_does()
    {
        Assert.True(StunServerAddress.Parse("[2001:db8::1]:5").TryGetAddress(out TransportAddress address));
        Assert.Equal(TransportAddress.Parse("[2001:db8::1]:5"), address);
        Assert.False(StunServerAddress.Parse("example.org").TryGetAddress(out _));
        Assert.Equal(StunServerAddress.Parse("192.0.2.1:5"), StunServerAddress.From(TransportAddress.Parse("192.0.2.1:5")));
    }
}
