using Gimlet.Quic.Streams.Buffers;

namespace Gimlet.Quic.Streams;

/// <summary>
/// Bytes in order that are to be sent, kept until the peer acknowledged them: a stream's, or a level's CRYPTO. Bytes are in segments of the pool;
/// when everything is acknowledged, nothing is held.
/// </summary>
internal sealed class SendBuffer : IDisposable
{
    /// <summary>Enough for a flight of a TLS handshake.</summary>
    public const int CryptoSegmentBytes = 4096;

    /// <summary>
    /// The most ranges that are remembered as acknowledged behind a gap, or as lost; 16 bytes each. 4 MiB in flight are 3,500 packets of 1,200
    /// bytes, so honest peers stay below. Beyond it what was acknowledged is sent again, and what lies between two lost ranges, too: more bytes,
    /// never wrong ones.
    /// </summary>
    public const int MaxRanges = 4096;

    private SegmentRing _segments;
    private RangeSet _acknowledged;
    private RangeSet _lost;

    /// <summary>Makes an empty buffer, which holds no memory yet.</summary>
    /// <param name="segmentBytes">The size of a segment: a power of two.</param>
    public SendBuffer(int segmentBytes = CryptoSegmentBytes) => _segments = new SegmentRing(segmentBytes);

    /// <summary>The end of all data given.</summary>
    public long Written { get; private set; }

    /// <summary>Everything in front of this was acknowledged.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>The end of what was taken at least once.</summary>
    public long Sent { get; private set; }

    /// <summary>Bytes held: written, and not yet acknowledged from the front on.</summary>
    public int Buffered => (int)(Written - Acknowledged);

    /// <summary>Whether something has to be sent again.</summary>
    public bool HasLost => _lost.Count > 0;

    /// <summary>Takes bytes behind those that are there. Whoever calls bounds <see cref="Buffered"/>.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        _segments.Write(Written, data);
        Written += data.Length;
    }

    /// <summary>Whether <see cref="TryTake"/> would give something.</summary>
    /// <param name="limit">New data must be in front of this offset: the peer's flow-control limit.</param>
    public bool HasPending(long limit) => HasLost || Sent < Math.Min(Written, limit);

    /// <summary>What <see cref="TryTake"/> would give, at most.</summary>
    public bool TryPeekNext(long limit, out ByteRange next)
    {
        next = HasLost ? _lost[0] : new ByteRange(Sent, Math.Min(Written, limit));
        return next.Length > 0;
    }

    /// <summary>Takes the next range to send: lost data first, then new.</summary>
    /// <param name="maxLength">In bytes, one at least.</param>
    /// <param name="limit">New data must be in front of this offset.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="length">Its length in bytes.</param>
    public bool TryTake(int maxLength, long limit, out long offset, out int length)
    {
        if (!TryPeekNext(limit, out ByteRange next))
        {
            offset = 0;
            length = 0;
            return false;
        }

        offset = next.Start;
        length = (int)Math.Min(maxLength, next.Length);
        if (HasLost)
        {
            _lost.RemoveBelow(offset + length);
        }
        else
        {
            Sent = offset + length;
        }

        return true;
    }

    /// <summary>Copies bytes that were taken and are not acknowledged from the front on.</summary>
    public void CopyTo(long offset, Span<byte> destination) => _segments.CopyTo(offset, destination);

    /// <summary>The peer has this range.</summary>
    public void OnAcknowledged(long offset, int length)
    {
        long end = offset + length;
        if (end <= Acknowledged)
        {
            return;
        }

        if (offset > Acknowledged)
        {
            if (!_acknowledged.TryAdd(offset, end, MaxRanges))
            {
                _lost.AddRoughly(offset, end, MaxRanges);
            }
            else if (HasLost)
            {
                RemoveLost(offset, end);
            }

            return;
        }

        Acknowledged = end;
        if (_acknowledged.Count > 0)
        {
            // Those that end in front of it go; then the first may be what comes next.
            _acknowledged.RemoveBelow(end);
            if (_acknowledged.Count > 0 && _acknowledged[0].Start == end)
            {
                Acknowledged = _acknowledged[0].End;
                _acknowledged.RemoveBelow(Acknowledged);
            }
        }

        if (HasLost)
        {
            _lost.RemoveBelow(Acknowledged);
        }

        Release();
    }

    /// <summary>This range has to be sent again, but for what was acknowledged.</summary>
    public void OnLost(long offset, int length)
    {
        long start = Math.Max(offset, Acknowledged);
        long end = offset + length;
        int index = _acknowledged.FirstThatEndsFrom(start + 1);
        while (start < end)
        {
            long stop = index < _acknowledged.Count ? Math.Min(end, _acknowledged[index].Start) : end;
            if (stop > start)
            {
                _lost.AddRoughly(start, stop, MaxRanges);
            }

            start = index < _acknowledged.Count ? _acknowledged[index].End : end;
            index++;
        }
    }

    /// <summary>Gives the memory back. Nothing is held, lost or pending from then on; the numbers stay.</summary>
    public void Dispose()
    {
        Written = Sent;
        Acknowledged = Sent;
        Release();
    }

    // A range within a lost one makes two of it, which may be one too many: then it is sent again.
    private void RemoveLost(long start, long end)
    {
        if (_lost.Count < MaxRanges)
        {
            _lost.Remove(start, end);
        }
    }

    private void Release()
    {
        if (Acknowledged == Written)
        {
            _segments.Clear(Written);
            _acknowledged.Clear();
            _lost.Clear();
            return;
        }

        _segments.ReleaseBelow(Acknowledged);
    }
}
