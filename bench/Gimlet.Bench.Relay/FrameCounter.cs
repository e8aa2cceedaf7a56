using System.Buffers.Binary;

namespace Gimlet.Bench.Relay;

/// <summary>Counts the datagrams in a stream of WebSocket frames, which may come in other batches than they were sent in, and looks at the first one.</summary>
/// <param name="size">Bytes per datagram.</param>
/// <param name="isRight">Checks the beginning of the first frame: the relay's header and a datagram.</param>
internal sealed class FrameCounter(int size, FrameCheck isRight)
{
    // A WebSocket header of any length and the relay's.
    private const int MostHeader = 10 + RawNode.BatchHeaderLength;

    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _kept;
    private long _skip;

    public long Datagrams { get; private set; }

    /// <summary>Where to receive into.</summary>
    public Span<byte> Room => _buffer.AsSpan(_kept);

    public void Received(int count)
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(0, _kept + count);
        _kept = 0;
        while (true)
        {
            int step = (int)Math.Min(_skip, bytes.Length);
            bytes = bytes[step..];
            _skip -= step;
            if (bytes.Length < MostHeader + (Datagrams == 0 ? size : 0))
            {
                // Not even a header, or the first datagram: with what comes next. Only a frame that ends the stream could be shorter.
                bytes.CopyTo(_buffer);
                _kept = bytes.Length;
                return;
            }

            long payload = bytes[1] switch
            {
                126 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
                127 => (long)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]),
                byte small => small,
            };
            int header = RawNode.HeaderLength((int)payload);
            ReadOnlySpan<byte> frame = bytes[header..];
            int relayHeader = frame[0] == 0 ? RawNode.SingleHeaderLength : RawNode.BatchHeaderLength;
            if (Datagrams == 0 && !isRight(frame, relayHeader))
            {
                throw new InvalidOperationException("What came is not what was sent.");
            }

            Datagrams += (payload - relayHeader) / size;
            _skip = header + payload;
        }
    }
}

/// <summary>Whether a frame is what was sent.</summary>
/// <param name="frame">Its beginning.</param>
/// <param name="header">The length of the relay's header.</param>
internal delegate bool FrameCheck(ReadOnlySpan<byte> frame, int header);
