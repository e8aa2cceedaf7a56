using System.Net.WebSockets;
using Gimlet.Server.Access;
using Gimlet.Server.Hosting.Http;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Microsoft.AspNetCore.Http;
using ConnectionInfo = Gimlet.Server.Rendezvous.ConnectionInfo;

namespace Gimlet.Server.Hosting.WebSockets;

/// <summary><c>GET /v1/node</c>: one WebSocket, from its upgrade to its end.</summary>
internal static class NodeEndpoint
{
    public static async Task HandleAsync(HttpContext context, GimletHost host)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "This is where nodes connect, by WebSocket. Point 'gimlet --server' here, or read '/'.").ConfigureAwait(false);
            return;
        }

        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(SignalProtocol.Subprotocol))
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, $"This server speaks the WebSocket subprotocol '{SignalProtocol.Subprotocol}' only; the request does not offer it.").ConfigureAwait(false);
            return;
        }

        DialledRequest dialled = host.Proxies.Read(context);
        if (AuthorityText.Normalise(dialled.Host, dialled.Scheme) is not { } authority)
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "The Host header is not a host, with or without a port.").ConfigureAwait(false);
            return;
        }

        if (!host.IsReady)
        {
            // RFC 9110 section 10.2.3
            context.Response.Headers.RetryAfter = "1";
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "This server is starting or shutting down; come back in a moment.").ConfigureAwait(false);
            return;
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = SignalProtocol.Subprotocol,

            // The protocol has pings of its own, driven by one sweep; the framework's would cost a timer per connection.
            KeepAliveInterval = Timeout.InfiniteTimeSpan,
        }).ConfigureAwait(false);
        await ServeAsync(socket, dialled, authority, host).ConfigureAwait(false);
    }

    private static async Task ServeAsync(WebSocket socket, DialledRequest dialled, string authority, GimletHost host)
    {
        var output = new WebSocketOutput(socket, host.Time);
        host.Track(output);
        RendezvousSession session = host.Core.Connect(output, new ConnectionInfo { Remote = dialled.Remote, Authority = authority, Now = host.Now });
        try
        {
            await new FrameReader(socket, session, host).RunAsync().ConfigureAwait(false);

            // The other side closed: answer in kind, after what is still queued, and let the sweep cut what does not end.
            output.Close((int)WebSocketCloseStatus.NormalClosure, "");
            await output.Ended.ConfigureAwait(false);
        }
        catch (Exception e) when (WebSocketFault.IsGone(e))
        {
            // Gone without a close handshake: a network that changed, a process that was killed. The core is told below.
        }
        finally
        {
            output.Stop();
            host.Core.Disconnected(session, host.Now);
            host.Untrack(output);
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
