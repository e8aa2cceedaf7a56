using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Gimlet.Stun;

/// <summary>
/// The 96-bit transaction id (RFC 8489 section 5), as a value. A message of RFC 3489 has 128 bits; the 32 more are
/// <see cref="StunMessage.Cookie"/>, which stands where the magic cookie would.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct StunTransactionId : IEquatable<StunTransactionId>
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 12;

    private readonly ulong _high;
    private readonly uint _low;

    /// <summary>Reads an id from its bytes.</summary>
    /// <param name="bytes">At least 12 bytes; the first 12 count.</param>
    public StunTransactionId(ReadOnlySpan<byte> bytes)
    {
        _high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
    }

    /// <summary>
    /// Draws a fresh id. RFC 8489 section 5 wants it uniformly and cryptographically random: it is what keeps a blind attacker from
    /// answering in the server's place.
    /// </summary>
    /// <param name="random">Fills a span with random bytes; in production <c>RandomNumberGenerator.Fill</c>.</param>
    public static StunTransactionId Create(Action<Span<byte>> random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> bytes = stackalloc byte[Length];
        random(bytes);
        return new StunTransactionId(bytes);
    }

    /// <summary>Writes the 12 bytes.</summary>
    /// <param name="destination">At least 12 bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], _low);
    }

    /// <inheritdoc/>
    public bool Equals(StunTransactionId other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is StunTransactionId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>Compares two ids.</summary>
    public static bool operator ==(StunTransactionId left, StunTransactionId right) => left.Equals(right);

    /// <summary>Compares two ids.</summary>
    public static bool operator !=(StunTransactionId left, StunTransactionId right) => !left.Equals(right);

    /// <summary>24 hexadecimal digits.</summary>
    public override string ToString() => $"{_high:x16}{_low:x8}";
}
