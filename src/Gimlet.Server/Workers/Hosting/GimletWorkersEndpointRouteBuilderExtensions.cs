using Gimlet.Server.Workers.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gimlet.Server;

/// <summary>Gives the workers' rendezvous its place in an ASP.NET Core application.</summary>
public static class GimletWorkersEndpointRouteBuilderExtensions
{
    // RFC 9110 section 9.1: "All general-purpose servers MUST support the methods GET and HEAD." The framework's MapGet maps the one alone.
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Maps <c>/ws/register/{worker_id}</c>, where workers register, <c>/ip</c>, <c>/</c>, and for operators <c>/debug/list_workers</c>, <c>/api/workers</c> and
    /// <c>/api/connect</c>. Routes of the application with the same path come first; those of <c>MapGimlet</c> come after.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException"><c>AddGimletWorkers</c> was not called.</exception>
    public static IEndpointRouteBuilder MapGimletWorkers(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        WorkersHost host = endpoints.ServiceProvider.GetService<WorkersHost>()
            ?? throw new InvalidOperationException("The services of Gimlet's workers are missing: call services.AddGimletWorkers() before app.MapGimletWorkers().");

        RequestDelegate register = endpoints.CreateApplicationBuilder()
            .Use(WorkerEndpoint.PrepareAsync)
            .UseWebSockets()
            .Use((RequestDelegate _) => context => WorkerEndpoint.HandleAsync(context, host))
            .Build();
        Place(endpoints.MapGet(WorkerEndpoint.Path, register), "Gimlet worker");
        Place(endpoints.MapMethods("/", GetAndHead, WorkerApi.HomeAsync), "Gimlet workers");
        Place(endpoints.MapMethods("/ip", GetAndHead, (RequestDelegate)(context => WorkerApi.IpAsync(context, host))), "Gimlet workers: the caller's address");
        Place(endpoints.MapGet("/debug/list_workers", (RequestDelegate)(context => WorkerApi.DebugAsync(context, host))), "Gimlet workers: all");
        Place(endpoints.MapGet("/api/workers", (RequestDelegate)(context => WorkerApi.ListAsync(context, host))), "Gimlet workers: list");
        Place(endpoints.MapPost("/api/connect", (RequestDelegate)(context => WorkerApi.ConnectAsync(context, host))), "Gimlet workers: connect two");
        return endpoints;
    }

    // One before MapGimlet's, whose '/' is for people.
    private static void Place(IEndpointConventionBuilder route, string name) => route.WithDisplayName(name).WithOrder(int.MaxValue - 1);
}
