using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Gimlet.Server.Hosting;
using Gimlet.Server.Hosting.Files;
using Gimlet.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gimlet.Server;

/// <summary>
/// A whole Gimlet server in this process: rendezvous over HTTP and HTTPS, and STUN. It reads no configuration but its options and handles no
/// signals; its owner calls <see cref="DisposeAsync"/>, which tells every node why before the ports are closed.
/// </summary>
public sealed class GimletServer : IAsyncDisposable
{
    /// <summary>An HTTP connection without a request is closed after this long; 60 s, half of Kestrel's default: nothing here is asked twice.</summary>
    private static readonly TimeSpan HttpKeepAliveTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A request's headers must be there by then; 10 s, the time of the registration that follows.</summary>
    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A TLS handshake must be over by then; Kestrel's default.</summary>
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Room for health checks and refusals beside the WebSockets.</summary>
    private const int SpareConnections = 256;

    private readonly WebApplication _app;
    private readonly GimletHost _host;
    private int _disposed;

    private GimletServer(WebApplication app, GimletHost host)
    {
        _app = app;
        _host = host;
        HttpUrls = [.. app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(static a => new Uri(a))];
    }

    /// <summary>Where the server listens, with the real ports; <c>http</c> first. An address of all zeros means every address.</summary>
    public IReadOnlyList<Uri> HttpUrls { get; }

    /// <summary>Where STUN listens, main port first; empty without STUN.</summary>
    public IReadOnlyList<TransportAddress> StunEndPoints => _host.StunEndPoints;

    /// <summary>Who may use the server, to be shown to whoever starts it.</summary>
    public string AccessDescription => _host.AccessDescription;

    /// <summary>How many nodes are registered at this moment.</summary>
    public int NodeCount => _host.Core.NodeCount;

    internal GimletHost Host => _host;

    /// <summary>Starts a server; it accepts nodes when the task completes.</summary>
    /// <param name="options">Where it listens and how it behaves.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="ArgumentException">An option does not make sense; the message names it and what would be right.</exception>
    /// <exception cref="ServerStartException">A port is taken or a file cannot be read; the message names it.</exception>
    public static async Task<GimletServer> StartAsync(GimletServerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Task rehearsal = ServerRehearsal.Done;
        CertificateFiles? certificate = options.Https is null ? null : await CertificateFiles.OpenAsync(
            options.CertificateFile!, options.CertificateKeyFile!, options.LoggerFactory.CreateLogger("Gimlet.Server"), cancellationToken).ConfigureAwait(false);

        // Empty, not slim: a library's server must not read appsettings.json and environment variables of whoever starts it.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        _ = builder.Services.AddSingleton(options.LoggerFactory).AddLogging().AddRoutingCore().AddGimlet(options);
        if (options.Workers is { } workers)
        {
            _ = builder.Services.AddGimletWorkers(workers);
        }

        _ = builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        _ = builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        _ = builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Configure(kestrel, options, certificate));
        WebApplication app = builder.Build();
        try
        {
            GimletHost host = app.Services.GetRequiredService<GimletHost>();
            if (certificate is not null)
            {
                host.WatchFiles(certificate.CheckAsync);
            }

            _ = app.UseRouting();
            _ = app.MapGimlet();
            if (options.Workers is not null)
            {
                _ = app.MapGimletWorkers();
            }

            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            await rehearsal.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new GimletServer(app, host);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            string where = string.Join(" and ", new[] { options.Http, options.Https }.OfType<IPEndPoint>());
            throw new ServerStartException(
                $"The server cannot listen on {where}: {e.Message}", "Choose a free port above 1023 and an address of this machine, or stop what uses the port.", e);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Tells every node why, waits a moment for them to go, and stops. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void Configure(KestrelServerOptions kestrel, GimletServerOptions options, CertificateFiles? certificate)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.KeepAliveTimeout = HttpKeepAliveTimeout;
        limits.RequestHeadersTimeout = RequestHeadersTimeout;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;

        // No endpoint takes a body; the one for operators of workers allows itself a small one.
        limits.MaxRequestBodySize = 0;
        limits.MaxConcurrentUpgradedConnections = options.Limits.TotalNodes + options.Limits.TotalUnregistered + RoomFor(options.Workers);
        limits.MaxConcurrentConnections = limits.MaxConcurrentUpgradedConnections + SpareConnections;
        if (options.Http is { } http)
        {
            Listen(kestrel, http, static _ => { });
        }

        if (options.Https is { } https)
        {
            Listen(kestrel, https, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeTimeout,
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate!.Current }),
            }));
        }
    }

    // Workers that are taken over, or about to prove their peer id, have no place of their own for a moment.
    private static long RoomFor(GimletWorkersOptions? workers) => workers is null ? 0 : workers.Limits.Workers + SpareConnections;

    private static void Listen(KestrelServerOptions kestrel, IPEndPoint endPoint, Action<ListenOptions> configure)
    {
        void Each(ListenOptions listen)
        {
            // WebSockets of nodes are HTTP/1.1 upgrades; one connection per node is what limits and timeouts count.
            listen.Protocols = HttpProtocols.Http1;
            configure(listen);
        }

        if (endPoint.Address.Equals(IPAddress.IPv6Any))
        {
            // Both families, and IPv4 alone where the machine has no IPv6.
            kestrel.ListenAnyIP(endPoint.Port, Each);
        }
        else
        {
            kestrel.Listen(endPoint, Each);
        }
    }

    // Signals belong to the program that owns the server.
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
