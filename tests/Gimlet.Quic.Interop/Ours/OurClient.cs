using System.Globalization;
using System.Net;
using System.Net.Security;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>Our side as a client of <c>gimlet-interop</c>, or of HTTP/3, that serves its peer's requests as well.</summary>
internal sealed class OurClient : IAsyncDisposable
{
    private readonly QuicEndpoint _endpoint;
    private readonly OurIdentity _identity;
    private readonly Task _serving;
    private readonly Http3? _http;

    private OurClient(QuicEndpoint endpoint, OurIdentity identity, QuicConnection connection, Http3? http, Task serving)
    {
        _endpoint = endpoint;
        _identity = identity;
        Connection = connection;
        _http = http;
        _serving = serving;
    }

    public QuicConnection Connection { get; }

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
            QuicConnection connection = await dial(configure?.Invoke(options) ?? options);
            if (connection.NegotiatedApplicationProtocol == SslApplicationProtocol.Http3)
            {
                Http3 http = await Http3.OpenAsync(connection, Token);
                return new OurClient(endpoint, identity, connection, http, http.Reading);
            }

            Task serving = serve ? new RequestServer(connection, Token).ServeAsync() : Task.CompletedTask;
            return new OurClient(endpoint, identity, connection, http: null, serving);
        }
        catch
        {
            await endpoint.DisposeAsync();
            identity.Dispose();
            throw;
        }
    }

    /// <summary>Gets so many bytes of the pattern: by GET, or from HTTP/3's file <c>/data</c>.</summary>
    public async Task DownloadAsync(long length)
    {
        if (_http is { } http)
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
        await Connection.CloseAsync(_http is null ? 0 : Http3.NoError, cancellationToken: CancellationToken.None);
        await _endpoint.DisposeAsync();
        await _serving;
        _identity.Dispose();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
