using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gimlet.Tests.Support;

/// <summary>A metadata service on loopback: an HTTP server of a few lines that answers what a test tells it, byte for byte.</summary>
internal sealed class FakeMetadata : IAsyncDisposable
{
    public const string AwsTokenPath = "/latest/api/token";
    public const string AwsPath = "/latest/meta-data/public-ipv4";
    public const string GooglePath = "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip";
    public const string AzurePath = "/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Lock _gate = new();
    private readonly List<string> _requests = [];

    public FakeMetadata()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>The whole answer to a request line and its headers; null closes the connection without one.</summary>
    public Func<string, Task<string?>> Answer { get; set; } = static _ => Task.FromResult<string?>(Status(404));

    /// <summary>Leaves each connection open after its answer.</summary>
    public bool HoldsConnections { get; init; }

    /// <summary>The requests that came in, each with its headers.</summary>
    public string[] Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    public static string Ok(string body) => $"HTTP/1.1 200 OK\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}";

    public static string Status(int code, string headers = "") => $"HTTP/1.1 {code} X\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n";

    /// <summary>Answers these paths, and 404 to all others.</summary>
    public FakeMetadata With(params (string Path, string Answer)[] answers)
    {
        Answer = request => Task.FromResult<string?>(Array.Find(answers, a => request.Split(' ')[1] == a.Path).Answer ?? Status(404));
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                connections.Add(ServeAsync(client));
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed, before or during the accept.
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var request = new StringBuilder();
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
                {
                    _ = request.Append(line).Append('\n');
                }

                if (request.Length == 0)
                {
                    // The client has changed its mind: another cloud was faster.
                    return;
                }

                lock (_gate)
                {
                    _requests.Add(request.ToString());
                }

                if (await Answer(request.ToString()).WaitAsync(_stop.Token) is { } answer)
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), _stop.Token);
                }

                if (HoldsConnections)
                {
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client went away, or the test is over.
            }
        }
    }
}
