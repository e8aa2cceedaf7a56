using Gimlet.Server.Hosting;
using Gimlet.Server.Hosting.WebSockets;
using Gimlet.Signalling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gimlet.Server;

/// <summary>Gives Gimlet its place in an ASP.NET Core application.</summary>
public static class GimletEndpointRouteBuilderExtensions
{
    // RFC 9110 section 9.1: "All general-purpose servers MUST support the methods GET and HEAD." The framework's MapGet maps the one alone.
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] GetAlone = [HttpMethods.Get];

    /// <summary>
    /// Maps <c>/v1/node</c>, where nodes connect, <c>/healthz</c> (200 while the process answers), <c>/readyz</c> (200 while nodes are
    /// welcome, 503 otherwise) and <c>/</c>. Routes of the application with the same path come first.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException"><c>AddGimlet</c> was not called.</exception>
    public static IEndpointRouteBuilder MapGimlet(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        GimletHost host = endpoints.ServiceProvider.GetService<GimletHost>()
            ?? throw new InvalidOperationException("Gimlet's services are missing: call services.AddGimlet() before app.MapGimlet().");

        RequestDelegate node = endpoints.CreateApplicationBuilder()
            .UseWebSockets()
            .Use((RequestDelegate _) => context => NodeEndpoint.HandleAsync(context, host))
            .Build();
        Map(endpoints, SignalProtocol.Path, GetAlone, node, "Gimlet node");
        Map(endpoints, "/healthz", GetAndHead, static context => AnswerAsync(context, StatusCodes.Status200OK, "ok"), "Gimlet health");
        Map(endpoints, "/readyz", GetAndHead, context => host.IsReady
            ? AnswerAsync(context, StatusCodes.Status200OK, "ready")
            : AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "not ready"), "Gimlet readiness");
        Map(endpoints, "/", GetAndHead, context => AnswerAsync(
            context,
            StatusCodes.Status200OK,
            $"This is a Gimlet server: it helps two machines behind NATs find each other. Nodes connect to {SignalProtocol.Path}.\nIt is {host.AccessDescription}."), "Gimlet");
        return endpoints;
    }

    private static void Map(IEndpointRouteBuilder endpoints, string path, string[] methods, RequestDelegate handler, string name) =>
        endpoints.MapMethods(path, methods, handler).WithDisplayName(name).WithOrder(int.MaxValue);

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
