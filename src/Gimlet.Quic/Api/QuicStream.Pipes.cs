using System.IO.Pipelines;
using Gimlet.Quic.Pipes;

namespace Gimlet.Quic;

/// <content>The stream as two pipes.</content>
public sealed partial class QuicStream
{
    private QuicPipeReader? _input;
    private QuicPipeWriter? _output;

    /// <summary>
    /// The way to read without a copy: the bytes lie where they came. Completing it gives up what was not read. Either this or
    /// <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> is used, not both at the same time.
    /// </summary>
    /// <exception cref="InvalidOperationException">The stream has no direction to read in.</exception>
    public PipeReader Input
    {
        get
        {
            lock (_host.Gate)
            {
                return _input ??= _state.CanRead
                    ? new QuicPipeReader(this)
                    : throw new InvalidOperationException($"Stream {Id} has no direction to read in.");
            }
        }
    }

    /// <summary>
    /// The way to write in pieces that are handed over together. Completing it is <see cref="CompleteWrites"/>, or with an exception
    /// <see cref="Abort"/> with <see cref="QuicConnectionOptions.DefaultStreamErrorCode"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The stream has no direction to write in.</exception>
    public PipeWriter Output
    {
        get
        {
            lock (_host.Gate)
            {
                return _output ??= _state.CanWrite
                    ? new QuicPipeWriter(this)
                    : throw new InvalidOperationException($"Stream {Id} has no direction to write in.");
            }
        }
    }

    internal Lock Gate => _host.Gate;

    /// <summary>The most that can be unread: the windows do not open further.</summary>
    internal long MaxUnread => _connection.MaxUnreadOfStream;

    /// <summary>Bytes that can be read. With the gate held, as the following.</summary>
    internal int Unread => _reads.IsOver ? 0 : _state.Available;

    /// <summary>All bytes to the end are there, read or not.</summary>
    internal bool IsAllThere => IsEndNear || _state.IsReadEnd;

    internal ReadOnlyMemory<byte> Peek(int skip) =>
        _state.TryPeek(skip, out ReadOnlyMemory<byte> memory) ? memory : throw new InvalidOperationException("Less can be read than there is.");

    /// <summary>There is nothing new to read; throws where there never will be.</summary>
    internal void ThrowIfReadsFailed()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (ReadFailure() is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>Waits for bytes behind those that were seen, or for the end.</summary>
    internal ValueTask<int> WaitForMoreThan(int seen, CancellationToken cancellationToken)
    {
        CheckCanRead();

        // The peer may have sent all it may: what was looked at and not taken would never become more.
        _state.WantMoreThan(seen);
        _host.Drain();
        _readBuffer = default;
        _readSeen = seen;
        _read.Begin(cancellationToken);
        return _read.AsTask();
    }

    internal void WakeReader()
    {
        if (_read.IsWaiting)
        {
            _read.Complete(0);
        }
    }

    /// <summary>Consumes bytes.</summary>
    internal void Advance(int count)
    {
        lock (_host.Gate)
        {
            // After the peer's reset nothing is there any more; the next read says so.
            if (!_reads.IsOver)
            {
                _state.Advance(count);
                OnTaken(count);
            }
        }
    }

    internal void EndReadsOfPipe()
    {
        lock (_host.Gate)
        {
            AbortReads(_connection.DefaultStreamErrorCode, static () => OperationAborted("The pipe's reader was completed."));
            _host.Drain();
        }
    }

    internal void EndWritesOfPipe(bool isWhole)
    {
        lock (_host.Gate)
        {
            if (isWhole)
            {
                FinishWrites();
            }
            else
            {
                AbortWrites(_connection.DefaultStreamErrorCode, static () => OperationAborted("The pipe's writer was completed with an exception."));
            }

            _host.Drain();
        }
    }
}
