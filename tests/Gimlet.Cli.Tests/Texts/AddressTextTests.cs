using System.Net;
using Gimlet.Cli.Options;

namespace Gimlet.Cli.Tests.Texts;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7:0")]
    [InlineData("203.0.113.7:41002", "203.0.113.7:41002")]
    [InlineData("2001:db8::1", "[2001:db8::1]:0")]
    [InlineData("[2001:db8::1]", "[2001:db8::1]:0")]
    [InlineData("[2001:db8::1]:41002", "[2001:db8::1]:41002")]
    public void An_address_may_have_a_port(string text, string expected) => Assert.Equal(IPEndPoint.Parse(expected), AddressText.ReadAddress(text));

    [Theory]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("203.0.113.7:")]
    [InlineData("203.0.113.7:65536")]
    [InlineData("203.0.113.7:1:2")]
    [InlineData("[203.0.113.7]:1")]
    [InlineData("[2001:db8::1")]
    [InlineData("example.org:80")]
    [InlineData("")]
    public void Other_texts_are_no_address(string text) => Assert.Throws<FormatException>(() => AddressText.ReadAddress(text));

    [Theory]
    [InlineData("203.0.113.7")]
    [InlineData("203.0.113.7:0")]
    [InlineData("2001:db8::1")]
    public void An_end_point_needs_its_port(string text) => Assert.Throws<FormatException>(() => AddressText.ReadEndPoint(text));

    [Theory]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080")]
    [InlineData("[::1]:0", "[::1]:0")]
    public void Listening_is_on_one_address(string text, string expected) => Assert.Equal(IPEndPoint.Parse(expected), AddressText.ReadListen(text));

    [Theory]
    [InlineData("8080")]
    [InlineData(":8080")]
    [InlineData("*:8080")]
    public void Or_on_every_one(string text) => Assert.Equal(AddressText.EveryAddress(8080), AddressText.ReadListen(text));

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("192.0.2.7", "192.0.2.7/32")]
    [InlineData("::1", "::1/128")]
    public void A_network_may_be_one_address(string text, string expected) => Assert.Equal(IPNetwork.Parse(expected), AddressText.ReadNetwork(text));

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.1:80")]
    [InlineData("proxy")]
    public void Other_texts_are_no_network(string text) => Assert.Throws<FormatException>(() => AddressText.ReadNetwork(text));

    [Theory]
    [InlineData("gimlet.example.org", "https://gimlet.example.org")]
    [InlineData("ftp://gimlet.example.org", "http://")]
    [InlineData("http://", "http://")]
    public void A_server_is_a_URL(string text, string named)
    {
        FormatException e = Assert.Throws<FormatException>(() => AddressText.ReadServer(text));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }
}
