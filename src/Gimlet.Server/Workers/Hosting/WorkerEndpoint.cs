using System.Net.WebSockets;
using Gimlet.Server.Access;
using Gimlet.Server.Hosting.Http;
using Gimlet.Server.Hosting.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gimlet.Server.Workers.Hosting;

/// <summary><c>GET /ws/register/{worker_id}</c>: one WebSocket of a worker, from its upgrade to its end.</summary>
internal static class WorkerEndpoint
{
    public const string Path = "/ws/register/{*worker_id}";

    /// <summary>Puts pings under the WebSocket that the framework's middleware is about to make.</summary>
    public static Task PrepareAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new PingUpgrade(upgrade));

            // Of an application that called UseWebSockets itself; it holds the stream without pings.
            context.Features.Set<IHttpWebSocketFeature>(null);
        }

        return next(context);
    }

    public static async Task HandleAsync(HttpContext context, WorkersHost host)
    {
        DialledRequest dialled = host.Proxies.Read(context);
        string? group = context.Request.Query.TryGetValue("group", out Microsoft.Extensions.Primitives.StringValues groups) ? groups.ToString() : null;
        string? workerId = context.Request.RouteValues["worker_id"] as string;
        if (Find(context, host, workerId, group, dialled, out string? authority) is { } wrong)
        {
            await RefuseAsync(context, host, wrong).ConfigureAwait(false);
            return;
        }

        var info = new WorkerInfo { WorkerId = workerId!, Group = group, Remote = dialled.Remote, Authority = authority! };
        WorkerConnection? connection = host.Core.TryAdmit(info, host.Now, out WorkerRefusal? refusal);
        if (connection is null)
        {
            await RefuseAsync(context, host, refusal!).ConfigureAwait(false);
            return;
        }

        try
        {
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                // The sweep's pings are written beneath; the framework's would cost a timer per connection.
                KeepAliveInterval = Timeout.InfiniteTimeSpan,
            }).ConfigureAwait(false);
            await ServeAsync(socket, ((PingUpgrade)context.Features.GetRequiredFeature<IHttpUpgradeFeature>()).Stream!, connection, host).ConfigureAwait(false);
        }
        catch (Exception e) when (WebSocketFault.IsGone(e))
        {
            // Gone without a close handshake: a network that changed, a process that was killed. The rendezvous is told below.
        }
        finally
        {
            host.Core.Disconnected(connection, host.Now);
        }
    }

    // What is wrong with the request itself; null for nothing.
    private static WorkerRefusal? Find(HttpContext context, WorkersHost host, string? workerId, string? group, DialledRequest dialled, out string? authority)
    {
        authority = AuthorityText.Normalise(dialled.Host, dialled.Scheme);
        string? problem = WorkerName.FindProblem("A worker id", workerId)
            ?? (group is null ? null : WorkerName.FindProblem("A group", group))
            ?? (authority is null ? "The Host header is not a host, with or without a port" : null)
            ?? (!context.WebSockets.IsWebSocketRequest || context.Features.Get<IHttpUpgradeFeature>() is not PingUpgrade
                ? "This is where workers register, by WebSocket: GET /ws/register/{worker_id}"
                : null);
        if (problem is not null)
        {
            return new WorkerRefusal(StatusCodes.Status400BadRequest, "bad-request", problem);
        }

        if (host.Token?.Refuses(context.Request) is { } unknown)
        {
            return new WorkerRefusal(StatusCodes.Status401Unauthorized, "token", $"Registering takes Authorization: Bearer TOKEN; {unknown}");
        }

        return host.IsReady ? null : new WorkerRefusal(StatusCodes.Status503ServiceUnavailable, "not-ready", "This server is starting or shutting down; come back in a moment");
    }

    private static Task RefuseAsync(HttpContext context, WorkersHost host, WorkerRefusal refusal)
    {
        host.Metrics.Refused(refusal.Kind);
        if (refusal.Status == StatusCodes.Status401Unauthorized)
        {
            // RFC 9110 section 11.6.1
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }
        else if (refusal.Status == StatusCodes.Status503ServiceUnavailable)
        {
            // RFC 9110 section 10.2.3
            context.Response.Headers.RetryAfter = "1";
        }

        return HttpAnswers.RefuseAsync(context, refusal.Status, refusal.Detail);
    }

    private static async Task ServeAsync(WebSocket socket, PingStream stream, WorkerConnection connection, WorkersHost host)
    {
        var output = new WebSocketOutput(socket, host.Time);
        stream.Heard = () => connection.Heard(host.Now);
        host.Track(output);
        try
        {
            host.Core.Open(connection, new WorkerSocket(output, stream), host.Now);
            await new WorkerReader(socket, connection, host).RunAsync().ConfigureAwait(false);

            // The other side closed: it is nobody's peer from this moment. Answer in kind, after what is still queued, and let the sweep cut what does not end.
            host.Core.Disconnected(connection, host.Now);
            output.Close((int)WebSocketCloseStatus.NormalClosure, "");
            await output.Ended.ConfigureAwait(false);
        }
        finally
        {
            output.Stop();
            host.Untrack(output);
        }
    }
}
