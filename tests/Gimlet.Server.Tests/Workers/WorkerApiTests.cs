using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Gimlet.Server.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gimlet.Server.Tests.Workers;

public sealed class WorkerApiTests
{
    private const string Token = "operator-0123456789abcdef";
    private const string AskFromHere = "This is for callers on the server's own machine, or with the operator's token (Authorization: Bearer)";

    [Fact]
    public async Task The_routes_answer_with_these_bytes()
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        Uri url = server.HttpUrls[0];
        await ShouldAnswerAsync(url, "/", 200, """{"message":"This is a Gimlet rendezvous for workers. Workers register at /ws/register/{worker_id} by WebSocket."}""");
        await ShouldAnswerAsync(url, "/ip", 200, """{"ip":"127.0.0.1"}""");
        await ShouldAnswerAsync(url, "/debug/list_workers", 200, """{"connected_workers_count":0,"workers":{}}""");
        await ShouldAnswerAsync(url, "/api/workers", 200, """{"connected":0,"waiting":0,"paired":0,"workers":[]}""");

        await using LiveWorker b = await LiveWorker.ConnectAsync(url, "b", group: "g");
        await b.ShouldBeAliveAsync();
        await using LiveWorker a = await LiveWorker.ReadyAsync(url, "a");
        await a.SendAsync("""{"type":"register_public_ip","ip":"203.0.113.9"}""");
        await a.ShouldBeAliveAsync();
        string list = await GetAsync(url, "/debug/list_workers");
        list = System.Text.RegularExpressions.Regex.Replace(list, "observed_port\":[1-9][0-9]*", "observed_port\":N", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));
        Assert.Equal(
            """{"connected_workers_count":2,"workers":{"a":{"websocket_observed_ip":"127.0.0.1","websocket_observed_port":N,"http_reported_public_ip":"203.0.113.9","stun_reported_udp_ip":"203.0.113.7","stun_reported_udp_port":41002,"websocket_connected":true},"b":{"websocket_observed_ip":"127.0.0.1","websocket_observed_port":N,"http_reported_public_ip":null,"stun_reported_udp_ip":null,"stun_reported_udp_port":null,"websocket_connected":true}}}""",
            list);
        string workers = await GetAsync(url, "/api/workers");
        Assert.StartsWith(
            """{"connected":2,"waiting":1,"paired":0,"workers":[{"worker_id":"a","state":"waiting","group":null,"peer_id":null,"peer_worker_id":null,"websocket_observed_ip":"127.0.0.1",""",
            workers,
            StringComparison.Ordinal);
        Assert.Contains("""{"worker_id":"b","state":"connected","group":"g",""", workers, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", 200)]
    [InlineData("/ip", 200)]
    [InlineData("/healthz", 200)]
    [InlineData("/readyz", 200)]
    [InlineData("/ws/register/a", 405)]
    [InlineData("/v1/node", 405)]
    public async Task Head_is_answered_where_a_check_may_ask_for_it(string path, int status)
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(server.HttpUrls[0], path));
        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Head_of_a_server_without_workers_is_answered_too()
    {
        await using GimletServer server = await Servers.StartAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, server.HttpUrls[0]);
        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Two_are_connected_by_hand()
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync(o => o with { Pairing = WorkerPairing.Manual });
        Uri url = server.HttpUrls[0];
        await using LiveWorker a = await LiveWorker.ReadyAsync(url, "a", port: 1);
        await using LiveWorker b = await LiveWorker.ReadyAsync(url, "b", port: 2);
        Assert.Equal(
            (200, """{"status":"offered","worker_a_id":"a","worker_b_id":"b"}"""),
            await PostAsync(url, """{"worker_a_id":"a","worker_b_id":"b"}"""));
        await a.ShouldHearAsync("""{"type":"p2p_connection_offer","peer_worker_id":"b","peer_udp_ip":"203.0.113.7","peer_udp_port":2}""");
        await b.ShouldHearAsync("""{"type":"p2p_connection_offer","peer_worker_id":"a","peer_udp_ip":"203.0.113.7","peer_udp_port":1}""");
        Assert.Equal((404, """{"detail":"Worker nobody is not known"}"""), await PostAsync(url, """{"worker_a_id":"a","worker_b_id":"nobody"}"""));
        Assert.Equal((404, """{"detail":"Worker \"<é>\" is not known"}"""), await PostAsync(url, """{"worker_a_id":"\"<\u00e9>\"","worker_b_id":"nobody"}"""));
        Assert.Equal((400, """{"detail":"Worker a cannot be connected to itself"}"""), await PostAsync(url, """{"worker_a_id":"a","worker_b_id":"a"}"""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{\"worker_a_id\":\"a\"}")]
    [InlineData("{\"worker_a_id\":\"a\",\"worker_b_id\":7}")]
    [InlineData("{\"worker_a_id\":\"a\",\"worker_b_id\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800 and a long name\":1}")]
    [InlineData("{\"worker_a_id\":\"a\",\"worker_b_id\":\"b\",\"\\udc00 and a long name\":1}")]
    [InlineData("{\"worker_a_id\":\"a\",\"worker_b_id\":\"b\"}x")]
    public async Task A_body_that_is_none_is_refused(string body)
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        (int status, string answer) = await PostAsync(server.HttpUrls[0], body);
        Assert.Equal((400, """{"detail":"The body must be {\"worker_a_id\":\"A\",\"worker_b_id\":\"B\"}"}"""), (status, answer));
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_refused()
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        (int status, _) = await PostAsync(server.HttpUrls[0], $$"""{"worker_a_id":"a","worker_b_id":"{{new string('b', 5000)}}"}""");
        Assert.Equal(400, status);
    }

    [Theory]
    [InlineData("/debug/list_workers")]
    [InlineData("/api/workers")]
    [InlineData("POST")]
    public async Task Operators_routes_answer_this_machine_or_the_token(string path)
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync(o => o with { OperatorToken = Token });
        Uri url = server.HttpUrls[0];
        int welcome = path == "POST" ? 404 : 200;
        Assert.Equal(welcome, (await AskAsync(url, path)).Status);
        Assert.Equal(welcome, (await AskAsync(url, path, ("Authorization", $"Bearer {Token}"))).Status);
        Assert.Equal(welcome, (await AskAsync(url, path, ("Authorization", $"Bearer {Token}"), ("X-Forwarded-For", "203.0.113.7"), ("Host", "example.org"))).Status);
        Assert.Equal(welcome, (await AskAsync(url, path, ("Host", "localhost:99"))).Status);
        foreach ((string Name, string Value) header in new[]
        {
            ("Authorization", $"Bearer {Token}x"), ("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Via", "1.1 proxy"),
            ("X-Original-For", "127.0.0.1"), ("x-original-host", "localhost"), ("X-Forwarded-Prefix", "/"), ("x-forwarded-port", "80"), ("Host", "evil.example.org"), ("Origin", "http://evil.example.org"),
        })
        {
            (int status, string body) = await AskAsync(url, path, header);
            Assert.Equal(403, status);
            Assert.StartsWith("{\"detail\":\"", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Operators_routes_answer_nobody_elsewhere_without_the_token()
    {
        // The address of another machine, as far as this one can make it: what a trusted proxy names does not matter, the connection's own address does.
        await using WebApplication app = await AppAsync(
            services => services.AddGimletWorkers(new GimletWorkersOptions { OperatorToken = Token }),
            endpoints => endpoints.MapGimletWorkers(),
            app => app.Use((context, next) =>
            {
                context.Connection.RemoteIpAddress = IPAddress.Parse("203.0.113.7");
                return next(context);
            }));
        Uri url = UrlOf(app);
        Assert.Equal((403, $$"""{"detail":"{{AskFromHere}}"}"""), await AskAsync(url, "/api/workers"));
        Assert.Equal(200, (await AskAsync(url, "/api/workers", ("Authorization", $"Bearer {Token}"))).Status);
    }

    [Fact]
    public async Task Without_an_operators_token_none_is_the_right_one()
    {
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        Assert.Equal(
            (403, """{"detail":"This rendezvous has no operator token; ask from its own machine"}"""), await AskAsync(server.HttpUrls[0], "/api/workers", ("Authorization", $"Bearer {Token}")));
    }

    [Fact]
    public async Task Only_trusted_proxies_name_the_callers_address()
    {
        await using GimletServer plain = await WorkerEndpointTests.WorkersAsync();
        Assert.Equal((200, """{"ip":"127.0.0.1"}"""), await AskAsync(plain.HttpUrls[0], "/ip", ("X-Forwarded-For", "203.0.113.7")));
        await using GimletServer behind = await Servers.StartAsync(o => o with { Workers = new GimletWorkersOptions(), TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] });
        Assert.Equal((200, """{"ip":"203.0.113.7"}"""), await AskAsync(behind.HttpUrls[0], "/ip", ("X-Forwarded-For", "198.51.100.66, 203.0.113.7")));
        await using LiveWorker worker = await LiveWorker.ConnectAsync(behind.HttpUrls[0], "a", with: o => o.SetRequestHeader("X-Forwarded-For", "203.0.113.7:4711"));
        await worker.ShouldBeAliveAsync();
        Assert.Contains("\"websocket_observed_ip\":\"203.0.113.7\",\"websocket_observed_port\":4711", await GetAsync(behind.HttpUrls[0], "/debug/list_workers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_application_of_its_own_maps_workers_alone_and_its_own_routes_come_first()
    {
        await using WebApplication app = await AppAsync(
            services => services.AddGimletWorkers(),
            endpoints =>
            {
                _ = endpoints.MapGet("/", () => "mine");
                _ = endpoints.MapGimletWorkers();
            },
            app => app.UseWebSockets());
        Uri url = UrlOf(app);
        await ShouldAnswerAsync(url, "/", 200, "mine");
        await using LiveWorker worker = await LiveWorker.ConnectAsync(url, "a");
        await worker.ShouldBeAliveAsync();
        await worker.SendAsync("""{"type":"prove_peer_id"}""");
        Assert.StartsWith("""{"type":"peer_id_proof","status":"error",""", await worker.NextAsync("an answer"), StringComparison.Ordinal);
        Assert.Equal(404, (await AskAsync(url, "POST")).Status);
    }

    [Fact]
    public async Task A_server_without_workers_has_none_of_this()
    {
        await using GimletServer server = await Servers.StartAsync();
        Assert.Equal(404, (await AskAsync(server.HttpUrls[0], "/ws/register/a")).Status);
        Assert.Equal(404, (await AskAsync(server.HttpUrls[0], "/api/workers")).Status);
        Assert.StartsWith("This is a Gimlet server", await GetAsync(server.HttpUrls[0], "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Routes_without_services_say_what_is_missing()
    {
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => AppAsync(_ => { }, endpoints => endpoints.MapGimletWorkers(), _ => { }));
        Assert.Contains("AddGimletWorkers", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_by_name()
    {
        ShouldBeRefused(new GimletWorkersOptions { Token = "short" }, "workers' token");
        ShouldBeRefused(new GimletWorkersOptions { OperatorToken = "" }, "operator's token");
        ShouldBeRefused(new GimletWorkersOptions { Limits = new WorkerLimits { Workers = 0 } }, "Limits.Workers ");
        ShouldBeRefused(new GimletWorkersOptions { Limits = new WorkerLimits { MessageBytes = 10 } }, "Limits.MessageBytes");
        ShouldBeRefused(new GimletWorkersOptions { Limits = new WorkerLimits { MessageBytes = (64 * 1024) + 1 } }, "Limits.MessageBytes");
        ShouldBeRefused(new GimletWorkersOptions { Limits = new WorkerLimits { PingAfter = TimeSpan.FromMinutes(1) } }, "Limits.DropAfter");
        ShouldBeRefused(new GimletWorkersOptions { Limits = new WorkerLimits { ProofTimeout = TimeSpan.Zero } }, "Limits.ProofTimeout");
        Assert.DoesNotContain(Token, new GimletWorkersOptions { Token = Token, OperatorToken = Token }.ToString(), StringComparison.Ordinal);

        static void ShouldBeRefused(GimletWorkersOptions options, string name) =>
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => new ServiceCollection().AddGimletWorkers(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_meter_counts_workers_offers_and_refusals()
    {
        await using WebApplication app = await AppAsync(services => services.AddGimletWorkers(), endpoints => endpoints.MapGimletWorkers(), _ => { });
        IMeterFactory meters = app.Services.GetRequiredService<IMeterFactory>();
        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Gimlet.Server" && instrument.Meter.Scope == meters)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        void Add(Instrument instrument, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) => seen[instrument.Name] = value;
        listener.SetMeasurementEventCallback<int>(Add);
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen[instrument.Name + (tags.Length > 0 ? $"/{tags[0].Value}" : "")] = value);
        listener.Start();
        Uri url = UrlOf(app);
        await using LiveWorker a = await LiveWorker.ReadyAsync(url, "a");
        await using LiveWorker b = await LiveWorker.ReadyAsync(url, "b");
        await using LiveWorker c = await LiveWorker.ReadyAsync(url, "c");
        _ = await PostAsync(url, """{"worker_a_id":"a","worker_b_id":"nobody"}""");
        listener.RecordObservableInstruments();
        Assert.Equal(
            (3, 1, 2, 1, 1),
            (seen["gimlet.server.workers.connected"], seen["gimlet.server.workers.waiting"], seen["gimlet.server.workers.paired"], seen["gimlet.server.workers.offers"], seen["gimlet.server.workers.refusals/by-hand"]));
    }

    private static async Task<WebApplication> AppAsync(Action<IServiceCollection> services, Action<IEndpointRouteBuilder> map, Action<WebApplication> first)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddLogging().AddRoutingCore();
        services(builder.Services);
        _ = builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        first(app);
        _ = app.UseRouting();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static Uri UrlOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());

    private static async Task ShouldAnswerAsync(Uri url, string path, int status, string body) => Assert.Equal((status, body), await AskAsync(url, path));

    private static async Task<string> GetAsync(Uri url, string path) => (await AskAsync(url, path)).Body;

    private static Task<(int Status, string Body)> PostAsync(Uri url, string body) => AskAsync(url, "POST", body);

    private static Task<(int Status, string Body)> AskAsync(Uri url, string path, params (string Name, string Value)[] headers) =>
        AskAsync(url, path, """{"worker_a_id":"nobody","worker_b_id":"none"}""", headers);

    // "POST" is the one route that takes a body.
    private static async Task<(int Status, string Body)> AskAsync(Uri url, string path, string body, params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(path == "POST" ? HttpMethod.Post : HttpMethod.Get, new Uri(url, path == "POST" ? "/api/connect" : path));
        if (path == "POST")
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach ((string name, string value) in headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
