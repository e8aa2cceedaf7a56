using Gimlet.Quic.Streams.Buffers;

namespace Gimlet.Quic.Streams;

/// <summary>
/// Puts the bytes of a stream, or of a level's CRYPTO, in order again. Memory is bounded twice: what is held lies within <c>capacity</c> of what
/// was read and each byte has one place (a frame of one byte does not cost a buffer of its own), and there are at most <see cref="MaxRanges"/>
/// pieces behind a gap. RFC 9000 section 21.7 (stream fragmentation and reassembly) names the attack.
/// </summary>
internal sealed class ReceiveBuffer : IDisposable
{
    /// <summary>
    /// The most pieces behind the first gap; 16 bytes each, and moved when one comes between. Of n packets on the way with random loss at most n
    /// / 4 gaps are left: this is 8,192 packets, 10 MB. quic-go permits 1,000 gaps.
    /// </summary>
    public const int MaxRanges = 2048;

    /// <summary>RFC 9000 section 7.5: at least 4096 bytes of CRYPTO out of order must be buffered. Chains of certificates want more.</summary>
    public const int CryptoCapacity = 64 * 1024;

    private readonly long _capacity;
    private SegmentRing _segments;
    private RangeSet _ahead;
    private long _peekedEnd;

    /// <summary>Makes an empty buffer, which holds no memory yet.</summary>
    /// <param name="capacity">Data may end so many bytes behind <see cref="Read"/>. Of a stream, flow control says so already.</param>
    /// <param name="segmentBytes">The size of a segment: a power of two.</param>
    public ReceiveBuffer(long capacity = CryptoCapacity, int segmentBytes = SendBuffer.CryptoSegmentBytes)
    {
        _capacity = capacity;
        _segments = new SegmentRing(segmentBytes);
    }

    /// <summary>Everything in front of this was read.</summary>
    public long Read { get; private set; }

    /// <summary>Everything in front of this is there: the end of what can be read.</summary>
    public long Contiguous { get; private set; }

    /// <summary>The end of the last byte that came.</summary>
    public long Highest { get; private set; }

    /// <summary>Bytes that can be read.</summary>
    public int Available => (int)(Contiguous - Read);

    /// <summary>Takes bytes; those that are there already are ignored.</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="data">The bytes.</param>
    /// <returns>
    /// False, and nothing was taken, when they end beyond the capacity or there are too many pieces. The caller ends the connection: of CRYPTO
    /// with CRYPTO_BUFFER_EXCEEDED.
    /// </returns>
    public bool TryAdd(long offset, ReadOnlySpan<byte> data)
    {
        long end = offset + data.Length;
        if (end <= Contiguous)
        {
            return true;
        }

        if (end - Read > _capacity)
        {
            return false;
        }

        if (offset < Contiguous)
        {
            // RFC 9000 section 2.2: "The data at a given offset MUST NOT change if it is sent multiple times": what was read stays.
            data = data[(int)(Contiguous - offset)..];
            offset = Contiguous;
        }

        if (offset == Contiguous && _ahead.Count == 0)
        {
            Contiguous = end;
        }
        else if (!data.IsEmpty && !TryAddAhead(offset, end))
        {
            return false;
        }

        _segments.Write(offset, data);
        Highest = Math.Max(Highest, end);
        return true;
    }

    /// <summary>Copies bytes and consumes them.</summary>
    /// <returns>How many; 0 when nothing is there.</returns>
    public int ReadTo(Span<byte> destination)
    {
        int length = Math.Min(Available, destination.Length);
        _segments.CopyTo(Read, destination[..length]);
        Advance(length);
        return length;
    }

    /// <summary>The next bytes without a copy: as many as lie together. They stay until <see cref="Advance"/> or <see cref="ReadTo"/>.</summary>
    public bool TryPeek(out ReadOnlyMemory<byte> memory) => TryPeek(0, out memory);

    /// <summary>
    /// Bytes further on without a copy: as many as lie together. They stay until <see cref="Advance"/> or <see cref="ReadTo"/>.
    /// </summary>
    /// <param name="skip">How many bytes behind <see cref="Read"/>.</param>
    /// <param name="memory">The bytes.</param>
    /// <returns>False when nothing is there.</returns>
    public bool TryPeek(int skip, out ReadOnlyMemory<byte> memory)
    {
        int available = Available - skip;
        if (available <= 0)
        {
            memory = default;
            return false;
        }

        memory = _segments.Read(Read + skip);
        memory = memory[..Math.Min(memory.Length, available)];
        _peekedEnd = Math.Max(_peekedEnd, Read + skip + memory.Length);
        return true;
    }

    /// <summary>Consumes bytes. Memory that was peeked at must not be used any more.</summary>
    /// <param name="count">Not more than <see cref="Available"/>; 0 only gives up what was peeked at.</param>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Available);
        _peekedEnd = 0;
        Read += count;
        if (Read == Contiguous && _ahead.Count == 0)
        {
            _segments.Clear(Read);
        }
        else
        {
            _segments.ReleaseBelow(Read);
        }
    }

    /// <summary>Gives the memory back, but for what somebody peeked at and has not given up. Nothing can be read from then on.</summary>
    public void Dispose()
    {
        Read = Contiguous;
        _ahead.Clear();
        _segments.Clear(Read, _peekedEnd);
        _peekedEnd = 0;
    }

    private bool TryAddAhead(long offset, long end)
    {
        // What closes the first gap goes away again at once, so it may be one too many.
        if (!_ahead.TryAdd(offset, end, offset == Contiguous ? MaxRanges + 1 : MaxRanges))
        {
            return false;
        }

        if (_ahead[0].Start == Contiguous)
        {
            Contiguous = _ahead[0].End;
            _ahead.RemoveBelow(Contiguous);
        }

        return true;
    }
}
