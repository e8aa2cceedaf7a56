namespace Gimlet.Sockets;

/// <summary>
/// A buffer of datagrams that lie one behind the other, all of the same length but the last, which may be shorter; an empty
/// buffer is one empty datagram. Enumerates without allocating.
/// </summary>
public readonly ref struct DatagramSegments
{
    private readonly Span<byte> _payload;
    private readonly int _segmentSize;

    internal DatagramSegments(Span<byte> payload, int segmentSize)
    {
        _payload = payload;
        _segmentSize = segmentSize;
    }

    /// <summary>Starts before the first datagram.</summary>
    public Enumerator GetEnumerator() => new(_payload, _segmentSize);

    /// <summary>How many datagrams <paramref name="length"/> bytes are; a segment size of 0 means one.</summary>
    internal static int Count(int length, int segmentSize) =>
        length <= segmentSize || segmentSize == 0 ? 1 : (int)(((uint)length + (uint)segmentSize - 1) / (uint)segmentSize);

    /// <summary>Walks over the datagrams in order.</summary>
    public ref struct Enumerator
    {
        private readonly int _segmentSize;
        private Span<byte> _rest;
        private bool _ended;

        internal Enumerator(Span<byte> payload, int segmentSize)
        {
            _rest = payload;
            _segmentSize = segmentSize;
        }

        /// <summary>The datagram; writable, so that a decoder may work in place.</summary>
        public Span<byte> Current { get; private set; }

        /// <summary>Goes to the next datagram; false after the last.</summary>
        public bool MoveNext()
        {
            if (_ended)
            {
                return false;
            }

            int length = Math.Min(_segmentSize, _rest.Length);
            Current = _rest[..length];
            _rest = _rest[length..];
            _ended = _rest.IsEmpty;
            return true;
        }
    }
}
