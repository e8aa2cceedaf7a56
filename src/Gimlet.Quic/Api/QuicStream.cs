using Gimlet.Quic.Connections;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Streams;

namespace Gimlet.Quic;

/// <summary>
/// A stream of a connection: bytes in order, in one direction or in both. One read and one write may run at a time, each beside the other;
/// everything else is safe from any thread.
/// </summary>
/// <remarks>
/// As in System.Net.Quic, but for cancellation: a cancelled read or write does not abort the stream. A cancelled read has taken nothing. A
/// cancelled write may have handed a part of its bytes over already: <see cref="BytesWritten"/> tells how many, and whoever goes on there loses
/// none and repeats none.
/// </remarks>
public sealed partial class QuicStream : Stream
{
    private readonly QuicConnection _connection;
    private readonly ConnectionHost _host;
    private readonly QuicStreamState _state;
    private readonly Direction _reads = new();
    private readonly Direction _writes = new();
    private readonly PendingOperation<int> _read;
    private readonly PendingOperation<int> _write;
    private CloseReason? _connectionClosed;
    private bool _isDisposed;

    internal QuicStream(QuicConnection connection, ConnectionHost host, QuicStreamState state)
    {
        _connection = connection;
        _host = host;
        _state = state;
        _read = new PendingOperation<int>(host.Gate);
        _write = new PendingOperation<int>(host.Gate);
        if (!state.CanRead)
        {
            _reads.End();
        }

        if (!state.CanWrite)
        {
            _writes.End();
        }
    }

    /// <summary>The stream's number (RFC 9000 section 2.1); unique in its connection, the same on both sides.</summary>
    public long Id => _state.Id;

    /// <summary>Which directions it has.</summary>
    public QuicStreamType Type => _state.Direction == StreamDirection.Bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional;

    /// <summary>Whether this side opened it.</summary>
    public bool IsLocal => _state.IsLocal;

    /// <summary>Completes when the peer's bytes were read to their end, or fails with why there will be no end.</summary>
    public Task ReadsClosed
    {
        get
        {
            lock (_host.Gate)
            {
                return _reads.Task;
            }
        }
    }

    /// <summary>Completes when the peer has acknowledged all bytes and their end, or fails with why it will not.</summary>
    public Task WritesClosed
    {
        get
        {
            lock (_host.Gate)
            {
                return _writes.Task;
            }
        }
    }

    /// <summary>Bytes that were read so far.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Bytes that were handed over so far: they arrive, as long as stream and connection do not end before.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Whether this stream has a direction to read in.</summary>
    public override bool CanRead => _state.CanRead && !_isDisposed;

    /// <summary>Whether this stream has a direction to write in.</summary>
    public override bool CanWrite => _state.CanWrite && !_isDisposed;

    /// <summary>False: a network does not rewind.</summary>
    public override bool CanSeek => false;

    /// <summary>False: cancellation is by token.</summary>
    public override bool CanTimeout => false;

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException("A QUIC stream has no length.");

    /// <summary>Not supported; <see cref="BytesRead"/> and <see cref="BytesWritten"/> count.</summary>
    public override long Position
    {
        get => throw new NotSupportedException("A QUIC stream has no position.");
        set => throw new NotSupportedException("A QUIC stream has no position.");
    }

    /// <summary>
    /// Gives up reading, writing or both, at once. What the peer's application sees is the code. Harmless where that direction is over.
    /// </summary>
    /// <param name="direction">Which directions.</param>
    /// <param name="errorCode">The application's code, 0 to 2^62 - 1.</param>
    public void Abort(QuicAbortDirection direction, long errorCode)
    {
        OptionCheck.ErrorCode(errorCode, nameof(errorCode));
        OptionCheck.Range((int)direction, (int)QuicAbortDirection.Read, (int)QuicAbortDirection.Both, nameof(direction));
        lock (_host.Gate)
        {
            if (direction.HasFlag(QuicAbortDirection.Read))
            {
                AbortReads(errorCode, static () => OperationAborted("Reading from the stream was aborted by this side."));
            }

            if (direction.HasFlag(QuicAbortDirection.Write))
            {
                AbortWrites(errorCode, static () => OperationAborted("Writing to the stream was aborted by this side."));
            }

            _host.Drain();
        }
    }

    /// <summary>
    /// Ends what this side writes (unless it was aborted), gives up what was not read, and waits until the peer has acknowledged what was written, or
    /// the connection has ended. Safe to call twice.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        try
        {
            await WritesClosed.ConfigureAwait(false);
        }
        catch (Exception e) when (e is QuicException or ObjectDisposedException)
        {
            // Disposing is not where to learn that the peer did not want the bytes.
        }
    }

    /// <summary>Not supported.</summary>
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A QUIC stream has no position.");

    /// <summary>Not supported.</summary>
    /// <param name="value">Not used.</param>
    public override void SetLength(long value) => throw new NotSupportedException("A QUIC stream has no length.");

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <inheritdoc/>
    public override string ToString() => $"QUIC stream {Id}";

    /// <summary>As <see cref="DisposeAsync"/>, without waiting.</summary>
    /// <param name="disposing">Always true: there is no finalizer.</param>
    protected override void Dispose(bool disposing)
    {
        lock (_host.Gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                EndAll();
                _host.Drain();
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>The application has it.</summary>
    internal void OnAccepted() => _state.IsHeld = false;

    internal void OnEvent(StreamEventKind kind)
    {
        switch (kind)
        {
            case StreamEventKind.Readable:
                if (HasUnread)
                {
                    _connection.OnBytes(Id);
                }

                ContinueRead();
                break;
            case StreamEventKind.Writable:
                ContinueWrite();
                break;
            case StreamEventKind.PeerReset:
                EndReads(() => PeerAborted("The peer aborted what it writes", _state.PeerResetCode));
                break;
            case StreamEventKind.PeerStopped:
                EndWrites(() => PeerAborted("The peer no longer reads what is written", _state.PeerStopCode));
                break;
            case StreamEventKind.SendDone:
                EndWrites(failure: null);
                break;
            default:
                break;
        }
    }

    internal void OnConnectionClosed(CloseReason reason)
    {
        _connectionClosed = reason;
        EndWrites(reason.ToException);

        // What came before the end can still be read.
        ContinueRead();
        if (!HasUnread)
        {
            EndReads(reason.ToException);
        }
        else
        {
            // Only a pipe's reader waits beside bytes that it has seen: it hears that there will be no more.
            WakeReader();
        }
    }

    /// <summary>What was not read is gone.</summary>
    internal void OnUnreadLost(CloseReason reason) => EndReads(reason.ToException);

    /// <summary>There are bytes to read.</summary>
    internal bool HasUnread => _state.Available > 0;

    private void EndAll()
    {
        Func<Exception> disposed = static () => new ObjectDisposedException(nameof(QuicStream));
        if (_write.IsWaiting)
        {
            // The end would lie about what is missing in front of it.
            AbortWrites(_connection.DefaultStreamErrorCode, disposed);
        }
        else if (_state.CanWrite && !_writes.IsOver)
        {
            FinishWrites();
        }

        if (_state.CanRead && !_reads.IsOver)
        {
            AbortReads(_connection.DefaultStreamErrorCode, disposed);
        }
    }

    private static QuicException OperationAborted(string message) => new(QuicErrorKind.OperationAborted, message);

    private QuicException PeerAborted(string message, long? code) =>
        new(QuicErrorKind.StreamAborted, $"{message} (stream {Id}, code {code}).") { ApplicationErrorCode = code };

    /// <summary>How one direction ended, if it did. An exception is made for each who asks: it collects the stack of whoever throws it.</summary>
    private sealed class Direction
    {
        private TaskCompletionSource? _task;

        public bool IsOver { get; private set; }

        public Func<Exception>? Failure { get; private set; }

        public Task Task
        {
            get
            {
                if (_task is null)
                {
                    _task = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    Publish();
                }

                return _task.Task;
            }
        }

        public void End(Func<Exception>? failure = null)
        {
            if (!IsOver)
            {
                IsOver = true;
                Failure = failure;
                Publish();
            }
        }

        private void Publish()
        {
            if (!IsOver || _task is null)
            {
                return;
            }

            if (Failure is null)
            {
                _task.SetResult();
                return;
            }

            _task.SetException(Failure());

            // Who asked for the task need not look at it: the next read or write says the same.
            _ = _task.Task.Exception;
        }
    }
}
