using System.Net;
using Gimlet.Server.Hosting.Http;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using Microsoft.AspNetCore.Http;

namespace Gimlet.Server.Tests.Hosting;

public sealed class ProxyTests
{
    [Theory]
    [InlineData("10.0.0.1", null, null, null, "10.0.0.1:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.5", "https", "public.example.org", "203.0.113.5:999", "https", "public.example.org")]
    [InlineData("10.0.0.1", "203.0.113.5:4711", "wss", null, "203.0.113.5:4711", "https", "inner:5000")]
    [InlineData("10.0.0.1", "2001:db8::5", null, null, "[2001:db8::5]:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "[2001:db8::5]", null, null, "[2001:db8::5]:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "[2001:db8::5]:80", null, null, "[2001:db8::5]:80", "http", "inner:5000")]
    [InlineData("::ffff:10.0.0.1", "203.0.113.5", null, null, "203.0.113.5:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.5", "http,https", "forged, public", "203.0.113.5:999", "https", "public")]
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.5, 10.0.0.2", "gopher, https, http", "forged, public, middle", "203.0.113.5:999", "https", "public")]
    [InlineData("10.0.0.1", "203.0.113.5, 10.0.0.2, 10.0.0.3", "https", "public", "203.0.113.5:999", "https", "public")]
    [InlineData("10.0.0.1", "10.0.0.2", null, null, "10.0.0.2:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "unknown", null, null, "10.0.0.1:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.5, nonsense", null, null, "10.0.0.1:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "1", null, null, "10.0.0.1:999", "http", "inner:5000")]
    [InlineData("10.0.0.1", "", "ftp", "", "10.0.0.1:999", "http", "inner:5000")]
    [InlineData("192.0.2.1", "203.0.113.5", "https", "public", "192.0.2.1:999", "http", "inner:5000")]
    public void Forwarded_headers_are_believed_as_far_as_trusted_proxies_wrote_them(
        string connection, string? forwardedFor, string? proto, string? forwardedHost, string remote, string scheme, string host)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(connection);
        context.Connection.RemotePort = 999;
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("inner:5000");
        if (forwardedFor is not null)
        {
            context.Request.Headers["X-Forwarded-For"] = forwardedFor;
        }

        if (proto is not null)
        {
            context.Request.Headers["X-Forwarded-Proto"] = proto;
        }

        if (forwardedHost is not null)
        {
            context.Request.Headers["X-Forwarded-Host"] = forwardedHost;
        }

        DialledRequest dialled = new ProxyTrust([IPNetwork.Parse("10.0.0.0/8")]).Read(context);
        Assert.Equal((remote, scheme, host), (dialled.Remote.ToString(), dialled.Scheme, dialled.Host));
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_a_node_is_seen_where_it_is_and_signs_what_it_dialled()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with
        {
            Names = ["gimlet.example.org"],
            TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")],
        });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0], authority: "gimlet.example.org:443", with: o =>
        {
            o.SetRequestHeader("X-Forwarded-For", "203.0.113.5");
            o.SetRequestHeader("X-Forwarded-Proto", "https");
            o.SetRequestHeader("X-Forwarded-Host", "gimlet.example.org");
        });
        await node.RegisterAsync();
        Assert.StartsWith("203.0.113.5:", (await node.NextAsync<RegisteredMessage>()).Observed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_of_anybody_else_change_nothing()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0], with: o =>
        {
            o.SetRequestHeader("X-Forwarded-For", "203.0.113.5");
            o.SetRequestHeader("X-Forwarded-Host", "gimlet.example.org");
        });
        await node.RegisterAsync();
        Assert.StartsWith("127.0.0.1:", (await node.NextAsync<RegisteredMessage>()).Observed, StringComparison.Ordinal);
    }
}
