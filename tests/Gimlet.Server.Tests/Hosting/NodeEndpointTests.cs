using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Hosting;

public sealed class NodeEndpointTests
{
    [Fact]
    public async Task Two_nodes_register_call_and_are_introduced_over_real_WebSockets()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0], accept: AcceptMode.OnAccept);
        Assert.Equal(2, server.NodeCount);

        ConnectMessage call = a.Node.Call(b.Node.Id);
        await a.SendAsync(call);
        IncomingMessage incoming = await b.NextAsync<IncomingMessage>();
        Assert.Equal((call.Call, a.Node.Id.ToString()), (incoming.Call, incoming.Peer));
        await b.SendAsync(new AcceptMessage { Call = call.Call });
        IntroduceMessage introduce = await a.NextAsync<IntroduceMessage>();
        Assert.Equal(b.Node.Prekey().Key, introduce.Prekey!.Key);
        await a.SendAsync(new CandidatesMessage { Call = call.Call, Candidates = TestNode.Host("10.0.0.1:1") });
        Assert.Equal("10.0.0.1:1", Assert.Single((await b.NextAsync<CandidatesMessage>()).Candidates!).Address);

        await a.CloseAsync();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, a.Socket.CloseStatus);
    }

    [Fact]
    public async Task A_node_that_is_killed_is_offline_as_soon_as_its_connection_breaks()
    {
        using var log = new LogLines();
        await using GimletServer server = await Servers.StartAsync(o => o with { LoggerFactory = log });
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await b.DisposeAsync();
        Assert.Contains(b.Node.Id.ToString(), await log.WaitForAsync(5), StringComparison.Ordinal);
        await a.SendAsync(a.Node.Call(b.Node.Id));
        Assert.Equal(RejectReason.Offline, (await a.NextAsync<RejectMessage>()).Reason);
    }

    [Fact]
    public async Task A_node_that_comes_back_replaces_its_older_connection()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode older = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode newer = await LiveNode.RegisterAsync(server.HttpUrls[0], older.Node);
        await older.ShouldBeClosedAsync(ErrorCode.Replaced, 4001);
        Assert.Equal(1, server.NodeCount);
        await using LiveNode caller = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await caller.SendAsync(caller.Node.Call(newer.Node.Id));
        _ = await newer.NextAsync<IncomingMessage>();
        _ = await caller.NextAsync<IntroduceMessage>();
    }

    [Fact]
    public async Task A_silent_node_is_pinged_and_then_closed_with_the_reason()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with
        {
            Timers = new RendezvousTimers { PingAfter = TimeSpan.FromMilliseconds(100), DropAfter = TimeSpan.FromSeconds(3) },
        });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        await node.RegisterAsync();
        Assert.Equal(100, (await node.NextAsync<RegisteredMessage>()).KeepAliveMs);
        PingMessage first = await node.NextAsync<PingMessage>();
        await node.SendAsync(new PongMessage { Id = first.Id });
        Assert.True((await node.NextAsync<PingMessage>()).Id > first.Id);
        await node.ShouldBeClosedAsync(ErrorCode.KeepAliveTimeout, 1008);
    }

    [Fact]
    public async Task Who_does_not_register_is_closed_with_the_reason()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Timers = new RendezvousTimers { RegistrationTimeout = TimeSpan.FromMilliseconds(100) } });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        await node.ShouldBeClosedAsync(ErrorCode.RegistrationTimeout, 1008);
    }

    [Fact]
    public async Task A_connection_that_does_not_answer_the_close_is_cut()
    {
        using var log = new LogLines();
        await using GimletServer server = await Servers.StartAsync(o => o with
        {
            LoggerFactory = log,
            Timers = new RendezvousTimers { RegistrationTimeout = TimeSpan.FromMilliseconds(100) },
        });

        // A client that never reads: it does not see the close frame, and must not keep the connection alive by that.
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        _ = await log.WaitForAsync(5);
        Assert.Equal(0, server.Host.Core.SessionCount);
    }

    [Fact]
    public async Task A_message_in_fragments_is_one_message_and_one_beyond_the_limit_ends_the_session()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        byte[] ping = SignalCodec.Write(new PingMessage { Id = 5 });
        CancellationToken token = TestContext.Current.CancellationToken;
        for (int i = 0; i < ping.Length; i++)
        {
            await node.Socket.SendAsync(ping.AsMemory(i, 1), WebSocketMessageType.Text, endOfMessage: false, token);
        }

        await node.Socket.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Text, endOfMessage: true, token);
        Assert.Equal(5, (await node.NextAsync<PongMessage>()).Id);

        byte[] full = new byte[16 * 1024];
        full.AsSpan().Fill((byte)' ');
        ping.CopyTo(full, 0);
        await node.SendAsync(full, WebSocketMessageType.Text);
        Assert.Equal(5, (await node.NextAsync<PongMessage>()).Id);

        await node.SendAsync(new byte[(16 * 1024) + 1], WebSocketMessageType.Text);
        await node.ShouldBeClosedAsync(ErrorCode.MessageTooLarge, 1009);
    }

    [Fact]
    public async Task A_message_without_an_end_ends_the_session_and_costs_no_more_than_the_limit()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        for (int i = 0; i < 64; i++)
        {
            await node.Socket.SendAsync(new byte[16 * 1024], WebSocketMessageType.Text, endOfMessage: false, TestContext.Current.CancellationToken);
        }

        await node.ShouldBeClosedAsync(ErrorCode.MessageTooLarge, 1009);
    }

    [Fact]
    public async Task Without_a_relay_empty_and_binary_frames_are_answered_with_a_typed_error_and_the_session_goes_on()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Relay = false });
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await node.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Text);
        Assert.Equal(ErrorCode.BadMessage, (await node.NextAsync<ErrorMessage>()).Code);
        await node.SendAsync(new byte[1200], WebSocketMessageType.Binary);
        Assert.Equal(ErrorCode.BadMessage, (await node.NextAsync<ErrorMessage>()).Code);
        await node.SendAsync(new byte[1200], WebSocketMessageType.Binary);
        await node.SendAsync(new PingMessage { Id = 9 });
        Assert.Equal(9, (await node.NextAsync<PongMessage>()).Id);
    }

    [Fact]
    public async Task A_node_that_stops_reading_is_closed_and_the_caller_that_filled_its_queue_is_not()
    {
        using var log = new LogLines();
        await using GimletServer server = await Servers.StartAsync(o => o with
        {
            LoggerFactory = log,
            Limits = new RendezvousLimits { MessageBurst = 1_000_000, MessagesPerSecond = 1_000_000, CallsPerMinute = 1_000_000, IncomingCallsPerMinute = 1_000_000 },
        });

        // Small buffers at the end that does not read, so that the server's own queue fills soon.
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = static async (context, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
                await socket.ConnectAsync(context.DnsEndPoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var invoker = new HttpMessageInvoker(handler);
        await using LiveNode deaf = await LiveNode.ConnectAsync(server.HttpUrls[0], invoker: invoker);
        await deaf.RegisterAsync();
        _ = await deaf.NextAsync<RegisteredMessage>();
        await using LiveNode caller = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        CandidateDescription[] many = TestNode.Host([.. Enumerable.Range(1, 64).Select(i => $"[fd00:1234:5678:9abc:def0:1234:5678:{i:x}]:50000")]);
        ConnectMessage call = caller.Node.Call(deaf.Node.Id) with { Candidates = many };
        RejectMessage? reject = null;
        for (int i = 0; reject is null; i++)
        {
            await caller.SendAsync(call with { Call = $"{i:x32}" });
            Assert.True(i < 100_000, "the queue of a node that does not read is bounded");
            SignalMessage answer = await caller.UntilAsync<SignalMessage>();
            reject = answer as RejectMessage;
        }

        Assert.Equal(RejectReason.Offline, reject.Reason);
        Assert.Contains(deaf.Node.Id.ToString(), await log.WaitForAsync(6), StringComparison.Ordinal);
        await caller.SendAsync(new PingMessage { Id = 1 });
        _ = await caller.NextAsync<PongMessage>();

        // It does not answer the close either, so it is cut.
        Assert.Contains(deaf.Node.Id.ToString(), await log.WaitForAsync(5), StringComparison.Ordinal);
        Assert.Equal(1, server.NodeCount);
    }

    [Fact]
    public async Task A_disposed_server_tells_every_node_why_and_ends_within_a_bounded_time_though_one_does_not_answer()
    {
        GimletServer server = await Servers.StartAsync();
        await using LiveNode polite = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode mute = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        Task end = server.DisposeAsync().AsTask();
        await polite.ShouldBeClosedAsync(ErrorCode.ShuttingDown, 1001);
        await end.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_request_that_is_no_WebSocket_or_speaks_another_protocol_is_told_so()
    {
        await using GimletServer server = await Servers.StartAsync();
        using var http = new HttpClient();
        CancellationToken token = TestContext.Current.CancellationToken;
        var url = new Uri(server.HttpUrls[0], SignalProtocol.Path);
        using HttpResponseMessage plain = await http.GetAsync(url, token);
        Assert.Equal(HttpStatusCode.BadRequest, plain.StatusCode);
        Assert.Contains("WebSocket", await plain.Content.ReadAsStringAsync(token), StringComparison.Ordinal);

        using var other = new HttpRequestMessage(HttpMethod.Get, url);
        other.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        other.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        other.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        other.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", Convert.ToBase64String(Encoding.ASCII.GetBytes("0123456789abcdef")));
        other.Headers.TryAddWithoutValidation("Sec-WebSocket-Protocol", "gimlet.v9");
        using HttpResponseMessage refused = await http.SendAsync(other, token);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("gimlet.v1", await refused.Content.ReadAsStringAsync(token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_the_server_does_not_answer_for_is_refused()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Names = ["gimlet.example.org"] });
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0]);
        await node.ShouldBeClosedAsync(ErrorCode.WrongHost, 1008);

        await using LiveNode named = await LiveNode.ConnectAsync(
            server.HttpUrls[0], authority: "gimlet.example.org:80", with: o => o.SetRequestHeader("Host", "Gimlet.Example.org"));
        await named.RegisterAsync();
        _ = await named.NextAsync<RegisteredMessage>();
    }

    [Fact]
    public async Task Localhost_and_the_machines_own_addresses_need_no_name()
    {
        await using GimletServer server = await Servers.StartAsync();
        var local = new UriBuilder(server.HttpUrls[0]) { Host = "localhost" };
        await using LiveNode node = await LiveNode.ConnectAsync(server.HttpUrls[0], authority: $"localhost:{local.Port}", with: o => o.SetRequestHeader("Host", $"localhost:{local.Port}"));
        await node.RegisterAsync();
        _ = await node.NextAsync<RegisteredMessage>();

        await using LiveNode stranger = await LiveNode.ConnectAsync(server.HttpUrls[0], with: o => o.SetRequestHeader("Host", "203.0.113.77"));
        await stranger.ShouldBeClosedAsync(ErrorCode.WrongHost, 1008);
    }
}
