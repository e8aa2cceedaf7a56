using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>
/// ACK (RFC 9000 section 19.3) as it was read. All ranges were looked at once, so that enumerating them cannot fail; they are bounded by the
/// packet, two bytes each at least.
/// </summary>
internal readonly ref struct AckFrame
{
    private readonly ReadOnlySpan<byte> _ranges;
    private readonly long _firstRange;

    private AckFrame(long largest, long delay, long firstRange, int additionalRanges, ReadOnlySpan<byte> ranges, EcnCounts? ecn)
    {
        LargestAcknowledged = largest;
        Delay = delay;
        RangeCount = additionalRanges + 1;
        Ecn = ecn;
        _firstRange = firstRange;
        _ranges = ranges;
    }

    /// <summary>The largest packet number that is acknowledged.</summary>
    public long LargestAcknowledged { get; }

    /// <summary>ACK Delay as it is on the wire: in units of 2 to the power of the sender's ack_delay_exponent, in microseconds.</summary>
    public long Delay { get; }

    /// <summary>How many ranges there are, one at least.</summary>
    public int RangeCount { get; }

    /// <summary>The ECN counts, in a frame of type 0x03.</summary>
    public EcnCounts? Ecn { get; }

    /// <summary>Enumerates the ranges, largest numbers first.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Reads the body.</summary>
    public static bool TryRead(scoped ref FrameReader reader, out AckFrame frame)
    {
        frame = default;
        reader.BeginBody(reader.Type is FrameType.Ack or FrameType.AckEcn);
        if (!reader.TryReadInteger(out long largest)
            || !reader.TryReadInteger(out long delay)
            || !reader.TryReadInteger(out long count)
            || !reader.TryReadInteger(out long firstRange))
        {
            return false;
        }

        if (firstRange > largest)
        {
            return FailNegative(ref reader);
        }

        // RFC 9000 section 20.1: FRAME_ENCODING_ERROR for "an ACK frame that has more acknowledgment ranges than the remainder of the packet
        // could carry." A range has two bytes at least; known before the first of them is read, whatever the count says.
        if (count > reader.Remaining.Length / 2)
        {
            return reader.Fail("more acknowledged ranges than the packet can hold");
        }

        ReadOnlySpan<byte> ranges = reader.Remaining;
        if (!TrySkipRanges(ref reader, largest - firstRange, count))
        {
            return false;
        }

        ranges = ranges[..^reader.Remaining.Length];
        EcnCounts? ecn = null;
        if (reader.Type == FrameType.AckEcn)
        {
            if (!reader.TryReadInteger(out long ect0) || !reader.TryReadInteger(out long ect1) || !reader.TryReadInteger(out long ce))
            {
                return false;
            }

            ecn = new EcnCounts(ect0, ect1, ce);
        }

        frame = new AckFrame(largest, delay, firstRange, (int)count, ranges, ecn);
        return true;
    }

    private static bool TrySkipRanges(ref FrameReader reader, long smallest, long count)
    {
        for (long i = 0; i < count; i++)
        {
            if (!reader.TryReadInteger(out long gap) || !reader.TryReadInteger(out long length))
            {
                return false;
            }

            // RFC 9000 section 19.3.1: "largest = previous_smallest - gap - 2" and "smallest = largest - ack_range". "If any computed packet
            // number is negative, an endpoint MUST generate a connection error of type FRAME_ENCODING_ERROR."
            smallest = smallest - gap - 2 - length;
            if (smallest < 0)
            {
                return FailNegative(ref reader);
            }
        }

        return true;
    }

    private static bool FailNegative(ref FrameReader reader) => reader.Fail("an acknowledged packet number is negative");

    /// <summary>Goes through the ranges of a frame.</summary>
    public ref struct Enumerator
    {
        private WireReader _reader;
        private AckRange _current;
        private int _left;
        private bool _isFirst = true;

        internal Enumerator(AckFrame frame)
        {
            _reader = new WireReader(frame._ranges);
            _left = frame.RangeCount;
            _current = new AckRange(frame.LargestAcknowledged - frame._firstRange, frame.LargestAcknowledged);
        }

        /// <summary>The current range.</summary>
        public readonly AckRange Current => _current;

        /// <summary>Goes to the next range.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            if (_isFirst)
            {
                _isFirst = false;
                return true;
            }

            _ = _reader.TryReadInteger(out long gap);
            _ = _reader.TryReadInteger(out long length);
            long largest = _current.Smallest - gap - 2;
            _current = new AckRange(largest - length, largest);
            return true;
        }
    }
}
