using System.Buffers.Binary;

namespace Gimlet.Quic.Wire;

/// <summary>
/// Variable-length integers (RFC 9000 section 16): 62 bits in 1, 2, 4 or 8 bytes. They are <see cref="long"/> here, so that differences
/// of offsets and packet numbers do not wrap; none is ever negative.
/// </summary>
internal static class VariableLengthInteger
{
    /// <summary>The largest value: 2^62 - 1.</summary>
    public const long MaxValue = (1L << 62) - 1;

    /// <summary>The longest encoding, in bytes.</summary>
    public const int MaxLength = sizeof(long);

    /// <summary>The length of the shortest encoding, in bytes.</summary>
    /// <param name="value">0 to <see cref="MaxValue"/>.</param>
    public static int LengthOf(long value) => value switch
    {
        < 1L << 6 => 1,
        < 1L << 14 => 2,
        < 1L << 30 => 4,
        _ => 8,
    };

    /// <summary>Reads an integer from the start of <paramref name="source"/>.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="value">The value; 0 when the bytes end too soon.</param>
    /// <param name="length">How many bytes it took, which may be more than the shortest encoding; 0 when the bytes end too soon.</param>
    public static bool TryRead(ReadOnlySpan<byte> source, out long value, out int length)
    {
        value = 0;
        length = 0;
        if (source.IsEmpty)
        {
            return false;
        }

        // RFC 9000 section 16: "The QUIC variable-length integer encoding reserves the two most significant bits of the first byte to
        // encode the base-2 logarithm of the integer encoding length in bytes."
        int encoded = 1 << (source[0] >> 6);
        if (source.Length < encoded)
        {
            return false;
        }

        length = encoded;
        value = encoded switch
        {
            1 => source[0] & 0x3f,
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3fff,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3fff_ffff,
            _ => BinaryPrimitives.ReadInt64BigEndian(source) & MaxValue,
        };
        return true;
    }

    /// <summary>Writes the shortest encoding.</summary>
    /// <param name="destination">Long enough for it.</param>
    /// <param name="value">0 to <see cref="MaxValue"/>.</param>
    /// <returns>The bytes written.</returns>
    public static int Write(Span<byte> destination, long value)
    {
        int length = LengthOf(value);
        Write(destination, value, length);
        return length;
    }

    /// <summary>Writes an encoding of a given length: for fields whose value is known only after what follows them.</summary>
    /// <param name="destination">At least <paramref name="length"/> bytes.</param>
    /// <param name="value">0 to what fits into the length.</param>
    /// <param name="length">1, 2, 4 or 8.</param>
    public static void Write(Span<byte> destination, long value, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(LengthOf(value), length, nameof(length));
        switch (length)
        {
            case 1:
                destination[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                break;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x8000_0000);
                break;
            case 8:
                BinaryPrimitives.WriteUInt64BigEndian(destination, (ulong)value | 0xc000_0000_0000_0000);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(length), length, "A variable-length integer has 1, 2, 4 or 8 bytes.");
        }
    }
}
