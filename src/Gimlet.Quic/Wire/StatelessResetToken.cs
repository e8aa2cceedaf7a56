using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Gimlet.Quic.Wire;

/// <summary>The 16 bytes that prove a stateless reset (RFC 9000 section 10.3).</summary>
internal readonly struct StatelessResetToken : IEquatable<StatelessResetToken>
{
    /// <summary>The length in bytes.</summary>
    public const int Length = 16;

    private readonly ulong _high;
    private readonly ulong _low;

    /// <summary>Copies a token.</summary>
    /// <param name="bytes">At least 16 bytes; the first 16 count.</param>
    public StatelessResetToken(ReadOnlySpan<byte> bytes)
    {
        _high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <inheritdoc/>
    // RFC 9000 section 10.3.1: "When comparing a datagram to stateless reset token values, endpoints MUST perform the comparison
    // without leaking information about the value of the token." No branch depends on where the two differ.
    public bool Equals(StatelessResetToken other) => ((_high ^ other._high) | (_low ^ other._low)) == 0;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is StatelessResetToken other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>Says nothing of the value: it is a secret until it is used.</summary>
    public override string ToString() => "stateless reset token";

    public static bool operator ==(StatelessResetToken left, StatelessResetToken right) => left.Equals(right);

    public static bool operator !=(StatelessResetToken left, StatelessResetToken right) => !left.Equals(right);
}
