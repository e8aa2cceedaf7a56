using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gimlet.Cli.Tests.Support;

/// <summary>A metadata service on loopback that knows one address, at AWS's path and without tokens.</summary>
internal sealed class FakeMetadata : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _address;
    private readonly Task _serving;

    public FakeMetadata(string address)
    {
        _address = address;
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(CancellationToken.None);
                using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
                string request = await reader.ReadLineAsync(CancellationToken.None) ?? string.Empty;
                string answer = request.StartsWith("GET /latest/meta-data/public-ipv4 ", StringComparison.Ordinal)
                    ? $"HTTP/1.1 200 OK\r\nContent-Length: {_address.Length}\r\nConnection: close\r\n\r\n{_address}"
                    : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), CancellationToken.None);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped, before or during the accept.
                return;
            }
            catch (IOException)
            {
                // A client that gave up.
            }
        }
    }
}
