using System.Buffers.Binary;

namespace Gimlet.Quic.Tls;

/// <summary>
/// Writes the presentation language of RFC 8446 section 3 into one growing buffer. A length is written when its content ends:
/// <c>int mark = w.Begin(2); ...; w.End(mark, 2);</c>.
/// </summary>
internal sealed class TlsWriter(int capacity = TlsWriter.FlightCapacity)
{
    /// <summary>A hello of ours is at most about 400 bytes.</summary>
    public const int HelloCapacity = 448;

    // A mutual P-256 flight is about 900 bytes.
    private const int FlightCapacity = 1024;

    private byte[] _buffer = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>Leaves room for a length of <paramref name="lengthBytes"/> bytes.</summary>
    public int Begin(int lengthBytes)
    {
        Take(lengthBytes).Clear();
        return Length;
    }

    /// <summary>Writes the length of what came since <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidOperationException">The content does not fit its length field: our own settings are too large.</exception>
    public void End(int mark, int lengthBytes)
    {
        int length = Length - mark;
        if (length >> (8 * lengthBytes) != 0)
        {
            throw new InvalidOperationException($"A vector of {length} bytes does not fit a length of {lengthBytes} bytes.");
        }

        for (int i = 1; i <= lengthBytes; i++)
        {
            _buffer[mark - i] = (byte)length;
            length >>= 8;
        }
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        }

        Span<byte> span = _buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }
}
