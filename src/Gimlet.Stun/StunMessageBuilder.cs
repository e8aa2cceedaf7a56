using System.Buffers.Binary;

namespace Gimlet.Stun;

/// <summary>
/// Writes a message into a span, front to back, allocating nothing. The attributes have their writers in
/// <c>Gimlet.Stun.Attributes</c>.
/// </summary>
/// <remarks>
/// A buffer that is too small never throws: the attribute that does not fit is left out, <see cref="Overflowed"/> is set for good,
/// and <see cref="Length"/> is 0, so nothing incomplete is ever sent. Check once, at the end.
/// Order matters: MESSAGE-INTEGRITY, then MESSAGE-INTEGRITY-SHA256, then FINGERPRINT come last (RFC 8489 sections 14.5 to 14.7).
/// </remarks>
public ref struct StunMessageBuilder
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Starts a message with the magic cookie.</summary>
    /// <param name="buffer">Where the message goes.</param>
    /// <param name="class">Request, indication, success or error.</param>
    /// <param name="method">The method.</param>
    /// <param name="transactionId">The transaction id.</param>
    public StunMessageBuilder(Span<byte> buffer, StunClass @class, StunMethod method, scoped in StunTransactionId transactionId)
        : this(buffer, StunHeader.EncodeType(@class, method), StunHeader.MagicCookie, transactionId)
    {
    }

    private StunMessageBuilder(Span<byte> buffer, ushort type, uint cookie, scoped in StunTransactionId transactionId)
    {
        _buffer = buffer;
        if (buffer.Length < StunHeader.Length)
        {
            Overflowed = true;
            return;
        }

        StunHeader.Write(buffer, type, cookie, transactionId);
        _length = StunHeader.Length;
    }

    /// <summary>True once something did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>The length of the message in bytes; 0 when something did not fit.</summary>
    public readonly int Length => Overflowed ? 0 : _length;

    /// <summary>The message so far; empty when something did not fit.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[..Length];

    /// <summary>The message so far, for attributes that cover what precedes them.</summary>
    internal readonly Span<byte> Buffer => _buffer;

    /// <summary>Starts the response to a request: same method, same transaction id (all 128 bits for RFC 3489).</summary>
    /// <param name="buffer">Where the message goes; it must not overlap the request.</param>
    /// <param name="class"><see cref="StunClass.Success"/> or <see cref="StunClass.Error"/>.</param>
    /// <param name="request">The request.</param>
    public static StunMessageBuilder ResponseTo(Span<byte> buffer, StunClass @class, scoped in StunMessage request) =>
        new(buffer, StunHeader.EncodeType(@class, request.Method), request.Cookie, request.TransactionId);

    /// <summary>Starts a message without the magic cookie (RFC 3489).</summary>
    /// <param name="buffer">Where the message goes.</param>
    /// <param name="class">Request, success or error.</param>
    /// <param name="method">The method.</param>
    /// <param name="leading">The first 32 bits of the transaction id; not the magic cookie.</param>
    /// <param name="transactionId">The last 96 bits of the transaction id.</param>
    public static StunMessageBuilder Legacy(
        Span<byte> buffer, StunClass @class, StunMethod method, uint leading, scoped in StunTransactionId transactionId) =>
        new(buffer, StunHeader.EncodeType(@class, method), leading, transactionId);

    /// <summary>Adds an attribute.</summary>
    /// <param name="type">The type.</param>
    /// <param name="value">The value; padding is added.</param>
    public void Add(StunAttributeType type, scoped ReadOnlySpan<byte> value)
    {
        if (TryReserve(type, value.Length, out Span<byte> target))
        {
            value.CopyTo(target);
        }
    }

    /// <summary>Adds an attribute whose value is a 32-bit number.</summary>
    /// <param name="type">The type.</param>
    /// <param name="value">The value.</param>
    public void Add(StunAttributeType type, uint value)
    {
        if (TryReserve(type, sizeof(uint), out Span<byte> target))
        {
            BinaryPrimitives.WriteUInt32BigEndian(target, value);
        }
    }

    /// <summary>Adds an attribute whose value is a 64-bit number.</summary>
    /// <param name="type">The type.</param>
    /// <param name="value">The value.</param>
    public void Add(StunAttributeType type, ulong value)
    {
        if (TryReserve(type, sizeof(ulong), out Span<byte> target))
        {
            BinaryPrimitives.WriteUInt64BigEndian(target, value);
        }
    }

    /// <summary>Adds the header of an attribute and hands out the room for its value, which the caller fills completely.</summary>
    /// <param name="type">The type.</param>
    /// <param name="length">The length of the value in bytes.</param>
    /// <param name="value">The room for the value.</param>
    /// <returns>False when it does not fit.</returns>
    public bool TryReserve(StunAttributeType type, int length, out Span<byte> value)
    {
        int padded = StunHeader.Padded(length);
        int next = _length + StunHeader.AttributeHeaderLength + padded;

        // The header's length field has 16 bits, of which the last two are zero.
        if (Overflowed || length < 0 || next > _buffer.Length || next - StunHeader.Length > ushort.MaxValue - 3)
        {
            Overflowed = true;
            value = default;
            return false;
        }

        Span<byte> attribute = _buffer[_length..next];
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)length);
        value = attribute.Slice(StunHeader.AttributeHeaderLength, length);

        // RFC 8489 section 14: "The padding bits MUST be set to zero on sending".
        attribute[(StunHeader.AttributeHeaderLength + length)..].Clear();
        _length = next;
        StunHeader.WriteLength(_buffer, next - StunHeader.Length);
        return true;
    }
}
