using Gimlet.Quic.Connections;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Tls;

namespace Gimlet.Quic.Hosting;

/// <summary>What an endpoint serves with: made once, the same for all connections.</summary>
internal sealed class ServerHost
{
    public ServerHost(QuicServerOptions options, EndpointHost endpoint)
    {
        Options = options;
        Settings = options.ToSettings(endpoint);
        Tls = options.ToTls(endpoint.KeyLog);
        Queue = new AcceptQueue(options.AcceptBacklog);
        Limits = new ServerLimits(options.MaxConnections, options.MaxHalfOpen, options.Retry.Threshold, () => Queue.IsFull);
    }

    public QuicServerOptions Options { get; }

    public ConnectionSettings Settings { get; }

    public TlsServerOptions Tls { get; }

    public AcceptQueue Queue { get; }

    public ServerLimits Limits { get; }
}
