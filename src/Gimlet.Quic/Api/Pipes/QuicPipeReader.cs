using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Gimlet.Quic.Pipes;

/// <summary>
/// A stream's bytes where they lie: nothing is copied between the packet's place in the stream and the pipe's user. What the user has seen and
/// not taken stays in the stream's window, so the peer cannot make it grow beyond that.
/// </summary>
internal sealed class QuicPipeReader(QuicStream stream) : PipeReader
{
    // What one read shows beyond what was seen before: a sequence over megabytes would cost more to make than to read.
    private const int MaxNew = 256 * 1024;

    private readonly List<Segment> _segments = [];
    private ReadOnlySequence<byte> _shown;
    private int _seen;
    private bool _isShown;
    private bool _isCompleted;
    private bool _isCancelPending;

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        CheckNotCompleted();
        lock (stream.Gate)
        {
            return TryShow(out result);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        CheckNotCompleted();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        ValueTask<int> wait;
        lock (stream.Gate)
        {
            if (TryShow(out ReadResult result))
            {
                return new ValueTask<ReadResult>(result);
            }

            if (_seen > stream.MaxUnread)
            {
                throw new InvalidOperationException(
                    $"More than {stream.MaxUnread} bytes of stream {stream.Id} were looked at and not consumed; "
                    + "the peer may not send more (StreamWindow, ConnectionWindow).");
            }

            wait = stream.WaitForMoreThan(_seen, cancellationToken);
        }

        return WaitAsync(wait, cancellationToken);
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        CheckNotCompleted();
        if (!_isShown)
        {
            throw new InvalidOperationException("There is nothing to advance in: read first.");
        }

        int taken = (int)_shown.Slice(0, consumed).Length;
        _seen = (int)_shown.Slice(0, examined).Length - taken;
        ArgumentOutOfRangeException.ThrowIfNegative(_seen, nameof(examined));
        Hide();
        stream.Advance(taken);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        lock (stream.Gate)
        {
            _isCancelPending = true;
            stream.WakeReader();
        }
    }

    /// <summary>Ends reading: what was not read is given up, where the peer has not come to its end.</summary>
    /// <param name="exception">Not used: the code that the peer sees is <see cref="QuicConnectionOptions.DefaultStreamErrorCode"/>.</param>
    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        Hide();
        stream.EndReadsOfPipe();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<int> wait, CancellationToken cancellationToken)
    {
        while (true)
        {
            _ = await wait.ConfigureAwait(false);
            lock (stream.Gate)
            {
                if (TryShow(out ReadResult result))
                {
                    return result;
                }

                wait = stream.WaitForMoreThan(_seen, cancellationToken);
            }
        }
    }

    // With the stream's gate held.
    private bool TryShow(out ReadResult result)
    {
        if (_isShown)
        {
            throw new InvalidOperationException("The last read was not advanced; call AdvanceTo first.");
        }

        bool isCanceled = _isCancelPending;
        int available = stream.Unread;
        bool isEnd = stream.IsAllThere;
        if (!isCanceled && available <= _seen && !isEnd)
        {
            result = default;
            stream.ThrowIfReadsFailed();
            return false;
        }

        _isCancelPending = false;
        int length = Math.Min(available, _seen + MaxNew);
        _shown = Show(length);
        _isShown = true;
        result = new ReadResult(_shown, isCanceled, isCompleted: isEnd && length == available);
        return true;
    }

    private ReadOnlySequence<byte> Show(int length)
    {
        if (length == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        ReadOnlyMemory<byte> first = stream.Peek(0);
        if (first.Length >= length)
        {
            return new ReadOnlySequence<byte>(first[..length]);
        }

        int count = 0;
        int end = 0;
        Segment? last = null;
        for (int at = 0; at < length; count++)
        {
            ReadOnlyMemory<byte> memory = at == 0 ? first : stream.Peek(at);
            memory = memory[..Math.Min(memory.Length, length - at)];
            if (count == _segments.Count)
            {
                _segments.Add(new Segment());
            }

            Segment segment = _segments[count];
            segment.Set(memory, at);
            last?.PutBefore(segment);
            last = segment;
            at += memory.Length;
            end = memory.Length;
        }

        return new ReadOnlySequence<byte>(_segments[0], 0, last!, end);
    }

    private void Hide()
    {
        _isShown = false;
        _shown = default;
        foreach (Segment segment in _segments)
        {
            segment.Clear();
        }
    }

    private void CheckNotCompleted()
    {
        if (_isCompleted)
        {
            throw new InvalidOperationException("Reading is completed.");
        }
    }

    /// <summary>A piece of the sequence; used again for the next read.</summary>
    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public void Set(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
            Next = null;
        }

        public void PutBefore(Segment next) => Next = next;

        public void Clear()
        {
            Memory = default;
            Next = null;
        }
    }
}
