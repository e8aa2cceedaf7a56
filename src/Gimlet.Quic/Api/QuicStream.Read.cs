using Gimlet.Quic.Streams.States;

namespace Gimlet.Quic;

/// <content>Reading.</content>
public sealed partial class QuicStream
{
    private Memory<byte> _readBuffer;

    // Waits are for new bytes behind these, which the pipe's user has seen and not taken.
    private int _readSeen;

    // The FIN is there, and all bytes in front of it; some were not read.
    private bool IsEndNear => _state.ReceiveState is ReceiveState.DataReceived;

    /// <summary>Reads what is there, or waits for something.</summary>
    /// <param name="buffer">Gets the bytes; an empty one waits until there is something to read, and reads nothing.</param>
    /// <param name="cancellationToken">Ends the wait; the stream goes on, and no byte is lost.</param>
    /// <returns>How many bytes were read; 0 at the end.</returns>
    /// <exception cref="QuicException">The peer or this side aborted, or the connection has ended; what came before is read first.</exception>
    /// <exception cref="InvalidOperationException">Another read waits, or the stream has no direction to read in.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        lock (_host.Gate)
        {
            CheckCanRead();
            if (TryReadNow(buffer.Span, out int count))
            {
                return new ValueTask<int>(count);
            }

            if (ReadFailure() is { } failure)
            {
                return ValueTask.FromException<int>(failure);
            }

            _readBuffer = buffer;
            _readSeen = 0;
            _read.Begin(cancellationToken);
            return _read.AsTask();
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <summary>
    /// As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>, blocking the thread; whoever has many streams does not want that.
    /// </summary>
    /// <param name="buffer">Gets the bytes.</param>
    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            lock (_host.Gate)
            {
                CheckCanRead();
                if (TryReadNow(buffer, out int count))
                {
                    return count;
                }

                if (ReadFailure() is { } failure)
                {
                    throw failure;
                }

                _readBuffer = default;
                _readSeen = 0;
                _read.PrepareToBlock();
                _read.Begin(CancellationToken.None);
            }

            _ = _read.Block();
        }
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    // There is nothing to read; why there never will be, or null.
    private Exception? ReadFailure() => _reads.Failure is { } failure ? failure() : _connectionClosed?.ToException();

    private void CheckCanRead()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_state.CanRead)
        {
            throw new InvalidOperationException($"Stream {Id} has no direction to read in.");
        }

        if (_read.IsBusy)
        {
            throw new InvalidOperationException($"Another read of stream {Id} waits; one at a time.");
        }
    }

    // True with bytes, or at the end.
    private bool TryReadNow(Span<byte> buffer, out int count)
    {
        count = 0;
        if (_state.Available > 0)
        {
            if (!buffer.IsEmpty)
            {
                count = _state.Read(buffer);
                OnTaken(count);
            }

            return true;
        }

        if (_state.IsReadEnd)
        {
            EndReads(failure: null);
            return true;
        }

        return false;
    }

    // Bytes were consumed: the peer may have to be told that there is room.
    private void OnTaken(int count)
    {
        BytesRead += count;
        if (_state.IsReadEnd)
        {
            EndReads(failure: null);
        }
        else if (_connectionClosed is { } reason && !HasUnread)
        {
            EndReads(reason.ToException);
        }

        // Most reads change nothing that the peer or the application must hear of.
        if (_reads.IsOver || _host.Core.Streams.HasFramesToSend)
        {
            _host.Drain();
        }
    }

    private void ContinueRead()
    {
        if (!_read.IsWaiting)
        {
            if (_state.IsReadEnd)
            {
                EndReads(failure: null);
            }

            return;
        }

        if (_state.Available > _readSeen)
        {
            int count = 0;
            if (!_readBuffer.IsEmpty)
            {
                count = _state.Read(_readBuffer.Span);
                BytesRead += count;
                _readBuffer = default;
            }

            _read.Complete(count);
        }
        else if (IsEndNear || _state.IsReadEnd)
        {
            _readBuffer = default;
            _read.Complete(0);
        }

        if (_state.IsReadEnd)
        {
            EndReads(failure: null);
        }
    }

    private void EndReads(Func<Exception>? failure)
    {
        _reads.End(failure);
        if (_read.IsWaiting)
        {
            _readBuffer = default;
            if (failure is null)
            {
                _read.Complete(0);
            }
            else
            {
                _read.Fail(failure());
            }
        }

        _connection.OnStreamRead(this);
    }

    private void AbortReads(long errorCode, Func<Exception> failure)
    {
        if (_state.CanRead && !_reads.IsOver)
        {
            _state.StopSending(errorCode);
            EndReads(failure);
        }
    }
}
