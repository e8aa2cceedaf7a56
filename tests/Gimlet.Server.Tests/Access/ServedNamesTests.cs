using System.Net;
using Gimlet.Server.Access;

namespace Gimlet.Server.Tests.Access;

public sealed class ServedNamesTests
{
    [Theory]
    [InlineData("gimlet.example.org:443", true)]
    [InlineData("gimlet.example.org:9999", true)]
    [InlineData("other.example.org:8443", true)]
    [InlineData("other.example.org:443", false)]
    [InlineData("203.0.113.5:80", true)]
    [InlineData("[2001:db8::5]:80", true)]
    [InlineData("[2001:db8::6]:80", true)]
    [InlineData("[2001:db8::6]:81", false)]
    [InlineData("evil.example.net:443", false)]
    [InlineData("localhost:443", false)]
    [InlineData("127.0.0.1:443", false)]
    [InlineData("", false)]
    public void With_names_a_server_answers_for_exactly_these(string authority, bool expected)
    {
        var names = new ServedNames(["Gimlet.Example.Org", "other.example.org:8443", "203.0.113.5", "2001:db8::5", "[2001:db8::6]:80"], static _ => true);
        Assert.Equal(expected, names.Serves(authority));
    }

    [Theory]
    [InlineData("localhost:5000", true)]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("192.0.2.10:80", true)]
    [InlineData("192.0.2.11:80", false)]
    [InlineData("example.org:80", false)]
    public void Without_names_it_answers_for_its_own_addresses_and_localhost(string authority, bool expected)
    {
        var own = IPAddress.Parse("192.0.2.10");
        Assert.Equal(expected, new ServedNames([], own.Equals).Serves(authority));
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://example.org")]
    [InlineData("example.org:port")]
    [InlineData("exa mple.org")]
    [InlineData("[::1")]
    public void A_name_that_is_not_a_host_is_named(string name)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new ServedNames([name], static _ => false));
        Assert.Contains($"'{name}'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Example.ORG", "https", "example.org:443")]
    [InlineData("example.org", "http", "example.org:80")]
    [InlineData("example.org:8080", "https", "example.org:8080")]
    [InlineData("[::1]:5000", "http", "[::1]:5000")]
    [InlineData("[2001:DB8::1]", "https", "[2001:db8::1]:443")]
    [InlineData("192.0.2.1", "http", "192.0.2.1:80")]
    [InlineData("example.org:", "http", null)]
    [InlineData("example.org:0", "http", null)]
    [InlineData("example.org:99999", "http", null)]
    [InlineData("exämple.org", "http", null)]
    [InlineData("a b", "http", null)]
    [InlineData("[::1]x", "http", null)]
    [InlineData("", "http", null)]
    [InlineData(null, "http", null)]
    public void A_host_header_becomes_the_text_that_a_registration_signs(string? header, string scheme, string? expected) =>
        Assert.Equal(expected, AuthorityText.Normalise(header, scheme));
}
