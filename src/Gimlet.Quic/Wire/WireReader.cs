using System.Buffers.Binary;

namespace Gimlet.Quic.Wire;

/// <summary>Reads fields one after the other. Each method returns false, and moves nothing, where the bytes end too soon.</summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _bytes;

    public WireReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>How many bytes were read.</summary>
    public int Position { get; private set; }

    /// <summary>What is left.</summary>
    public readonly ReadOnlySpan<byte> Remaining => _bytes[Position..];

    public readonly bool IsAtEnd => Position == _bytes.Length;

    public bool TryReadByte(out byte value)
    {
        value = 0;
        if (IsAtEnd)
        {
            return false;
        }

        value = _bytes[Position++];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        bool read = BinaryPrimitives.TryReadUInt16BigEndian(Remaining, out value);
        Position += read ? sizeof(ushort) : 0;
        return read;
    }

    public bool TryReadUInt32(out uint value)
    {
        bool read = BinaryPrimitives.TryReadUInt32BigEndian(Remaining, out value);
        Position += read ? sizeof(uint) : 0;
        return read;
    }

    /// <summary>Reads a variable-length integer.</summary>
    public bool TryReadInteger(out long value)
    {
        bool read = VariableLengthInteger.TryRead(Remaining, out value, out int length);
        Position += length;
        return read;
    }

    /// <summary>Reads bytes whose number was read before; it may be any 62-bit value.</summary>
    public bool TryReadBytes(long length, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (length > _bytes.Length - Position)
        {
            return false;
        }

        value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }
}
