using System.Globalization;
using System.Net;
using System.Net.Security;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>Our side as a client of <c>gimlet-interop</c>, or of HTTP/3, that serves its peer's requests as well.</summary>
internal sealed class OurClient : IAsyncDisposable
{
    private readonly QuicEndpoint _endpoint;
    private readonly OurIdentity _identity;
    private readonly QuicClientOptions _options;
    private readonly bool _serve;
    private Task _serving = Task.CompletedTask;

    private OurClient(QuicEndpoint endpoint, OurIdentity identity, QuicClientOptions options, QuicConnection connection, bool serve)
    {
        _endpoint = endpoint;
        _identity = identity;
        _options = options;
        _serve = serve;
        Connection = connection;
    }

    public QuicConnection Connection { get; private set; }

    /// <summary>HTTP/3, where that is what is spoken.</summary>
    public Http3? Http { get; private set; }

    /// <summary>What the server sees of it.</summary>
    public string CertificateSha256 => _identity.Sha256;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Connects with a socket of its own.</summary>
    /// <param name="server">Whom to.</param>
    /// <param name="protocol">Which of the two protocols.</param>
    /// <param name="configure">Changes the defaults: any server is accepted, and shown who this is.</param>
    /// <param name="options">The endpoint's own options.</param>
    /// <param name="serve">Whether the peer's streams are answered and its datagrams echoed.</param>
    public static async Task<OurClient> ConnectAsync(
        IPEndPoint server,
        SslApplicationProtocol protocol,
        Func<QuicClientOptions, QuicClientOptions>? configure = null,
        QuicEndpointOptions? options = null,
        bool serve = true)
    {
        QuicEndpoint endpoint = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0), options ?? Protocols.Endpoint);
        return await ConnectAsync(endpoint, o => endpoint.ConnectAsync(server, o, Token), protocol, configure, serve);
    }

    /// <summary>Connects on an endpoint that gets its own with this, from wherever it has its datagrams.</summary>
    public static async Task<OurClient> ConnectAsync(
        QuicEndpoint endpoint,
        Func<QuicClientOptions, ValueTask<QuicConnection>> dial,
        SslApplicationProtocol protocol,
        Func<QuicClientOptions, QuicClientOptions>? configure = null,
        bool serve = true)
    {
        var identity = new OurIdentity();
        try
        {
            var options = new QuicClientOptions
            {
                ApplicationProtocols = [protocol],
                Certificate = identity.Certificate,
                DecideCertificate = QuicTrust.DangerousAcceptAnyPeer,
                TargetHost = "localhost",
            };
            options = configure?.Invoke(options) ?? options;
            var client = new OurClient(endpoint, identity, options, await dial(options), serve);
            await client.BeginAsync();
            return client;
        }
        catch
        {
            await endpoint.DisposeAsync();
            identity.Dispose();
            throw;
        }
    }

    /// <summary>Ends the connection and makes another, with what the endpoint has learnt of the server.</summary>
    public async Task ReconnectAsync(IPEndPoint server)
    {
        await CloseAsync();
        Connection = await _endpoint.ConnectAsync(server, _options, Token);
        await BeginAsync();
    }

    /// <summary>Gets so many bytes of the pattern: by GET, or from HTTP/3's file <c>/data</c>.</summary>
    public async Task DownloadAsync(long length)
    {
        if (Http is { } http)
        {
            await http.GetAsync("/data", length);
            return;
        }

        await using QuicStream stream = await RequestAsync(Text($"GET {length}"), isEnd: true);
        await new RequestReader(stream).ExpectPatternAsync(length, Token);
    }

    /// <summary>Sends so many bytes of the pattern; the server answers with their digest.</summary>
    public async Task UploadAsync(long length)
    {
        await using QuicStream stream = await RequestAsync(Text($"PUT {length}"), isEnd: false);
        await stream.WritePatternAsync(length, Token);
        await new RequestReader(stream).ExpectLineAsync(Peers.InteropPattern.Sha256(length), Token);
    }

    /// <summary>Sends so many bytes of the pattern, which must come back.</summary>
    public async Task EchoAsync(long length)
    {
        await using QuicStream stream = await Connection.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        Assert.Equal(Peers.InteropPattern.Sha256(length), await stream.CallEchoAsync(length, Token));
    }

    /// <summary>Opens a stream and sends a request line.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <param name="isEnd">Whether nothing follows.</param>
    /// <param name="type">Where the answer comes: on the stream, or on another one.</param>
    public async Task<QuicStream> RequestAsync(string line, bool isEnd, QuicStreamType type = QuicStreamType.Bidirectional)
    {
        QuicStream stream = await Connection.OpenStreamAsync(type, Token);
        await stream.WriteLineAsync(line, isEnd, Token);
        return stream;
    }

    /// <summary>How the connection ended, when it has.</summary>
    public Task<QuicException> Closed => Connection.Closed.WaitAsync(Token);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await _endpoint.DisposeAsync();
        _identity.Dispose();
    }

    private async Task BeginAsync()
    {
        if (Connection.NegotiatedApplicationProtocol == SslApplicationProtocol.Http3)
        {
            Http = await Http3.OpenAsync(Connection, Token);
            _serving = Http.Reading;
        }
        else if (_serve)
        {
            _serving = new RequestServer(Connection, Token).ServeAsync();
        }
    }

    private async Task CloseAsync()
    {
        await Connection.CloseAsync(Http is null ? 0 : Http3.NoError, cancellationToken: CancellationToken.None);
        await _serving;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
