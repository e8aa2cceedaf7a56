using System.Buffers.Binary;

namespace Gimlet.Quic.Tls;

/// <summary>
/// Reads the presentation language of RFC 8446 section 3; every method is false when bytes are missing, and then nothing that was read
/// means anything.
/// </summary>
internal ref struct TlsReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsEmpty => _rest.IsEmpty;

    public bool TryReadByte(out byte value)
    {
        bool read = TryReadBytes(1, out ReadOnlySpan<byte> bytes);
        value = read ? bytes[0] : (byte)0;
        return read;
    }

    public bool TryReadUInt16(out ushort value)
    {
        bool read = TryReadBytes(2, out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;
        return read;
    }

    public bool TryReadUInt32(out uint value)
    {
        bool read = TryReadBytes(4, out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
        return read;
    }

    public bool TryReadBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        if (count > _rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    /// <summary>A vector whose length takes one byte.</summary>
    public bool TryReadVector8(out ReadOnlySpan<byte> content) => TryReadVector(1, out content);

    /// <summary>A vector whose length takes two bytes.</summary>
    public bool TryReadVector16(out ReadOnlySpan<byte> content) => TryReadVector(2, out content);

    /// <summary>A vector whose length takes three bytes.</summary>
    public bool TryReadVector24(out ReadOnlySpan<byte> content) => TryReadVector(3, out content);

    /// <summary>A code point and a vector with two bytes of length: the shape of extensions and of key shares.</summary>
    public bool TryReadEntry(out ushort type, out ReadOnlySpan<byte> content)
    {
        content = default;
        return TryReadUInt16(out type) && TryReadVector16(out content);
    }

    private bool TryReadVector(int lengthBytes, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (_rest.Length < lengthBytes)
        {
            return false;
        }

        int length = 0;
        for (int i = 0; i < lengthBytes; i++)
        {
            length = (length << 8) | _rest[i];
        }

        if (_rest.Length - lengthBytes < length)
        {
            return false;
        }

        content = _rest.Slice(lengthBytes, length);
        _rest = _rest[(lengthBytes + length)..];
        return true;
    }
}
