namespace Gimlet.Server.Workers.Hosting;

/// <summary>
/// The byte stream under a worker's WebSocket. The framework's WebSocket answers pings and swallows pongs by itself, and sends pings only by a timer per connection;
/// so the sweep's pings are written here, between its frames, and here it is seen that anything came back.
/// </summary>
internal sealed class PingStream(Stream inner) : Stream
{
    // RFC 6455 section 5.2: FIN and opcode 9, no mask, no payload.
    private static readonly ReadOnlyMemory<byte> PingFrame = new byte[] { 0x89, 0x00 };

    // The WebSocket writes a frame with one call, so between two calls there is room for a whole frame.
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Called whenever something came.</summary>
    public Action? Heard { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends a ping, unless something is being sent: then the other side has something to answer, or takes nothing.</summary>
    public void TryPing()
    {
        if (_gate.Wait(0, CancellationToken.None))
        {
            _ = PingAsync();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Who reads again has got something before; noticed here, an idle read needs no state of its own.
        Heard?.Invoke();
        return inner.ReadAsync(buffer, cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _ = _gate.Release();
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("WebSockets read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("WebSockets write asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // The semaphore stays: it owns nothing, and a frame may be on its way.
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task PingAsync()
    {
        try
        {
            await inner.WriteAsync(PingFrame, CancellationToken.None).ConfigureAwait(false);
            await inner.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (Server.Hosting.WebSockets.WebSocketFault.IsGone(e))
        {
            // The read that is under way sees the same end and reports it.
        }
        finally
        {
            _ = _gate.Release();
        }
    }
}
