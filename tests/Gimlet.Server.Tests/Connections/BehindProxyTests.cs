using System.Net;
using System.Net.Sockets;
using System.Text;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Nodes reach their server by the proxy that their process is told of (HTTP_PROXY, ALL_PROXY, or the system's): HTTP CONNECT and SOCKS version 5.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class BehindProxyTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task A_node_registers_and_relays_through_the_proxy(string scheme)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using var proxy = new TunnelProxy(scheme == "socks5");
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyFor(new Uri($"{scheme}://127.0.0.1:{proxy.Port}"), server.HttpUrls[0].Port, before);
        try
        {
            await using GimletNode a = await StartAsync(server);
            await using GimletNode b = await StartAsync(server);
            (GimletConnection ofA, _) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.RelayOnly });
            Assert.Equal(PathKind.Relay, (await ofA.PingAsync(Cancelled).Within()).Path.Kind);
            Assert.Equal(2, proxy.Tunnels);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    /// <summary>A proxy for one port: tests that run beside this one go their own way.</summary>
    private sealed class ProxyFor(Uri proxy, int port, IWebProxy others) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => destination.Port == port ? proxy : others.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.Port != port && others.IsBypassed(host);
    }

    /// <summary>The least of a proxy: opens a tunnel for whoever asks and counts them.</summary>
    private sealed class TunnelProxy : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly bool _socks;
        private readonly Task _loop;
        private int _tunnels;

        public TunnelProxy(bool socks)
        {
            _socks = socks;
            _listener.Start();
            _loop = Task.Run(AcceptAsync);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Tunnels => Volatile.Read(ref _tunnels);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Dispose();
            await _loop;
            _stop.Dispose();
        }

        private static async Task<byte[]> ReadAsync(NetworkStream stream, int count, CancellationToken cancellationToken)
        {
            byte[] bytes = new byte[count];
            await stream.ReadExactlyAsync(bytes, cancellationToken);
            return bytes;
        }

        // RFC 9110 section 9.3.6
        private static async Task<(string Host, int Port)> ReadConnectAsync(NetworkStream stream, CancellationToken cancellationToken)
        {
            var text = new StringBuilder();
            while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                _ = text.Append((char)(await ReadAsync(stream, 1, cancellationToken))[0]);
            }

            string[] words = text.ToString().Split(' ');
            Assert.Equal("CONNECT", words[0]);
            int colon = words[1].LastIndexOf(':');
            await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), cancellationToken);
            return (words[1][..colon], int.Parse(words[1][(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        }

        // RFC 1928 sections 3, 4 and 6
        private static async Task<(string Host, int Port)> ReadSocksAsync(NetworkStream stream, CancellationToken cancellationToken)
        {
            byte[] greeting = await ReadAsync(stream, 2, cancellationToken);
            Assert.Equal(5, greeting[0]);
            _ = await ReadAsync(stream, greeting[1], cancellationToken);
            await stream.WriteAsync(new byte[] { 5, 0 }, cancellationToken);
            byte[] request = await ReadAsync(stream, 4, cancellationToken);
            Assert.Equal(1, request[1]);
            string host = request[3] switch
            {
                1 => new IPAddress(await ReadAsync(stream, 4, cancellationToken)).ToString(),
                3 => Encoding.ASCII.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1, cancellationToken))[0], cancellationToken)),
                _ => new IPAddress(await ReadAsync(stream, 16, cancellationToken)).ToString(),
            };
            byte[] port = await ReadAsync(stream, 2, cancellationToken);
            await stream.WriteAsync(new byte[] { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 }, cancellationToken);
            return (host, (port[0] << 8) | port[1]);
        }

        private async Task AcceptAsync()
        {
            var tunnels = new List<Task>();
            try
            {
                while (true)
                {
                    TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                    tunnels.Add(Task.Run(() => TunnelAsync(client)));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The test is over.
            }

            await Task.WhenAll(tunnels);
        }

        private async Task TunnelAsync(TcpClient client)
        {
            using TcpClient near = client;
            using var far = new TcpClient();
            try
            {
                NetworkStream stream = near.GetStream();
                (string host, int port) = _socks ? await ReadSocksAsync(stream, _stop.Token) : await ReadConnectAsync(stream, _stop.Token);
                await far.ConnectAsync(host, port, _stop.Token);
                _ = Interlocked.Increment(ref _tunnels);
                _ = await Task.WhenAny(stream.CopyToAsync(far.GetStream(), _stop.Token), far.GetStream().CopyToAsync(stream, _stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // One end is gone.
            }
        }
    }
}
