using System.Diagnostics.CodeAnalysis;

namespace Gimlet;

/// <summary>The id of one attempt to connect to a peer; it appears in every log line and JSON event about it. Text: 32 hex digits.</summary>
public readonly struct CallId : IEquatable<CallId>
{
    /// <summary>The length in bytes.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    internal CallId(ReadOnlySpan<byte> bytes) => _value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);

    internal void CopyTo(Span<byte> destination) => System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(destination, _value);

    /// <summary>Reads 32 hex digits.</summary>
    /// <param name="text">The text.</param>
    /// <param name="id">The id.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out CallId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (text is not { Length: 2 * Size } || Convert.FromHexString(text, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != Size)
        {
            return false;
        }

        id = new CallId(bytes);
        return true;
    }

    /// <summary>Reads 32 hex digits in ASCII, without an allocation.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> ascii, out CallId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (ascii.Length != 2 * Size || Convert.FromHexString(ascii, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != Size)
        {
            return false;
        }

        id = new CallId(bytes);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(CallId other) => _value == other._value;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is CallId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();

    /// <summary>Compares ids.</summary>
    public static bool operator ==(CallId left, CallId right) => left.Equals(right);

    /// <summary>Compares ids.</summary>
    public static bool operator !=(CallId left, CallId right) => !left.Equals(right);
}
