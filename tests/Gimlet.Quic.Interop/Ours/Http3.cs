using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>
/// As little of HTTP/3 (RFC 9114) as ngtcp2's programs need to give a file or to take one: no dynamic table, no Huffman code, no header is read.
/// tests/peers/README.md has the bytes.
/// </summary>
internal sealed class Http3
{
    /// <summary>H3_NO_ERROR (RFC 9114 section 8.1).</summary>
    public const long NoError = 0x100;

    // Control stream (type 0), SETTINGS (frame type 4) of length 0.
    private static readonly byte[] Control = [0x00, 0x04, 0x00];

    // HEADERS of three bytes: no dynamic table, static entry 25, ":status: 200".
    private static readonly byte[] Ok = [0x01, 0x03, 0x00, 0x00, 0xd9];

    private readonly QuicConnection _connection;
    private readonly CancellationToken _cancellationToken;

    private Http3(QuicConnection connection, CancellationToken cancellationToken)
    {
        _connection = connection;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Handles every request until the connection ends.</summary>
    /// <param name="connection">Whose.</param>
    /// <param name="handle">Gets a request's stream, of which nothing was read.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    public static async Task ServeAsync(QuicConnection connection, Http3Handler handle, CancellationToken cancellationToken)
    {
        var http = new Http3(connection, cancellationToken);
        try
        {
            await http.OpenControlAsync();
        }
        catch (QuicException)
        {
            // Whoever came is gone already.
            return;
        }

        await http.AcceptAsync(handle);
    }

    /// <summary>Answers with so many bytes of the pattern.</summary>
    public static Http3Handler File(long length) => async (_, stream, cancellationToken) =>
    {
        await stream.CopyToAsync(Stream.Null, cancellationToken);
        byte[] head = new byte[Ok.Length + 1 + sizeof(long)];
        Ok.CopyTo(head, 0);

        // DATA, its length as an integer of eight bytes (RFC 9000 section 16).
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(Ok.Length + 1), length | (3L << 62));
        await stream.WriteAsync(head, cancellationToken);
        await stream.WritePatternAsync(length, cancellationToken);
        await stream.DisposeAsync();
    };

    /// <summary>Makes a connection one that requests can be sent on; what the server opens is read and thrown away.</summary>
    public static async Task<Http3> OpenAsync(QuicConnection connection, CancellationToken cancellationToken)
    {
        var http = new Http3(connection, cancellationToken);
        await http.OpenControlAsync();
        http.Reading = http.AcceptAsync(handle: null);
        return http;
    }

    /// <summary>What reads the server's streams; ends with the connection.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>Downloads a file, which must be so many bytes of the pattern.</summary>
    public async Task GetAsync(string path, long length)
    {
        await using QuicStream stream = await RequestAsync(path, isEnd: true);
        using var body = new MemoryStream();
        await stream.CopyToAsync(body, _cancellationToken);
        ReadOnlyMemory<byte> data = DataOf(body.GetBuffer().AsMemory(0, (int)body.Length));
        Assert.Equal(length, data.Length);
        Assert.Equal(InteropPattern.Sha256(length), Convert.ToHexStringLower(SHA256.HashData(data.Span)));
    }

    /// <summary>Sends a request.</summary>
    /// <param name="path">Of what.</param>
    /// <param name="isEnd">Whether its stream ends with it; otherwise there might be a body.</param>
    public async Task<QuicStream> RequestAsync(string path, bool isEnd)
    {
        QuicStream stream = await _connection.OpenStreamAsync(QuicStreamType.Bidirectional, _cancellationToken);
        await stream.WriteAsync(Request(path), completeWrites: isEnd, _cancellationToken);
        return stream;
    }

    /// <summary>Breaks HTTP/3's rules: RFC 9114 section 6.2.1 permits one control stream.</summary>
    public Task OpenSecondControlAsync() => OpenControlAsync();

    private async Task OpenControlAsync()
    {
        // Never ended: RFC 9114 section 6.2.1 calls a closed control stream an error.
        QuicStream control = await _connection.OpenStreamAsync(QuicStreamType.Unidirectional, _cancellationToken);
        await control.WriteAsync(Control, _cancellationToken);
    }

    private async Task AcceptAsync(Http3Handler? handle)
    {
        var streams = new List<Task>();
        try
        {
            while (true)
            {
                QuicStream stream = await _connection.AcceptStreamAsync(_cancellationToken);
                streams.Add(HandleAsync(stream, handle));
            }
        }
        catch (QuicException)
        {
            // The connection has ended.
        }

        await Task.WhenAll(streams);
    }

    private async Task HandleAsync(QuicStream stream, Http3Handler? handle)
    {
        try
        {
            if (stream.CanWrite && handle is not null)
            {
                await handle(_connection, stream, _cancellationToken);
            }
            else
            {
                await stream.CopyToAsync(Stream.Null, _cancellationToken);
            }
        }
        catch (QuicException)
        {
            // The peer gave the stream or the connection up.
        }
    }

    private static byte[] Request(string path)
    {
        byte[] authority = "localhost"u8.ToArray();
        byte[] target = Encoding.ASCII.GetBytes(path);
        byte[] fields = [0x00, 0x00, 0xd1, 0xd7, 0x50, (byte)authority.Length, .. authority, 0x51, (byte)target.Length, .. target];
        return [0x01, (byte)fields.Length, .. fields];
    }

    // The payloads of the DATA frames, one behind the other.
    private static Memory<byte> DataOf(Memory<byte> frames)
    {
        Memory<byte> data = frames[..0];
        Memory<byte> all = frames;
        int taken = 0;
        while (!frames.IsEmpty)
        {
            long type = Integer(ref frames);
            int length = (int)Integer(ref frames);
            if (type == 0)
            {
                frames[..length].CopyTo(all[taken..]);
                taken += length;
                data = all[..taken];
            }

            frames = frames[length..];
        }

        return data;
    }

    private static long Integer(ref Memory<byte> bytes)
    {
        Span<byte> span = bytes.Span;
        int length = 1 << (span[0] >> 6);
        long value = span[0] & 0x3f;
        for (int i = 1; i < length; i++)
        {
            value = (value << 8) | span[i];
        }

        bytes = bytes[length..];
        return value;
    }
}

/// <summary>What becomes of a request: gets its stream before anything was read of it.</summary>
internal delegate Task Http3Handler(QuicConnection connection, QuicStream stream, CancellationToken cancellationToken);
