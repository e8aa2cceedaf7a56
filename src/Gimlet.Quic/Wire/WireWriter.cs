using System.Buffers.Binary;

namespace Gimlet.Quic.Wire;

/// <summary>
/// Writes fields one after the other. Whoever writes something of several fields looks at <see cref="Remaining"/> first, so that
/// it is written whole or not at all; a field that does not fit throws.
/// </summary>
internal ref struct WireWriter
{
    private readonly Span<byte> _buffer;

    public WireWriter(Span<byte> buffer) => _buffer = buffer;

    /// <summary>How many bytes were written.</summary>
    public int Position { get; private set; }

    /// <summary>How many bytes still fit.</summary>
    public readonly int Remaining => _buffer.Length - Position;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[..Position];

    public void WriteByte(byte value) => _buffer[Position++] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(sizeof(ushort)), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(sizeof(uint)), value);

    /// <summary>Writes a variable-length integer in its shortest form.</summary>
    public void WriteInteger(long value) => Position += VariableLengthInteger.Write(_buffer[Position..], value);

    public void WriteBytes(scoped ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    /// <summary>Leaves room that the caller fills.</summary>
    /// <param name="length">In bytes; not more than <see cref="Remaining"/>.</param>
    public Span<byte> Reserve(int length)
    {
        Span<byte> reserved = _buffer.Slice(Position, length);
        Position += length;
        return reserved;
    }
}
