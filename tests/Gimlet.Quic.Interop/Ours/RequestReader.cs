using System.Security.Cryptography;
using System.Text;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>A stream's bytes as <c>gimlet-interop</c> has them: a line, and what follows.</summary>
internal sealed class RequestReader(QuicStream stream)
{
    private const int MaxLine = 64;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>A line without its end.</summary>
    public async ValueTask<string> LineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder(MaxLine);
        while (line.Length <= MaxLine)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                throw new InvalidDataException($"The stream ended within the line '{line}'.");
            }

            byte next = _buffer[_start++];
            if (next == '\n')
            {
                return line.ToString();
            }

            _ = line.Append((char)next);
        }

        throw new InvalidDataException($"The line '{line}' has no end.");
    }

    /// <summary>The next bytes, in a buffer that the next call uses again; nothing at the stream's end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> NextAsync(CancellationToken cancellationToken)
    {
        if (_start == _end && !await FillAsync(cancellationToken))
        {
            return default;
        }

        ReadOnlyMemory<byte> bytes = _buffer.AsMemory(_start, _end - _start);
        _start = _end;
        return bytes;
    }

    /// <summary>The digest of all bytes to the stream's end, and their number.</summary>
    public async Task<(long Count, string Sha256)> DigestAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        while (await NextAsync(cancellationToken) is { IsEmpty: false } bytes)
        {
            hash.AppendData(bytes.Span);
            count += bytes.Length;
        }

        return (count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Reads so many bytes of the pattern and the stream's end.</summary>
    public async Task ExpectPatternAsync(long count, CancellationToken cancellationToken) =>
        Assert.Equal((count, InteropPattern.Sha256(count)), await DigestAsync(cancellationToken));

    /// <summary>Reads this line and the stream's end.</summary>
    public async Task ExpectLineAsync(string expected, CancellationToken cancellationToken)
    {
        Assert.Equal(expected, await LineAsync(cancellationToken));
        Assert.True((await NextAsync(cancellationToken)).IsEmpty, "there is more behind the line");
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer, cancellationToken);
        return _end > 0;
    }
}

/// <summary>What is written to such streams.</summary>
internal static class RequestWriting
{
    private const int ChunkLength = 64 * 1024;

    public static ValueTask WriteLineAsync(this QuicStream stream, string line, bool isEnd, CancellationToken cancellationToken) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes($"{line}\n"), completeWrites: isEnd, cancellationToken);

    /// <summary>Sends ECHO and so many bytes of the pattern, which must come back; gives the digest of what came.</summary>
    public static async Task<string> CallEchoAsync(this QuicStream stream, long count, CancellationToken cancellationToken)
    {
        await stream.WriteLineAsync("ECHO", isEnd: false, cancellationToken);
        Task sending = stream.WritePatternAsync(count, cancellationToken);
        (long came, string sha256) = await new RequestReader(stream).DigestAsync(cancellationToken);
        await sending;
        Assert.Equal(count, came);
        return sha256;
    }

    /// <summary>So many bytes of the pattern, and the stream's end.</summary>
    public static async Task WritePatternAsync(this QuicStream stream, long count, CancellationToken cancellationToken)
    {
        byte[] chunk = new byte[ChunkLength];
        long sent = 0;
        do
        {
            Memory<byte> part = chunk.AsMemory(0, (int)Math.Min(ChunkLength, count - sent));
            InteropPattern.Fill(part.Span, (ulong)sent);
            sent += part.Length;
            await stream.WriteAsync(part, completeWrites: sent == count, cancellationToken);
        }
        while (sent < count);
    }
}
