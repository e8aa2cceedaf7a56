using Gimlet.Quic.Hosting;

namespace Gimlet.Quic;

/// <content>Writing.</content>
public sealed partial class QuicStream
{
    private ReadOnlyMemory<byte> _writeRest;
    private bool _endAfterWrite;

    // By this side; the state may be finished by the peer as well.
    private bool _isCompleted;

    /// <summary>Hands bytes over; waits while the buffer is full.</summary>
    /// <param name="buffer">The bytes; may be used again when the task is complete.</param>
    /// <param name="cancellationToken">Ends the wait; the stream goes on. <see cref="BytesWritten"/> tells how many of the bytes were taken.</param>
    /// <exception cref="QuicException">The peer does not want them, this side aborted, or the connection has ended.</exception>
    /// <exception cref="InvalidOperationException">
    /// Another write waits, the writes were completed, or the stream has no direction to write in.
    /// </exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        WriteAsync(buffer, completeWrites: false, cancellationToken);

    /// <summary>
    /// As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, and ends the stream behind the bytes, in the same packet where they
    /// fit.
    /// </summary>
    /// <param name="buffer">The bytes; may be used again when the task is complete.</param>
    /// <param name="completeWrites">Whether these are the last bytes. A write that is cancelled does not end the stream.</param>
    /// <param name="cancellationToken">Ends the wait; the stream goes on. <see cref="BytesWritten"/> tells how many of the bytes were taken.</param>
    /// <exception cref="QuicException">The peer does not want them, this side aborted, or the connection has ended.</exception>
    /// <exception cref="InvalidOperationException">
    /// Another write waits, the writes were completed, or the stream has no direction to write in.
    /// </exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, bool completeWrites, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        lock (_host.Gate)
        {
            return CheckCanWrite() is { } failure ? ValueTask.FromException(failure)
                : TryWriteNow(buffer, completeWrites, cancellationToken, out PendingOperation<int> wait) ? ValueTask.CompletedTask
                : wait.AsPlainTask();
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <summary>
    /// As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, blocking the thread; whoever has many streams does not want that.
    /// </summary>
    /// <param name="buffer">The bytes.</param>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (true)
        {
            lock (_host.Gate)
            {
                if (CheckCanWrite() is { } failure)
                {
                    throw failure;
                }

                buffer = buffer[Take(buffer)..];
                if (buffer.IsEmpty)
                {
                    _host.Drain();
                    return;
                }

                _writeRest = default;
                _endAfterWrite = false;
                _write.PrepareToBlock();
                _write.Begin(CancellationToken.None);
                _host.Drain();
            }

            _ = _write.Block();
        }
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <summary>Nothing to do: what was written is under way already.</summary>
    public override void Flush()
    {
    }

    /// <summary>Nothing to do: what was written is under way already.</summary>
    /// <param name="cancellationToken">Looked at once.</param>
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// Ends what this side writes: the peer reads to the end, and may go on writing (half-close). <see cref="WritesClosed"/> tells when it has
    /// everything. Harmless when it is ended or aborted.
    /// </summary>
    /// <exception cref="InvalidOperationException">A write waits, or the stream has no direction to write in.</exception>
    public void CompleteWrites()
    {
        lock (_host.Gate)
        {
            if (!_state.CanWrite)
            {
                throw new InvalidOperationException($"Stream {Id} has no direction to write in.");
            }

            if (_write.IsWaiting)
            {
                throw new InvalidOperationException($"A write of stream {Id} waits; its end would come in front of it.");
            }

            FinishWrites();
            _host.Drain();
        }
    }

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, and can be woken before all was handed over.</summary>
    internal ValueTask<int> WriteForPipeAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_host.Gate)
        {
            return CheckCanWrite() is { } failure ? ValueTask.FromException<int>(failure)
                : TryWriteNow(buffer, completeWrites: false, cancellationToken, out PendingOperation<int> wait) ? ValueTask.FromResult(0)
                : wait.AsTask();
        }
    }

    internal void WakeWriter()
    {
        lock (_host.Gate)
        {
            if (_write.IsWaiting)
            {
                _writeRest = default;
                _write.Complete(0);
            }
        }
    }

    // True when all of it was handed over; otherwise the wait has begun.
    private bool TryWriteNow(
        ReadOnlyMemory<byte> buffer, bool completeWrites, CancellationToken cancellationToken, out PendingOperation<int> wait)
    {
        wait = _write;
        int taken = Take(buffer.Span);
        bool isWhole = taken == buffer.Length;
        if (!isWhole)
        {
            // Before the drain, which may make room.
            _writeRest = buffer[taken..];
            _endAfterWrite = completeWrites;
            _write.Begin(cancellationToken);
        }
        else if (completeWrites)
        {
            FinishWrites();
        }

        _host.Drain();
        return isWhole;
    }

    private Exception? CheckCanWrite()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_state.CanWrite)
        {
            throw new InvalidOperationException($"Stream {Id} has no direction to write in.");
        }

        if (_write.IsBusy)
        {
            throw new InvalidOperationException($"Another write of stream {Id} waits; one at a time.");
        }

        if (_state.IsFinished && !_isCompleted && _writes.Failure is null)
        {
            // The peer ended it, or the connection, with a datagram of a batch that is not told of yet.
            _host.Drain();
        }

        if (_writes.Failure is { } failure)
        {
            return failure();
        }

        return !_isCompleted ? null : throw new InvalidOperationException($"Writing to stream {Id} was completed already.");
    }

    private void FinishWrites()
    {
        _isCompleted = true;
        _state.Finish();
    }

    private int Take(ReadOnlySpan<byte> bytes)
    {
        int taken = _state.Write(bytes);
        BytesWritten += taken;
        if (taken > 0)
        {
            _connection.OnBytes(Id);
        }

        return taken;
    }

    private void ContinueWrite()
    {
        if (!_write.IsWaiting || _state.IsFinished)
        {
            return;
        }

        _writeRest = _writeRest[Take(_writeRest.Span)..];
        if (_writeRest.IsEmpty)
        {
            if (_endAfterWrite)
            {
                FinishWrites();
            }

            _write.Complete(0);
        }
    }

    private void EndWrites(Func<Exception>? failure)
    {
        _writes.End(failure);
        if (failure is not null)
        {
            FailWrite(failure);
        }
    }

    private void FailWrite(Func<Exception> failure)
    {
        if (_write.IsWaiting)
        {
            _writeRest = default;
            _write.Fail(failure());
        }
    }

    private void AbortWrites(long errorCode, Func<Exception> failure)
    {
        if (_state.CanWrite && !_writes.IsOver)
        {
            _state.Reset(errorCode);
            EndWrites(failure);
        }
    }
}
