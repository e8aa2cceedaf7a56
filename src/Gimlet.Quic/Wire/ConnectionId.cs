using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Gimlet.Quic.Wire;

/// <summary>
/// A connection id of version 1: 0 to 20 bytes (RFC 9000 section 17.2), as a value, so that it is a key of tables without an allocation.
/// Longer ones, which other versions may have, stay spans (<see cref="InvariantHeader"/>).
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct ConnectionId : IEquatable<ConnectionId>
{
    /// <summary>RFC 9000 section 17.2: "In QUIC version 1, this value MUST NOT exceed 20 bytes."</summary>
    public const int MaxLength = 20;

    /// <summary>
    /// RFC 9000 section 7.2: a client's first Destination Connection ID "MUST be at least 8 bytes in length".
    /// </summary>
    public const int MinInitialLength = 8;

    private readonly ulong _high;
    private readonly ulong _middle;
    private readonly uint _low;
    private readonly byte _length;

    /// <summary>Copies an id.</summary>
    /// <param name="bytes">0 to 20 bytes.</param>
    public ConnectionId(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxLength, nameof(bytes));
        Span<byte> padded = stackalloc byte[MaxLength];
        padded.Clear();
        bytes.CopyTo(padded);
        _high = BinaryPrimitives.ReadUInt64BigEndian(padded);
        _middle = BinaryPrimitives.ReadUInt64BigEndian(padded[8..]);
        _low = BinaryPrimitives.ReadUInt32BigEndian(padded[16..]);
        _length = (byte)bytes.Length;
    }

    /// <summary>0 to 20 bytes.</summary>
    public int Length => _length;

    public bool IsEmpty => _length == 0;

    /// <summary>Draws an id.</summary>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="length">0 to 20 bytes.</param>
    public static ConnectionId Create(Action<Span<byte>> random, int length)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        bytes = bytes[..length];
        random(bytes);
        return new ConnectionId(bytes);
    }

    /// <summary>Writes the id's bytes.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        Span<byte> padded = stackalloc byte[MaxLength];
        BinaryPrimitives.WriteUInt64BigEndian(padded, _high);
        BinaryPrimitives.WriteUInt64BigEndian(padded[8..], _middle);
        BinaryPrimitives.WriteUInt32BigEndian(padded[16..], _low);
        padded[.._length].CopyTo(destination);
    }

    /// <summary>Whether these are the id's bytes.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes) => bytes.Length == _length && Equals(new ConnectionId(bytes));

    /// <inheritdoc/>
    public bool Equals(ConnectionId other) =>
        _high == other._high && _middle == other._middle && _low == other._low && _length == other._length;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ConnectionId other && Equals(other);

    /// <inheritdoc/>
    /// <remarks>Seeded per process, so that a stranger cannot choose ids that fall into one bucket.</remarks>
    public override int GetHashCode() => HashCode.Combine(_high, _middle, _low, _length);

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes[.._length]);
    }

    public static bool operator ==(ConnectionId left, ConnectionId right) => left.Equals(right);

    public static bool operator !=(ConnectionId left, ConnectionId right) => !left.Equals(right);
}
