using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Gimlet.Quic.Pipes;

/// <summary>
/// Collects what the pipe's user writes in pooled memory, and hands it to the stream with <see cref="FlushAsync"/>: one copy, into the buffer
/// that bytes stay in until they are acknowledged, as with a write to the stream. The framework's own (<see cref="PipeWriter.Create(Stream,
/// StreamPipeWriterOptions)"/>) would write a piece twice that was handed over in part when a flush was cancelled.
/// </summary>
internal sealed class QuicPipeWriter(QuicStream stream) : PipeWriter
{
    // A segment of the stream's own buffer: smaller pieces cost more calls, larger ones memory per stream.
    private const int BlockSize = 16 * 1024;

    private readonly Queue<Block> _full = new();
    private byte[]? _block;
    private int _used;
    private int _flushed;
    private long _unflushed;
    private bool _isCompleted;
    private bool _isCancelPending;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _unflushed;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        CheckNotCompleted();
        if (_block is not null && _block.Length - _used < Math.Max(sizeHint, 1))
        {
            _full.Enqueue(new Block(_block, _used));
            _block = null;
        }

        if (_block is null)
        {
            _block = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, BlockSize));
            _used = 0;
        }

        return _block.AsMemory(_used);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (_block?.Length ?? 0) - _used);
        _used += bytes;
        _unflushed += bytes;
    }

    /// <summary>Ends a flush that waits, or the next one: its result says that it was cancelled, and the bytes stay for the flush after it.</summary>
    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _isCancelPending, true);
        stream.WakeWriter();
    }

    /// <summary>Hands over what was written. Where that is cancelled, nothing is lost and nothing sent twice: the next flush goes on.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        CheckNotCompleted();
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<FlushResult>(cancellationToken) : HandOverAsync(cancellationToken);
    }

    /// <summary>
    /// Ends writing: what was not flushed is written, blocking where the buffer is full, and the peer reads to the end. With an exception, the
    /// peer is told that it is not the whole.
    /// </summary>
    /// <param name="exception">Why there is no more.</param>
    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        try
        {
            while (exception is null && TryPeekBlock(out ReadOnlyMemory<byte> rest))
            {
                stream.Write(rest.Span);
                OnHandedOver(rest.Length);
            }
        }
        finally
        {
            End(exception is null);
        }
    }

    /// <inheritdoc cref="Complete"/>
    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        try
        {
            while (exception is null && TryPeekBlock(out ReadOnlyMemory<byte> rest))
            {
                await stream.WriteAsync(rest).ConfigureAwait(false);
                OnHandedOver(rest.Length);
            }
        }
        finally
        {
            End(exception is null);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> HandOverAsync(CancellationToken cancellationToken)
    {
        while (TryPeekBlock(out ReadOnlyMemory<byte> rest))
        {
            if (Interlocked.Exchange(ref _isCancelPending, false))
            {
                return new FlushResult(isCanceled: true, isCompleted: false);
            }

            long before = stream.BytesWritten;
            try
            {
                _ = await stream.WriteForPipeAsync(rest, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                OnHandedOver((int)(stream.BytesWritten - before));
            }
        }

        return default;
    }

    private bool TryPeekBlock(out ReadOnlyMemory<byte> rest)
    {
        rest = _full.TryPeek(out Block block) ? block.Bytes.AsMemory(_flushed, block.Used - _flushed) : _block.AsMemory(_flushed, _used - _flushed);
        return !rest.IsEmpty || _full.Count > 0;
    }

    private void OnHandedOver(int count)
    {
        _flushed += count;
        _unflushed -= count;
        if (_full.TryPeek(out Block block))
        {
            if (_flushed == block.Used)
            {
                ArrayPool<byte>.Shared.Return(_full.Dequeue().Bytes);
                _flushed = 0;
            }
        }
        else if (_flushed == _used)
        {
            _flushed = 0;
            _used = 0;
        }
    }

    private void End(bool isWhole)
    {
        while (_full.TryDequeue(out Block block))
        {
            ArrayPool<byte>.Shared.Return(block.Bytes);
        }

        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }

        _unflushed = 0;
        stream.EndWritesOfPipe(isWhole);
    }

    private void CheckNotCompleted()
    {
        if (_isCompleted)
        {
            throw new InvalidOperationException("Writing is completed.");
        }
    }

    private readonly record struct Block(byte[] Bytes, int Used);
}
