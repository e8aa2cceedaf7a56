using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Gimlet.Worker.Tests.Support;

namespace Gimlet.Worker.Tests;

/// <summary>What a rendezvous can do to a worker, over real WebSockets.</summary>
public sealed class RendezvousTests
{
    [Fact]
    public async Task It_registers_under_its_name_with_its_group_and_token_below_the_path_of_the_URL()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        await using LiveWorker worker = await LiveWorker.StartAsync(
            rendezvous, "a:b@c~d", static o => o with { Group = "g.1", Token = "token", ProveIdentity = false, PublicAddress = IPEndPoint.Parse("203.0.113.7:4242") });

        TestWorker seen = await rendezvous.NextAsync();

        Assert.Equal("a:b@c~d", seen.Id);
        Assert.Equal("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.7","udp_port":4242}""", await seen.SaidAsync("update_udp_endpoint"));
        Assert.Contains("/ws/register/a:b@c~d?group=g.1", rendezvous.Requests);
        Assert.Equal("Bearer token", rendezvous.Authorizations.Single());
        WorkerEndpoint endpoint = await worker.ToldAsync<WorkerEndpoint>();
        Assert.Equal(PublicAddressSource.Configured, endpoint.Address.Source);
    }

    [Fact]
    public async Task The_address_that_HTTP_shows_is_reported()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        await using LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "a", static o => o with { PublicAddress = IPEndPoint.Parse("203.0.113.7:4242") });

        Assert.Equal("""{"type":"register_public_ip","ip":"127.0.0.1"}""", await (await rendezvous.NextAsync()).SaidAsync("register_public_ip"));
    }

    [Fact]
    public async Task A_peer_outlives_the_rendezvous_and_is_resumed_at_the_next()
    {
        TestRendezvous rendezvous = await TestRendezvous.StartAsync();
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a");
        await using LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b");
        WorkerPeer[] peers = await Task.WhenAll(a.PeerAsync(), b.PeerAsync());
        _ = await peers[0].Connection.OnDirectAsync();

        await rendezvous.DisposeAsync();
        RendezvousLost lost = await a.ToldAsync<RendezvousLost>();
        Assert.InRange(lost.RetryIn, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        _ = await peers[0].Connection.PingAsync(TestContext.Current.CancellationToken);
        await using TestRendezvous next = await TestRendezvous.StartAsync(rendezvous.Url.Port);
        foreach (TestWorker seen in new[] { await next.NextAsync(), await next.NextAsync() })
        {
            Assert.Contains(seen.Id == "a" ? "\"b\"" : "\"a\"", await seen.SaidAsync("resume_pairing"), StringComparison.Ordinal);
            _ = await seen.SaidAsync("update_udp_endpoint");
        }

        _ = await peers[1].Connection.PingAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Who_loses_its_peer_is_offered_the_next_one()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync();
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a");
        LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b");
        WorkerPeer first = await a.PeerAsync();
        Assert.Equal("b", first.WorkerId);

        await b.DisposeAsync();
        await using LiveWorker c = await LiveWorker.StartAsync(rendezvous, "c");

        Assert.Equal("c", (await a.PeerAsync()).WorkerId);
        Assert.Equal("a", (await c.PeerAsync()).WorkerId);
    }

    [Theory]
    [InlineData(401, """{"detail":"no such token"}""", "401: no such token", 8)]
    [InlineData(409, """{"detail":"held"}""", "409: held", 8)]
    [InlineData(404, "<html>", "--workers", 8)]
    [InlineData(503, """{"detail":"full"}""", "503: full", 1)]
    [InlineData(500, """{"detail":["x"]}""", "500", 1)]
    public async Task A_refusal_is_told_in_the_words_of_the_rendezvous_and_tried_again_slowly(int status, string body, string expected, int leastSeconds)
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        rendezvous.Refusal = (status, body);
        await using LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "a");

        RendezvousLost lost = await worker.ToldAsync<RendezvousLost>();

        Assert.Contains(expected, lost.Reason, StringComparison.Ordinal);
        Assert.InRange(lost.RetryIn, TimeSpan.FromSeconds(leastSeconds), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Who_was_taken_over_ends_with_an_error_that_names_the_id()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        await using LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "mine");
        TestWorker seen = await rendezvous.NextAsync();

        await seen.CloseAsync(WebSocketCloseStatus.NormalClosure, "New connection from same worker ID");

        GimletException end = await Assert.ThrowsAsync<GimletException>(worker.PeerAsync);
        Assert.Equal(GimletErrorKind.RendezvousRejected, end.Kind);
        Assert.Contains("'mine'", end.Message, StringComparison.Ordinal);
        _ = await Assert.ThrowsAsync<GimletException>(() => worker.Worker.Ended);
        Assert.Same(end, (await worker.ToldAsync<WorkerTrouble>()).Problem);
    }

    [Theory]
    [InlineData(WebSocketCloseStatus.NormalClosure, "bye", 1)]
    [InlineData(WebSocketCloseStatus.PolicyViolation, "too many messages", 8)]
    public async Task Other_closes_are_told_and_it_comes_back(WebSocketCloseStatus status, string reason, int leastSeconds)
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        await using LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "a");
        TestWorker seen = await rendezvous.NextAsync();

        await seen.CloseAsync(status, reason);

        RendezvousLost lost = await worker.ToldAsync<RendezvousLost>();
        Assert.Equal(reason, lost.Reason);
        Assert.True(lost.RetryIn >= TimeSpan.FromSeconds(leastSeconds));
    }

    [Fact]
    public async Task A_message_that_is_longer_than_any_ends_the_connection_and_not_the_worker()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(withServer: false);
        await using LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "a");
        TestWorker seen = await rendezvous.NextAsync();

        await seen.SendAsync(new string('x', 17 * 1024));

        Assert.Contains("16384", (await worker.ToldAsync<RendezvousLost>()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_leaves_with_1000()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync();
        LiveWorker worker = await LiveWorker.StartAsync(rendezvous, "a");
        TestWorker seen = await rendezvous.NextAsync();
        _ = await seen.SaidAsync("update_udp_endpoint");

        await worker.DisposeAsync();
        await worker.DisposeAsync();

        Assert.Equal(WebSocketCloseStatus.NormalClosure, await seen.Closed.Task.Within());
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(worker.PeerAsync);
        await worker.Worker.Ended;
    }

    [Fact]
    public async Task A_rendezvous_that_says_nothing_does_not_hold_up_the_end()
    {
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        LiveWorker worker = await LiveWorker.StartAsync(new Uri($"http://{deaf.LocalEndpoint}"), "a");
        using TcpClient accepted = await deaf.AcceptTcpClientAsync(TestContext.Current.CancellationToken);

        long begin = Stopwatch.GetTimestamp();
        await worker.DisposeAsync();

        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(2), $"{Stopwatch.GetElapsedTime(begin)}");
    }

    [Fact]
    public async Task A_node_that_requires_no_server_starts_without_one()
    {
        var options = new GimletNodeOptions { Servers = [new Uri("http://127.0.0.1:9")], RequireServer = false, MetadataAddress = null, ServerTimeout = TimeSpan.FromSeconds(1) };
        await using GimletNode node = await GimletNode.StartAsync(options, TestContext.Current.CancellationToken).Within();
        Assert.NotEqual((0, 0), node.LocalPorts);

        GimletException refused = await Assert.ThrowsAsync<GimletException>(
            () => GimletNode.StartAsync(options with { RequireServer = true }, TestContext.Current.CancellationToken).Within());
        Assert.Equal(GimletErrorKind.ServerUnreachable, refused.Kind);
    }
}
