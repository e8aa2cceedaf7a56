using System.Buffers;
using System.Threading.Channels;
using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>
/// What waits to go out on one WebSocket: text frames, which overtake, and relayed datagrams. Bounded: text that does not fit is refused, of datagrams the
/// oldest go, as in a router's queue. Any thread adds, one takes.
/// </summary>
internal sealed class LinkOutput : IDisposable
{
    // Messages to a stalled server: far more than a node says in the time until keep-alive notices.
    private const int MaxTexts = 256;

    // 400 ms at 10 Mbit/s: QUIC's congestion control sees a loss before the queue is worse than the path itself.
    private const int MaxRelayedBytes = 512 * 1024;

    // Datagrams of one peer that wait behind each other share a frame up to this size: a WebSocket frame and its masking cost as much as ten datagrams.
    private const int JoinedFrameBytes = 32 * 1024;

    // Whoever queues a frame while nothing is being sent sends it himself: a turn of the scheduler per frame would be a turn per hop of a handshake.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite, AllowSynchronousContinuations = true });
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _texts = new();
    private readonly Queue<RelayedFrame> _frames = new();
    private RelayedFrame? _last;
    private int _relayedBytes;
    private bool _isOver;

    /// <summary>Datagrams that had to go before they were sent.</summary>
    public long Dropped { get; private set; }

    /// <summary>Queues a text frame; false when it is stalled or over.</summary>
    public bool TryAddText(byte[] frame)
    {
        lock (_gate)
        {
            if (_isOver || _texts.Count >= MaxTexts)
            {
                return false;
            }

            _texts.Enqueue(frame);
        }

        Wake();
        return true;
    }

    /// <summary>Queues datagrams for a peer; false when it is over.</summary>
    /// <param name="peer">Whom they are for.</param>
    /// <param name="datagrams">One behind the other; copied.</param>
    /// <param name="segmentSize">The length of each but the last.</param>
    public bool TryAddRelayed(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return false;
            }

            _relayedBytes += datagrams.Length;
            if (_last is null || !_last.TryAppend(peer, datagrams, segmentSize, JoinedFrameBytes))
            {
                _last = new RelayedFrame(peer, datagrams, segmentSize);
                _frames.Enqueue(_last);
            }

            while (_relayedBytes > MaxRelayedBytes && _frames.Count > 1)
            {
                RelayedFrame oldest = _frames.Dequeue();
                _relayedBytes -= oldest.PayloadLength;
                Dropped += oldest.Count;
                oldest.Dispose();
            }
        }

        Wake();
        return true;
    }

    /// <summary>Waits until there is something, or it is over.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (!await _wake.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        _ = _wake.Reader.TryRead(out _);
        return true;
    }

    /// <summary>Takes the next frame: text first.</summary>
    /// <param name="text">A text frame, or null.</param>
    /// <param name="relayed">Else relayed datagrams, to be disposed of by the caller.</param>
    public bool TryTake(out byte[]? text, out RelayedFrame? relayed)
    {
        lock (_gate)
        {
            relayed = null;
            if (_texts.TryDequeue(out text))
            {
                return true;
            }

            if (!_frames.TryDequeue(out relayed))
            {
                return false;
            }

            _relayedBytes -= relayed.PayloadLength;
            _last = _frames.Count == 0 ? null : _last;
            return true;
        }
    }

    /// <summary>Takes nothing more; what is queued may still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _ = _wake.Writer.TryComplete();
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        Complete();
        lock (_gate)
        {
            while (_frames.TryDequeue(out RelayedFrame? frame))
            {
                frame.Dispose();
            }

            _last = null;
        }
    }

    private void Wake() => _ = _wake.Writer.TryWrite(true);
}

/// <summary>A binary frame on its way out, in a buffer of the pool.</summary>
internal sealed class RelayedFrame : IDisposable
{
    // The batch's header has room in every buffer, so that a second datagram can join the first.
    private const int Offset = RelayFrame.BatchHeaderLength;

    private readonly PeerId _peer;
    private readonly int _segmentSize;
    private byte[] _buffer;
    private bool _isClosed;

    public RelayedFrame(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        _peer = peer;
        _segmentSize = Math.Min(segmentSize, datagrams.Length);
        _buffer = ArrayPool<byte>.Shared.Rent(Offset + datagrams.Length);
        Append(datagrams);
    }

    /// <summary>Bytes of datagrams.</summary>
    public int PayloadLength { get; private set; }

    /// <summary>How many datagrams.</summary>
    public int Count => (PayloadLength + _segmentSize - 1) / _segmentSize;

    /// <summary>The frame as it goes out.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            bool isBatch = PayloadLength > _segmentSize;
            int header = isBatch ? RelayFrame.BatchHeaderLength : RelayFrame.SingleHeaderLength;
            int start = Offset - header;
            _ = RelayFrame.WriteHeader(_buffer.AsSpan(start, header), _peer, _segmentSize, isBatch);
            return _buffer.AsMemory(start, header + PayloadLength);
        }
    }

    /// <summary>Adds datagrams for the same peer and of the same length; false when they need a frame of their own.</summary>
    public bool TryAppend(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize, int maxLength)
    {
        int longest = Math.Min(segmentSize, datagrams.Length);
        if (_isClosed || peer != _peer || longest > _segmentSize || (longest < _segmentSize && datagrams.Length > longest) || Offset + PayloadLength + datagrams.Length > maxLength)
        {
            return false;
        }

        if (_buffer.Length < Offset + PayloadLength + datagrams.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(maxLength);
            _buffer.AsSpan(0, Offset + PayloadLength).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        Append(datagrams);
        return true;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Append(ReadOnlySpan<byte> datagrams)
    {
        datagrams.CopyTo(_buffer.AsSpan(Offset + PayloadLength));
        PayloadLength += datagrams.Length;

        // Only the last datagram of a frame may be shorter.
        _isClosed = PayloadLength % _segmentSize != 0;
    }
}
