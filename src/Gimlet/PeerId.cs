using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Gimlet.Identity;

namespace Gimlet;

/// <summary>
/// Who a node is: the SHA-256 of its P-256 SubjectPublicKeyInfo (91 bytes, uncompressed point). Its text is 56 characters of
/// lower-case base32 over a version byte, the hash and a two-byte checksum, so that a typing error is named as one.
/// </summary>
public readonly struct PeerId : IEquatable<PeerId>, IComparable<PeerId>
{
    /// <summary>The length of the hash in bytes.</summary>
    public const int Size = 32;

    /// <summary>The length of the text in characters.</summary>
    public const int TextLength = 56;

    private const byte Version = 1;
    private const int BinaryLength = 1 + Size + 2;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Makes an id from the 32 bytes of the hash.</summary>
    /// <param name="hash">The SHA-256 of the SubjectPublicKeyInfo.</param>
    public PeerId(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Size)
        {
            throw new ArgumentException($"A peer id is a hash of {Size} bytes, not {hash.Length}.", nameof(hash));
        }

        _a = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _b = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
    }

    /// <summary>True for <c>default</c>: no id at all.</summary>
    public bool IsEmpty => (_a | _b | _c | _d) == 0;

    /// <summary>The id of a public key.</summary>
    /// <param name="subjectPublicKeyInfo">The key as DER SubjectPublicKeyInfo.</param>
    public static PeerId FromPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        Span<byte> hash = stackalloc byte[Size];
        _ = SHA256.HashData(subjectPublicKeyInfo, hash);
        return new PeerId(hash);
    }

    /// <summary>Writes the 32 bytes of the hash.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>Reads the text form.</summary>
    /// <param name="text">56 characters of base32; case does not matter, white space around it neither.</param>
    /// <param name="id">The id.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id) => TryParse(text, out id, out _);

    /// <summary>Reads the text form, and says in words what is wrong with it.</summary>
    /// <param name="text">56 characters of base32; case does not matter, white space around it neither.</param>
    /// <param name="id">The id.</param>
    /// <param name="problem">What is wrong, when the result is false.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id, [NotNullWhen(false)] out string? problem)
    {
        id = default;
        ReadOnlySpan<char> trimmed = text.AsSpan().Trim();
        if (trimmed.Length != TextLength)
        {
            problem = $"a peer id has {TextLength} characters, this has {trimmed.Length}";
            return false;
        }

        Span<byte> bytes = stackalloc byte[BinaryLength];
        if (!Base32.TryDecode(trimmed, bytes, out int badIndex))
        {
            problem = $"character {badIndex + 1}, '{trimmed[badIndex]}', is not one of a-z and 2-7";
            return false;
        }

        Span<byte> checksum = stackalloc byte[2];
        Checksum(bytes[..^2], checksum);
        if (!checksum.SequenceEqual(bytes[^2..]))
        {
            problem = "the checksum does not match: there is a typing error in this peer id";
            return false;
        }

        if (bytes[0] != Version)
        {
            problem = $"this peer id is of version {bytes[0]}, this program knows version {Version}: a newer Gimlet made it";
            return false;
        }

        id = new PeerId(bytes[1..^2]);
        problem = null;
        return true;
    }

    /// <summary>Reads the text form.</summary>
    /// <param name="text">56 characters of base32.</param>
    /// <exception cref="FormatException">The text is not a peer id; the message says where it is wrong.</exception>
    public static PeerId Parse(string text) =>
        TryParse(text, out PeerId id, out string? problem) ? id : throw new FormatException($"'{text}' is not a peer id: {problem}.");

    /// <summary>The 56-character text.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[BinaryLength];
        bytes[0] = Version;
        CopyTo(bytes[1..]);
        Checksum(bytes[..^2], bytes[^2..]);
        return Base32.Encode(bytes);
    }

    /// <summary>The first ten characters, for log lines and tables.</summary>
    public string ToShortString() => ToString()[..10];

    /// <inheritdoc/>
    public bool Equals(PeerId other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is PeerId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_a, _b);

    /// <summary>Orders ids as their bytes; the smaller id has the say where two nodes need one (see docs/protocol.md).</summary>
    /// <param name="other">The other id.</param>
    public int CompareTo(PeerId other)
    {
        int order = _a.CompareTo(other._a);
        order = order != 0 ? order : _b.CompareTo(other._b);
        order = order != 0 ? order : _c.CompareTo(other._c);
        return order != 0 ? order : _d.CompareTo(other._d);
    }

    /// <summary>Compares ids.</summary>
    public static bool operator ==(PeerId left, PeerId right) => left.Equals(right);

    /// <summary>Compares ids.</summary>
    public static bool operator !=(PeerId left, PeerId right) => !left.Equals(right);

    /// <summary>Orders ids as their bytes.</summary>
    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;

    /// <summary>Orders ids as their bytes.</summary>
    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;

    /// <summary>Orders ids as their bytes.</summary>
    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;

    /// <summary>Orders ids as their bytes.</summary>
    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;

    private static void Checksum(ReadOnlySpan<byte> versionAndHash, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[Size];
        _ = SHA256.HashData(versionAndHash, hash);
        hash[..2].CopyTo(checksum);
    }
}
