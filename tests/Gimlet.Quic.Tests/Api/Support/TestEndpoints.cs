using System.Net;
using System.Net.Security;
using System.Security.Cryptography;

namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>A client's and a server's endpoint on loopback, and connections between them.</summary>
internal sealed class TestEndpoints : IAsyncDisposable
{
    public static readonly SslApplicationProtocol Protocol = new("gimlet-test");

    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly QuicCertificate Certificate = QuicCertificate.FromKey(Key);

    private TestEndpoints(QuicEndpoint client, QuicEndpoint server, QuicListener listener)
    {
        Client = client;
        Server = server;
        Listener = listener;
    }

    public static QuicClientOptions ClientOptions { get; } = new()
    {
        ApplicationProtocols = [Protocol],
        Certificate = Certificate,
        DecideCertificate = QuicTrust.PublicKey(Certificate.SubjectPublicKeyInfo),
    };

    public static QuicServerOptions ServerOptions { get; } = new()
    {
        ApplicationProtocols = [Protocol],
        Certificate = Certificate,
        DecideCertificate = QuicTrust.PublicKey(Certificate.SubjectPublicKeyInfo),
    };

    public QuicEndpoint Client { get; }

    public QuicEndpoint Server { get; }

    public QuicListener Listener { get; }

    public static TestEndpoints Create(QuicServerOptions? server = null, QuicEndpointOptions? options = null)
    {
        options ??= new QuicEndpointOptions { ShutdownLinger = TimeSpan.Zero };
        QuicEndpoint serverEndpoint = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0), options);
        QuicEndpoint clientEndpoint = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0), options);
        return new TestEndpoints(clientEndpoint, serverEndpoint, serverEndpoint.Listen(server ?? ServerOptions));
    }

    public ValueTask<QuicConnection> DialAsync(QuicClientOptions? options = null) =>
        Client.ConnectAsync(Server.LocalEndPoint!, options ?? ClientOptions, TestContext.Current.CancellationToken);

    public async Task<(QuicConnection Client, QuicConnection Server)> ConnectAsync(QuicClientOptions? options = null)
    {
        QuicConnection client = await DialAsync(options);
        return (client, await Listener.AcceptConnectionAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
