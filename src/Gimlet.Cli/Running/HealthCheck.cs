using System.Net.Sockets;
using Gimlet.Cli.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gimlet.Cli.Running;

/// <summary>What a container platform asks to know whether a worker is there: every GET and HEAD is answered, whatever its path.</summary>
internal sealed class HealthCheck : IAsyncDisposable
{
    /// <summary>The answer.</summary>
    public const string Body = "Worker active - health check OK";

    // A platform asks with one connection, or a few; strangers who hold more are left standing.
    private const int MaxConnections = 64;

    // The worker has to be gone within two seconds.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromMilliseconds(500);

    private readonly WebApplication _app;

    private HealthCheck(WebApplication app)
    {
        _app = app;
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()).Port;
    }

    /// <summary>Where it listens, on every address.</summary>
    public int Port { get; }

    /// <summary>Starts to answer.</summary>
    /// <param name="port">On which port; 0 for any.</param>
    /// <param name="log">Where log lines go.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: the port is in use.</exception>
    public static async Task<HealthCheck> StartAsync(int port, ILoggerFactory log, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddSingleton(log).AddLogging().AddSingleton<IHostLifetime, OwnersLifetime>();
        _ = builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        _ = builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(AddressText.EveryAddress(port), static listen => listen.Protocols = HttpProtocols.Http1);
        });
        WebApplication app = builder.Build();
        app.Run(AnswerAsync);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            return new HealthCheck(app);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new GimletException(
                GimletErrorKind.LocalFault, $"The health check cannot listen on port {port}: {e.Message}", "Set PORT (--health-port) to a free port, or --health-port off.", e);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static Task AnswerAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return Task.CompletedTask;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = Body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(Body, context.RequestAborted);
    }

    // Signals belong to the command.
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
