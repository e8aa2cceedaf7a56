using System.Net.Sockets;
using System.Text;

namespace Gimlet.Server.Tests.Support;

/// <summary>The bytes of a WebSocket (RFC 6455), so that a test can send what no library would, and see what libraries answer by themselves.</summary>
internal sealed class RawWebSocket : IAsyncDisposable
{
    private readonly TcpClient _tcp = new();

    public NetworkStream Stream => _tcp.GetStream();

    public static async Task<RawWebSocket> ConnectAsync(Uri url, string path)
    {
        var raw = new RawWebSocket();
        await raw._tcp.ConnectAsync(url.Host, url.Port, TestContext.Current.CancellationToken).AsTask().Within();
        string request = $"GET {path} HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(new byte[16])}\r\n\r\n";
        await raw.SendAsync(Encoding.ASCII.GetBytes(request));
        string head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head += (char)(await raw.ReadAsync(1))[0];
        }

        Assert.StartsWith("HTTP/1.1 101", head, StringComparison.Ordinal);
        return raw;
    }

    /// <summary>A frame with a mask of zeros.</summary>
    /// <param name="first">FIN, reserved bits and opcode.</param>
    /// <param name="payload">At most 125 bytes.</param>
    public static byte[] Frame(byte first, params byte[] payload) => [first, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];

    public async Task SendAsync(byte[] bytes) => await Stream.WriteAsync(bytes, TestContext.Current.CancellationToken).AsTask().Within();

    public async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        await Stream.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken).AsTask().Within();
        return bytes;
    }

    /// <summary>All that comes until the other side ends the connection.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        try
        {
            await Stream.CopyToAsync(all, TestContext.Current.CancellationToken).Within();
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }

        return all.ToArray();
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }
}
