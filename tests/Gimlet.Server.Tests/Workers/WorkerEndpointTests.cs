using System.Net;
using System.Net.WebSockets;
using System.Text;
using Gimlet.Identity;
using Gimlet.Server.Tests.Support;

namespace Gimlet.Server.Tests.Workers;

public sealed class WorkerEndpointTests
{
    private const string Token = "0123456789abcdef0123";

    [Fact]
    public async Task Two_workers_register_and_are_offered_to_each_other()
    {
        await using GimletServer server = await WorkersAsync();
        Uri url = server.HttpUrls[0];
        await using LiveWorker a = await LiveWorker.ReadyAsync(url, "a", port: 1);
        await a.ShouldBeAliveAsync();
        await using LiveWorker b = await LiveWorker.ReadyAsync(url, "b", port: 2);
        await a.ShouldHearAsync("""{"type":"p2p_connection_offer","peer_worker_id":"b","peer_udp_ip":"203.0.113.7","peer_udp_port":2}""");
        await b.ShouldHearAsync("""{"type":"p2p_connection_offer","peer_worker_id":"a","peer_udp_ip":"203.0.113.7","peer_udp_port":1}""");
    }

    [Fact]
    public async Task A_second_connection_takes_over_and_the_end_of_the_first_does_not_remove_it()
    {
        using var log = new LogLines();
        await using GimletServer server = await WorkersAsync(o => o, log);
        Uri url = server.HttpUrls[0];
        await using LiveWorker first = await LiveWorker.ReadyAsync(url, "a");
        await using LiveWorker second = await LiveWorker.ConnectAsync(url, "a");
        await first.ShouldBeClosedAsync(1000, "New connection from same worker ID");
        _ = await log.WaitForAsync(61);
        await second.SendAsync("""{"type":"update_udp_endpoint","udp_ip":"203.0.113.9","udp_port":9}""");
        await second.ShouldHearAsync("""{"type":"udp_endpoint_ack","status":"success"}""");
        await using LiveWorker b = await LiveWorker.ReadyAsync(url, "b");
        await b.ShouldHearAsync("""{"type":"p2p_connection_offer","peer_worker_id":"a","peer_udp_ip":"203.0.113.9","peer_udp_port":9}""");
    }

    [Fact]
    public async Task A_worker_that_is_killed_or_closes_is_offered_to_nobody()
    {
        using var log = new LogLines();
        await using GimletServer server = await WorkersAsync(o => o, log);
        Uri url = server.HttpUrls[0];
        LiveWorker killed = await LiveWorker.ReadyAsync(url, "killed");
        await killed.DisposeAsync();
        Assert.Contains("killed", await log.WaitForAsync(61), StringComparison.Ordinal);
        await using LiveWorker closed = await LiveWorker.ReadyAsync(url, "closed");
        await closed.CloseAsync();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, closed.Socket.CloseStatus);
        await using LiveWorker left = await LiveWorker.ReadyAsync(url, "left");
        await left.ShouldBeAliveAsync();
    }

    [Fact]
    public async Task Text_that_is_no_message_is_ignored_and_frames_that_are_none_end_their_own_connection_only()
    {
        await using GimletServer server = await WorkersAsync();
        Uri url = server.HttpUrls[0];
        await using LiveWorker worker = await LiveWorker.ConnectAsync(url, "a");
        foreach (string text in MessageTests.Malformed)
        {
            await worker.SendAsync(text);
        }

        await worker.SendAsync([1, 2, 3], WebSocketMessageType.Binary);
        await worker.SendAsync([], WebSocketMessageType.Binary);
        await worker.ShouldBeAliveAsync();

        byte[][] broken =
        [
            RawWebSocket.Frame(0x81, 0xff, 0xfe), // no UTF-8
            RawWebSocket.Frame(0xc1, (byte)'{', (byte)'}'), // a reserved bit
            RawWebSocket.Frame(0x83, 1), // an opcode that is none
            RawWebSocket.Frame(0x8f, 1), // a control opcode that is none
            RawWebSocket.Frame(0x80, 1), // a continuation of nothing
            RawWebSocket.Frame(0x09, 1), // a ping in fragments
            [.. RawWebSocket.Frame(0x01, (byte)'{'), .. RawWebSocket.Frame(0x81, (byte)'}')], // a message within a message
            [0x81, 8, .. "{ \n    }"u8], // no mask
            [0x89, 0xfe, 0, 200, 0, 0, 0, 0], // a ping of 200 bytes
            [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], // a negative length
            RawWebSocket.Frame(0x88, 3), // a close with half a code
            RawWebSocket.Frame(0x88, 0, 5), // a close code that is none
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"),
        ];
        foreach (byte[] bytes in broken)
        {
            await using RawWebSocket raw = await RawWebSocket.ConnectAsync(url, "/ws/register/raw");
            await raw.SendAsync(bytes);
            _ = await raw.ReadToEndAsync();
        }

        await worker.ShouldBeAliveAsync();
        await using LiveWorker again = await LiveWorker.ConnectAsync(url, "raw");
        await again.ShouldBeAliveAsync();
    }

    [Fact]
    public async Task A_message_in_fragments_is_one_message_and_one_beyond_the_limit_ends_the_connection()
    {
        await using GimletServer server = await WorkersAsync();
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a");
        byte[] echo = Encoding.UTF8.GetBytes($$"""{"type":"echo_request","payload":"{{new string('x', (16 * 1024) - 36)}}"}""");
        Assert.Equal(16 * 1024, echo.Length);
        foreach (byte[] part in echo.Chunk(1000))
        {
            await worker.SendAsync(part, isEnd: false);
        }

        await worker.SendAsync([], isEnd: true);
        Assert.Contains(new string('x', (16 * 1024) - 36), await worker.NextAsync("the echo"), StringComparison.Ordinal);
        await worker.SendAsync(new byte[(16 * 1024) + 1]);
        await worker.ShouldBeClosedAsync(1009, "A message has at most 16384 bytes");
    }

    [Fact]
    public async Task A_message_without_an_end_ends_the_connection_and_costs_no_more_than_the_limit()
    {
        await using GimletServer server = await WorkersAsync();
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a");
        for (int i = 0; i < 64; i++)
        {
            await worker.SendAsync(new byte[16 * 1024], isEnd: false);
        }

        await worker.ShouldBeClosedAsync(1009, "A message has at most 16384 bytes");
    }

    [Fact]
    public async Task A_message_of_empty_frames_without_an_end_ends_the_connection()
    {
        await using GimletServer server = await WorkersAsync();
        await using RawWebSocket raw = await RawWebSocket.ConnectAsync(server.HttpUrls[0], "/ws/register/raw");
        byte[] few = [.. RawWebSocket.Frame(0x01), .. Enumerable.Repeat(RawWebSocket.Frame(0x00), 1000).SelectMany(f => f), .. RawWebSocket.Frame(0x80)];
        await raw.SendAsync(few);
        await raw.SendAsync([.. RawWebSocket.Frame(0x01), .. Enumerable.Repeat(RawWebSocket.Frame(0x00), 1100).SelectMany(f => f)]);
        byte[] close = [0x03, 0xf1, .. "A message has at most 1024 empty frames"u8];
        Assert.Equal([0x88, (byte)close.Length, .. close], await raw.ReadAsync(2 + close.Length));
    }

    [Fact]
    public async Task Messages_beyond_the_rate_end_the_connection()
    {
        await using GimletServer server = await WorkersAsync(o => o with { Limits = new WorkerLimits { MessageBurst = 5, MessagesPerSecond = 1 } });
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a");
        for (int i = 0; i < 20; i++)
        {
            await worker.SendAsync("{}");
        }

        await worker.ShouldBeClosedAsync(1008, "More than 1 messages a second");
    }

    [Fact]
    public async Task A_silent_worker_is_pinged_a_pong_keeps_it_and_without_one_it_is_cut()
    {
        await using GimletServer server = await WorkersAsync(o => o with { Limits = new WorkerLimits { PingAfter = TimeSpan.FromMilliseconds(200), DropAfter = TimeSpan.FromSeconds(2) } });
        await using RawWebSocket raw = await RawWebSocket.ConnectAsync(server.HttpUrls[0], "/ws/register/raw");

        // Pongs for longer than the silence that is allowed.
        for (int i = 0; i < 15; i++)
        {
            Assert.Equal([0x89, 0x00], await raw.ReadAsync(2));
            await raw.SendAsync(RawWebSocket.Frame(0x8a));
        }

        await raw.SendAsync(RawWebSocket.Frame(0x81, Encoding.ASCII.GetBytes("{\"type\":\"prove_peer_id\",\"signature\":1}")));
        byte[] rest = await raw.ReadToEndAsync();
        Assert.Contains("peer_id_proof", Encoding.ASCII.GetString(rest), StringComparison.Ordinal);

        // Cut, not closed: nobody was there to read a close frame.
        Assert.Equal([0x89, 0x00], rest[^2..]);
    }

    [Fact]
    public async Task A_ping_of_a_worker_is_answered()
    {
        await using GimletServer server = await WorkersAsync();
        await using RawWebSocket raw = await RawWebSocket.ConnectAsync(server.HttpUrls[0], "/ws/register/raw");
        await raw.SendAsync(RawWebSocket.Frame(0x89, 1, 2, 3));
        Assert.Equal([0x8a, 3, 1, 2, 3], await raw.ReadAsync(5));
    }

    [Fact]
    public async Task A_server_that_ends_tells_its_workers()
    {
        GimletServer server = await WorkersAsync();
        await using LiveWorker a = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a");
        await using LiveWorker mute = await LiveWorker.ConnectAsync(server.HttpUrls[0], "mute");
        Task end = server.DisposeAsync().AsTask();
        await a.ShouldBeClosedAsync(1001, "server shutting down");
        await end.Within();
    }

    [Fact]
    public async Task A_peer_id_is_proven_for_the_host_that_was_dialled_and_held_against_others()
    {
        await using GimletServer server = await WorkersAsync(o => o with { Limits = new WorkerLimits { ProofTimeout = TimeSpan.FromMilliseconds(400) } });
        Uri url = server.HttpUrls[0];
        string authority = $"127.0.0.1:{url.Port}";
        using var key = NodeIdentity.Create();
        using var other = NodeIdentity.Create();
        await using LiveWorker owner = await LiveWorker.ConnectAsync(url, "a");
        await owner.ProveAsync(key, "127.0.0.1:1");
        Assert.Contains($"The signature does not cover this challenge at '{authority}'", await owner.NextAsync("an error"), StringComparison.Ordinal);
        await owner.ProveAsync(key, authority);
        await owner.ShouldHearAsync($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{key.Id}}"}""");

        await using (LiveWorker stranger = await LiveWorker.ConnectAsync(url, "a"))
        {
            (HttpStatusCode status, string body) = await UpgradeAsync(url, "/ws/register/a");
            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.StartsWith("""{"detail":"Worker a belongs to a peer id""", body, StringComparison.Ordinal);
            await stranger.ProveAsync(other, authority);
            await stranger.ShouldHearAsync("""{"type":"peer_id_proof","status":"error","detail":"Worker a belongs to another peer id"}""");
            await stranger.ShouldBeClosedAsync(1008, "The worker ID belongs to a peer ID, and this connection has not proven it in time");
            Assert.Equal(WebSocketState.Closed, stranger.Socket.State);
        }

        await owner.ShouldBeAliveAsync();
    }

    [Theory]
    [InlineData("/ws/register/", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a%20b", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a/b", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a%2Fb", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a%0d%0ab", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/%C3%A9", "A worker id has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a?group=", "A group has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a?group=x%20y", "A group has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    [InlineData("/ws/register/a?group=x&group=y", "A group has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ -")]
    public async Task Names_that_are_none_are_refused_before_the_upgrade(string path, string detail)
    {
        await using GimletServer server = await WorkersAsync();
        (HttpStatusCode status, string body) = await UpgradeAsync(server.HttpUrls[0], path);
        Assert.Equal((HttpStatusCode.BadRequest, $$"""{"detail":"{{detail}}"}"""), (status, body));
    }

    [Fact]
    public async Task Names_of_every_letter_and_the_greatest_length_are_welcome()
    {
        await using GimletServer server = await WorkersAsync();
        string id = "AZaz09._~:@-".PadRight(128, 'x');
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], id, group: id);
        await worker.ShouldBeAliveAsync();
        (HttpStatusCode status, _) = await UpgradeAsync(server.HttpUrls[0], $"/ws/register/{id}x");
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task A_request_that_is_no_WebSocket_is_told_so()
    {
        await using GimletServer server = await WorkersAsync();
        using var http = new HttpClient();
        using HttpResponseMessage answer = await http.GetAsync(new Uri(server.HttpUrls[0], "/ws/register/a"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("""{"detail":"This is where workers register""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "this server asks for a token")]
    [InlineData("Bearer 0123456789abcdef012", "the token is not this server's")]
    [InlineData("Bearer ", "this server asks for a token")]
    [InlineData("Basic " + Token, "this server asks for a token")]
    [InlineData(Token, "this server asks for a token")]
    public async Task Without_the_token_nobody_registers(string? authorization, string reason)
    {
        await using GimletServer server = await WorkersAsync(o => o with { Token = Token });
        (HttpStatusCode status, string body) = await UpgradeAsync(server.HttpUrls[0], "/ws/register/a", authorization);
        Assert.Equal((HttpStatusCode.Unauthorized, $$"""{"detail":"Registering takes Authorization: Bearer TOKEN; {{reason}}"}"""), (status, body));
    }

    [Fact]
    public async Task With_the_token_a_worker_registers()
    {
        await using GimletServer server = await WorkersAsync(o => o with { Token = Token });
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a", with: o => o.SetRequestHeader("Authorization", $"Bearer {Token}"));
        await worker.ShouldBeAliveAsync();
    }

    [Fact]
    public async Task Beyond_the_limits_of_an_address_and_of_all_workers_are_refused_with_the_reason()
    {
        await using GimletServer perAddress = await WorkersAsync(o => o with { Limits = new WorkerLimits { WorkersPerAddress = 1 } });
        await using LiveWorker one = await LiveWorker.ConnectAsync(perAddress.HttpUrls[0], "a");
        (HttpStatusCode status, string body) = await UpgradeAsync(perAddress.HttpUrls[0], "/ws/register/b");
        Assert.Equal((HttpStatusCode.TooManyRequests, """{"detail":"Your address has as many workers as one may have (1)"}"""), (status, body));

        await using GimletServer all = await WorkersAsync(o => o with { Limits = new WorkerLimits { Workers = 1 } });
        await using LiveWorker other = await LiveWorker.ConnectAsync(all.HttpUrls[0], "a");
        (status, body) = await UpgradeAsync(all.HttpUrls[0], "/ws/register/b");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"detail":"This rendezvous has as many workers as it takes (1)"}"""), (status, body));
    }

    [Fact]
    public async Task A_handshake_that_fails_gives_its_place_back()
    {
        await using GimletServer server = await WorkersAsync(o => o with { Limits = new WorkerLimits { Workers = 1 } });
        for (int i = 0; i < 3; i++)
        {
            // No key: the framework refuses it after the place was taken.
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.HttpUrls[0], "/ws/register/a"));
            _ = request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
            _ = request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
            _ = request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
            using var http = new HttpClient();
            using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "b");
        await worker.ShouldBeAliveAsync();
    }

    [Fact]
    public async Task Nodes_and_workers_use_one_server()
    {
        await using GimletServer server = await WorkersAsync();
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveWorker worker = await LiveWorker.ConnectAsync(server.HttpUrls[0], "a");
        await worker.ShouldBeAliveAsync();
        Assert.Equal(1, server.NodeCount);
    }

    internal static Task<GimletServer> WorkersAsync(Func<GimletWorkersOptions, GimletWorkersOptions>? with = null, LogLines? log = null) => Servers.StartAsync(o =>
    {
        var workers = new GimletWorkersOptions();
        GimletServerOptions options = o with { Workers = with?.Invoke(workers) ?? workers };
        return log is null ? options : options with { LoggerFactory = log };
    });

    internal static async Task<(HttpStatusCode Status, string Body)> UpgradeAsync(Uri url, string path, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url.GetLeftPart(UriPartial.Authority) + path));
        _ = request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        _ = request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        _ = request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        _ = request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", Convert.ToBase64String(new byte[16]));
        if (authorization is not null)
        {
            _ = request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var http = new HttpClient();
        using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return (answer.StatusCode, answer.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
