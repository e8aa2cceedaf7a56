using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Tests.Hosting;

public sealed class GimletServerTests
{
    [Fact]
    public async Task A_started_server_reports_its_real_ports_and_is_healthy_and_ready()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        Uri url = Assert.Single(server.HttpUrls);
        Assert.Equal(("http", "127.0.0.1"), (url.Scheme, url.Host));
        Assert.NotEqual(0, url.Port);
        Assert.Equal(2, server.StunEndPoints.Count);
        Assert.All(server.StunEndPoints, e => Assert.NotEqual(0, e.Port));
        Assert.NotEqual(server.StunEndPoints[0].Port, server.StunEndPoints[1].Port);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(url, "/healthz"));
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync(url, "/readyz"));
        (HttpStatusCode status, string text) = await GetAsync(url, "/");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("Gimlet", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(url, "/other")).Status);
    }

    [Fact]
    public async Task While_it_shuts_down_a_server_is_not_ready()
    {
        await using GimletServer server = await Servers.StartAsync();
        await server.Host.StoppingAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync(server.HttpUrls[0], "/readyz")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(server.HttpUrls[0], "/healthz")).Status);
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() => LiveNode.ConnectAsync(server.HttpUrls[0]));
    }

    [Fact]
    public async Task The_challenge_names_the_STUN_servers()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        ChallengeMessage challenge = await node.NextAsync<ChallengeMessage>();
        Assert.Equal(server.StunEndPoints.Select(e => e.ToString()), challenge.Stun!);
    }

    [Fact]
    public async Task What_its_STUN_proves_its_rendezvous_believes_and_another_servers_it_does_not()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        await using GimletServer other = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        (TransportAddress seen, byte[] proof) = await ObserveAsync(server.StunEndPoints[0]);
        Assert.True(server.Host.Observations!.IsProven(seen, proof, server.Host.Now));
        Assert.False(server.Host.Observations.IsProven(seen.WithPort(seen.Port ^ 1), proof, server.Host.Now));
        Assert.False(other.Host.Observations!.IsProven(seen, proof, other.Host.Now));
    }

    [Fact]
    public async Task STUN_on_every_address_is_announced_by_port_only()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with
        {
            Stun = new StunServerOptions { Listen = StunServerOptions.EveryAddress(0), Alternate = StunServerOptions.EveryAddress(0) },
        });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        ChallengeMessage challenge = await node.NextAsync<ChallengeMessage>();
        Assert.Equal(server.StunEndPoints.Select(e => $":{e.Port}").Distinct(), challenge.Stun!);
        Assert.Equal(2, challenge.Stun!.Length);
    }

    [Fact]
    public async Task What_the_operator_announces_is_what_nodes_are_told()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { AnnouncedStun = ["stun.example.org:3478", ":3479"] });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        Assert.Equal(["stun.example.org:3478", ":3479"], (await node.NextAsync<ChallengeMessage>()).Stun!);
    }

    [Fact]
    public async Task A_token_admits_its_holders_only_and_the_start_says_so()
    {
        using var log = new LogLines();
        await using GimletServer server = await Servers.StartAsync(o => o with { Access = AccessRule.Token("0123456789abcdef"), LoggerFactory = log });
        Assert.Contains("token", server.AccessDescription, StringComparison.Ordinal);
        Assert.DoesNotContain(log.All, l => l.Text.Contains("0123456789abcdef", StringComparison.Ordinal));
        Assert.Contains(log.All, l => l.Id == 40 && l.Text.Contains(server.AccessDescription, StringComparison.Ordinal));
        await using LiveNode without = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        await without.RegisterAsync();
        await without.ShouldBeClosedAsync(ErrorCode.Unauthorised, 1008);
        await using LiveNode with = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        await with.RegisterAsync(with: m => m with { Token = "0123456789abcdef" });
        _ = await with.NextAsync<RegisteredMessage>();
    }

    [Fact]
    public async Task An_open_server_says_that_it_is_open()
    {
        await using GimletServer server = await Servers.StartAsync();
        Assert.Contains("everyone", server.AccessDescription, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_in_a_file_is_read_again_when_it_changes_and_a_broken_one_changes_nothing()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using var log = new LogLines();
        using var folder = new TemporaryFolder();
        using var first = new TestNode();
        using var second = new TestNode();
        string path = folder.Write("peers.txt", $"# friends\n\n  {first.Id}   # the first\n");
        await using GimletServer server = await Servers.StartAsync(o => o with { Access = AccessRule.ListFile(path), LoggerFactory = log });
        Assert.Contains("1 peer ids", server.AccessDescription, StringComparison.Ordinal);
        await using LiveNode one = await LiveNode.RegisterAsync(server.HttpUrls[0], first);
        await using LiveNode early = await LiveNode.ConnectAsync(server.HttpUrls[0], second);
        await early.RegisterAsync();
        await early.ShouldBeClosedAsync(ErrorCode.Unauthorised, 1008);

        folder.Write("peers.txt", $"{second.Id}\nnot-a-peer\n");
        await server.Host.CheckFilesAsync(token);
        await server.Host.CheckFilesAsync(token);
        Assert.Contains("line 2", Assert.Single(log.All, l => l.Id == 43).Text, StringComparison.Ordinal);
        Assert.Equal(1, server.NodeCount);

        folder.Write("peers.txt", $"{second.Id}\n");
        await server.Host.CheckFilesAsync(token);
        await one.ShouldBeClosedAsync(ErrorCode.Unauthorised, 1008);
        await using LiveNode two = await LiveNode.RegisterAsync(server.HttpUrls[0], second);

        File.Delete(path);
        await server.Host.CheckFilesAsync(token);
        Assert.Equal(1, server.NodeCount);
        Assert.Equal(2, log.All.Count(l => l.Id == 43));
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_stops_the_start()
    {
        using var folder = new TemporaryFolder();
        ServerStartException e = await Assert.ThrowsAsync<ServerStartException>(() => Servers.StartAsync(o => o with { Access = AccessRule.ListFile(folder.Path("absent.txt")) }));
        Assert.Contains("absent.txt", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);
    }

    [Fact]
    public async Task A_port_in_use_or_an_address_that_is_not_here_stops_the_start_with_its_name()
    {
        await using GimletServer server = await Servers.StartAsync();
        var taken = new IPEndPoint(IPAddress.Loopback, server.HttpUrls[0].Port);
        ServerStartException e = await Assert.ThrowsAsync<ServerStartException>(() => Servers.StartAsync(o => o with { Http = taken }));
        Assert.Contains(taken.Port.ToString(), e.Message, StringComparison.Ordinal);

        // TEST-NET-1 (RFC 5737) is nobody's address.
        e = await Assert.ThrowsAsync<ServerStartException>(() => Servers.StartAsync(o => o with { Http = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0) }));
        Assert.Contains("192.0.2.1", e.Message, StringComparison.Ordinal);

        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var takenUdp = (IPEndPoint)udp.LocalEndPoint!;
        e = await Assert.ThrowsAsync<ServerStartException>(() => Servers.StartAsync(o => o with { Stun = new StunServerOptions { Listen = [takenUdp] } }));
        Assert.Contains(takenUdp.Port.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_it_is_disposed_its_ports_are_free_again()
    {
        GimletServer first = await Servers.StartAsync(o => o with { Stun = Servers.LoopbackStun });
        var http = new IPEndPoint(IPAddress.Loopback, first.HttpUrls[0].Port);
        var stun = new IPEndPoint(IPAddress.Loopback, first.StunEndPoints[0].Port);
        await first.DisposeAsync();
        await using GimletServer second = await Servers.StartAsync(o => o with { Http = http, Stun = new StunServerOptions { Listen = [stun] } });
        Assert.Equal(http.Port, second.HttpUrls[0].Port);
    }

    [Fact]
    public async Task Every_address_means_both_families()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Http = new IPEndPoint(IPAddress.IPv6Any, 0) });
        await using LiveNode four = await LiveNode.RegisterAsync(new Uri($"http://127.0.0.1:{server.HttpUrls[0].Port}"));
        if (Socket.OSSupportsIPv6)
        {
            await using LiveNode six = await LiveNode.RegisterAsync(new Uri($"http://[::1]:{server.HttpUrls[0].Port}"));
            Assert.Equal(2, server.NodeCount);
        }
    }

    [Fact]
    public async Task Every_log_line_of_a_call_carries_its_id_and_both_peers()
    {
        using var log = new LogLines();
        await using GimletServer server = await Servers.StartAsync(o => o with { LoggerFactory = log });
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        ConnectMessage call = a.Node.Call(b.Node.Id);
        await a.SendAsync(call);
        _ = await a.NextAsync<IntroduceMessage>();
        string line = await log.WaitForAsync(21);
        Assert.Contains(call.Call!, line, StringComparison.Ordinal);
        Assert.Contains(a.Node.Id.ToString(), line, StringComparison.Ordinal);
        Assert.Contains(b.Node.Id.ToString(), line, StringComparison.Ordinal);
        Assert.DoesNotContain(log.All, l => l.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task In_another_application_its_own_routes_come_first()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddGimlet(new GimletOptions { Stun = null });
        await using WebApplication app = builder.Build();
        app.MapGimlet();
        app.MapGet("/", static (HttpContext context) => context.Response.WriteAsync("mine"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var url = new Uri(app.Urls.First());
        Assert.Equal((HttpStatusCode.OK, "mine"), await GetAsync(url, "/"));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(url, "/readyz")).Status);
        await using LiveNode node = await LiveNode.RegisterAsync(url);
        Task stopped = app.StopAsync(TestContext.Current.CancellationToken);
        await node.ShouldBeClosedAsync(ErrorCode.ShuttingDown, 1001);
        await stopped;
    }

    [Fact]
    public async Task Mapping_without_the_services_says_what_is_missing()
    {
        await using WebApplication app = WebApplication.CreateSlimBuilder().Build();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => app.MapGimlet());
        Assert.Contains("AddGimlet", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_make_no_sense_are_named()
    {
        Assert.Contains("Neither", Message(o => o with { Http = null }), StringComparison.Ordinal);
        Assert.Contains("CertificateFile", Message(o => o with { Https = new IPEndPoint(IPAddress.Loopback, 0) }), StringComparison.Ordinal);
        Assert.Contains("CertificateKeyFile", Message(o => o with { Https = new IPEndPoint(IPAddress.Loopback, 0), CertificateFile = "x" }), StringComparison.Ordinal);
        Assert.Contains("no Https", Message(o => o with { CertificateFile = "x" }), StringComparison.Ordinal);
        Assert.Contains("https://x", Message(o => o with { Names = ["https://x"] }), StringComparison.Ordinal);
        Assert.Contains("TotalNodes", Message(o => o with { Limits = new RendezvousLimits { TotalNodes = 0 } }), StringComparison.Ordinal);
        Assert.Contains("DropAfter", Message(o => o with { Timers = new RendezvousTimers { DropAfter = TimeSpan.FromSeconds(1) } }), StringComparison.Ordinal);
        Assert.Contains("'stun'", Message(o => o with { AnnouncedStun = ["stun"] }), StringComparison.Ordinal);
        Assert.Contains("16", Assert.Throws<ArgumentException>(() => AccessRule.Token("short")).Message, StringComparison.Ordinal);

        static string Message(Func<GimletServerOptions, GimletServerOptions> with) =>
            Assert.Throws<ArgumentException>(() => with(Servers.Loopback).Validate()).Message;
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(Uri server, string path)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.GetAsync(new Uri(server, path), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    // Asks a STUN server for what it sees, with GIMLET-OBSERVE.
    private static async Task<(TransportAddress Seen, byte[] Proof)> ObserveAsync(TransportAddress stun)
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var request = new StunMessageBuilder(new byte[64], StunClass.Request, StunMethod.Binding, StunTransactionId.Create(RandomNumberGenerator.Fill));
        request.AddGimletObserve();
        byte[] datagram = request.Written.ToArray();
        CancellationToken token = TestContext.Current.CancellationToken;
        await socket.SendAsync(datagram, stun.ToIPEndPoint(), token);
        UdpReceiveResult answer = await socket.ReceiveAsync(token).AsTask().WaitAsync(TimeSpan.FromSeconds(20), token);
        Assert.True(StunMessage.TryParse(answer.Buffer, out StunMessage message));
        Assert.True(message.TryGetXorMappedAddress(out TransportAddress seen));
        Assert.True(message.TryGetGimletProof(out ReadOnlySpan<byte> proof));
        return (seen, proof.ToArray());
    }
}
