using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Gimlet.Identity;
using Gimlet.Server;
using Gimlet.Stun.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Worker.Tests.Support;

/// <summary>
/// A rendezvous of its own, small and obedient: it speaks docs/workers.md over real WebSockets, remembers what each worker said, and offers whom the test wants.
/// With <see cref="WithServer"/> a Gimlet server is at the same URL.
/// </summary>
internal sealed class TestRendezvous : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TestWorker> _workers = new(StringComparer.Ordinal);
    private readonly Channel<TestWorker> _arrivals = Channel.CreateUnbounded<TestWorker>();
    private readonly WebApplication _app;

    private TestRendezvous(WebApplication app) => _app = app;

    /// <summary>Where it is.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>Whether it answers proofs.</summary>
    public bool KnowsProofs { get; init; } = true;

    /// <summary>Whether a Gimlet server is there as well, with its own STUN.</summary>
    public bool WithServer { get; init; }

    /// <summary>Answers a proof with an error.</summary>
    public bool BelievesNobody { get; init; }

    /// <summary>Pairs two workers as soon as both have reported an endpoint.</summary>
    public bool PairsAll { get; init; } = true;

    /// <summary>What an upgrade is refused with.</summary>
    public (int Status, string Body)? Refusal { get; set; }

    /// <summary>What workers sent in the header Authorization.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = new();

    /// <summary>The paths and queries that were asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<TestRendezvous> StartAsync(
        int port = 0, bool withServer = true, bool knowsProofs = true, bool pairsAll = true, bool believesNobody = false)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddLogging().AddRoutingCore();
        if (withServer)
        {
            _ = builder.Services.AddGimlet(new GimletOptions
            {
                Stun = new StunServerOptions { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], Alternate = [new IPEndPoint(IPAddress.Loopback, 0)] },
            });
        }

        _ = builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        _ = builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        WebApplication app = builder.Build();
        var self = new TestRendezvous(app) { WithServer = withServer, KnowsProofs = knowsProofs, PairsAll = pairsAll, BelievesNobody = believesNobody };
        _ = app.UseRouting().UseWebSockets();
        if (withServer)
        {
            _ = app.MapGimlet();
        }

        // In front of the endpoints, which the framework puts at the end.
        _ = app.Use(self.HandleAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        self.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return self;
    }

    /// <summary>Waits for the next worker that opens its WebSocket.</summary>
    public Task<TestWorker> NextAsync() => _arrivals.Reader.ReadAsync(TestContext.Current.CancellationToken).Within();

    public async ValueTask DisposeAsync()
    {
        foreach (TestWorker worker in _workers.Values)
        {
            worker.Abort();
        }

        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        string path = context.Request.Path.Value ?? string.Empty;
        Requests.Enqueue(path + context.Request.QueryString);
        if (path == "/ip")
        {
            await context.Response.WriteAsync($$"""{"ip":"{{context.Connection.RemoteIpAddress}}"}""");
            return;
        }

        if (!path.StartsWith("/ws/register/", StringComparison.Ordinal) || !context.WebSockets.IsWebSocketRequest)
        {
            await next(context);
            return;
        }

        if (context.Request.Headers.Authorization is [{ } authorization])
        {
            Authorizations.Enqueue(authorization);
        }

        if (Refusal is { } refusal)
        {
            context.Response.StatusCode = refusal.Status;
            await context.Response.WriteAsync(refusal.Body);
            return;
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        var worker = new TestWorker(path["/ws/register/".Length..], socket, $"{Url.Host}:{Url.Port}");
        _workers[worker.Id] = worker;
        _ = _arrivals.Writer.TryWrite(worker);
        await foreach (JsonObject message in worker.ReadAsync())
        {
            await AnswerAsync(worker, message);
        }

        _ = _workers.TryRemove(new KeyValuePair<string, TestWorker>(worker.Id, worker));
    }

    private async Task AnswerAsync(TestWorker worker, JsonObject message)
    {
        switch ((string?)message["type"])
        {
            case "update_udp_endpoint":
                worker.Endpoint = ((string)message["udp_ip"]!, (int)message["udp_port"]!);
                await worker.SendAsync("""{"type":"udp_endpoint_ack","status":"success"}""");
                await PairAsync(worker);
                break;
            case "prove_peer_id" when KnowsProofs:
                await ProveAsync(worker, message);
                break;
            case "resume_pairing":
                worker.PairedWith = (string)message["peer_worker_id"]!;
                break;
            case "end_pairing":
                worker.PairedWith = null;
                await PairAsync(worker);
                break;
            default:
                break;
        }
    }

    private async Task ProveAsync(TestWorker worker, JsonObject message)
    {
        if (message["public_key"] is null)
        {
            worker.Nonce = RandomNumberGenerator.GetBytes(32);
            await worker.SendAsync($$"""{"type":"peer_id_challenge","nonce":"{{Convert.ToBase64String(worker.Nonce)}}"}""");
            return;
        }

        byte[] key = Convert.FromBase64String((string)message["public_key"]!);
        byte[] statement =
            [.. "gimlet.v1 worker\0"u8, .. Encoding.ASCII.GetBytes(worker.Authority), 0, .. Encoding.ASCII.GetBytes(worker.Id), 0, .. worker.Nonce!, .. key];
        if (!BelievesNobody && P256.Verify(key, statement, Convert.FromBase64String((string)message["signature"]!)))
        {
            worker.PeerId = PeerId.FromPublicKey(key);
            await worker.SendAsync($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{worker.PeerId}}"}""");
        }
        else
        {
            await worker.SendAsync("""{"type":"peer_id_proof","status":"error","detail":"The signature does not verify"}""");
        }
    }

    private async Task PairAsync(TestWorker worker)
    {
        if (!PairsAll || worker.PairedWith is not null || worker.Endpoint is null)
        {
            return;
        }

        TestWorker? other = _workers.Values.FirstOrDefault(w => w != worker && w.PairedWith is null && w.Endpoint is not null);
        if (other is not null)
        {
            await OfferAsync(worker, other);
        }
    }

    /// <summary>Offers two workers to each other.</summary>
    public static async Task OfferAsync(TestWorker a, TestWorker b)
    {
        (a.PairedWith, b.PairedWith) = (b.Id, a.Id);
        bool proven = a.PeerId is not null && b.PeerId is not null;
        await Task.WhenAll(a.SendAsync(OfferOf(b, proven)), b.SendAsync(OfferOf(a, proven)));
    }

    private static string OfferOf(TestWorker peer, bool proven) =>
        $$"""{"type":"p2p_connection_offer","peer_worker_id":"{{peer.Id}}","peer_udp_ip":"{{peer.Endpoint!.Value.Ip}}","peer_udp_port":{{peer.Endpoint.Value.Port}}"""
        + (proven ? $$""","peer_id":"{{peer.PeerId}}"}""" : "}");
}
