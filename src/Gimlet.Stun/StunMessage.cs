using System.Buffers.Binary;

namespace Gimlet.Stun;

/// <summary>
/// A STUN message: a view of a datagram that was checked when it was parsed. Reading allocates nothing and copies nothing;
/// the view is valid as long as the bytes are. The attributes have their readers in <c>Gimlet.Stun.Attributes</c>.
/// </summary>
/// <remarks>
/// RFC 8489 section 14: any attribute may appear more than once; only the first one of a type counts here.
/// </remarks>
public readonly ref struct StunMessage
{
    /// <summary>The length of the header in bytes.</summary>
    public const int HeaderLength = StunHeader.Length;

    /// <summary>The fixed value of bytes 4 to 7 of each message since RFC 5389.</summary>
    public const uint MagicCookie = StunHeader.MagicCookie;

    private StunMessage(ReadOnlySpan<byte> bytes)
    {
        Bytes = bytes;
    }

    /// <summary>The whole message.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Request, indication, success or error.</summary>
    public StunClass Class => StunHeader.ClassOf(StunHeader.ReadType(Bytes));

    /// <summary>The method. It may be a number that the registry does not know.</summary>
    public StunMethod Method => StunHeader.MethodOf(StunHeader.ReadType(Bytes));

    /// <summary>The magic cookie, or the first 32 bits of an RFC 3489 transaction id.</summary>
    public uint Cookie => StunHeader.ReadCookie(Bytes);

    /// <summary>True for a message without the magic cookie: it follows RFC 3489, and its transaction id has 128 bits.</summary>
    public bool IsLegacy => Cookie != StunHeader.MagicCookie;

    /// <summary>The transaction id.</summary>
    public StunTransactionId TransactionId => StunHeader.ReadTransactionId(Bytes);

    /// <summary>
    /// Tells STUN from the other protocols of a shared socket by its first bytes (RFC 9443: first byte 0 to 3) and the magic
    /// cookie. Cheap; says nothing about the rest.
    /// </summary>
    /// <param name="datagram">What arrived.</param>
    public static bool LooksLikeStun(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderLength && datagram[0] <= 3 && StunHeader.ReadCookie(datagram) == StunHeader.MagicCookie;

    /// <summary>Reads a message of RFC 8489 (or RFC 5389): cookie, exact length, whole attributes.</summary>
    /// <param name="datagram">What arrived, from its first to its last byte.</param>
    /// <param name="message">The message, when the bytes are one.</param>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunMessage message) =>
        Parse(datagram, allowLegacy: false, out message) == StunFormatError.None;

    /// <summary>Reads a message of RFC 8489 or of RFC 3489, which had no magic cookie.</summary>
    /// <param name="datagram">What arrived, from its first to its last byte.</param>
    /// <param name="message">The message, when the bytes are one; see <see cref="IsLegacy"/>.</param>
    public static bool TryParseAny(ReadOnlySpan<byte> datagram, out StunMessage message) =>
        Parse(datagram, allowLegacy: true, out message) == StunFormatError.None;

    /// <summary>Reads a message and says what is wrong with it.</summary>
    /// <param name="datagram">What arrived, from its first to its last byte.</param>
    /// <param name="allowLegacy">True to accept messages without the magic cookie.</param>
    /// <param name="message">The message, when the result is <see cref="StunFormatError.None"/>.</param>
    public static StunFormatError Parse(ReadOnlySpan<byte> datagram, bool allowLegacy, out StunMessage message)
    {
        message = default;
        if (datagram.Length < HeaderLength)
        {
            return StunFormatError.TooShort;
        }

        // RFC 8489 section 5: "The most significant 2 bits of every STUN message MUST be zeroes."
        if (datagram[0] > 0x3F)
        {
            return StunFormatError.NotStun;
        }

        if (!allowLegacy && StunHeader.ReadCookie(datagram) != StunHeader.MagicCookie)
        {
            return StunFormatError.NoMagicCookie;
        }

        int length = StunHeader.ReadLength(datagram);
        if ((length & 3) != 0)
        {
            return StunFormatError.LengthNotAligned;
        }

        // Over UDP one datagram is one message; trailing bytes would be unread data that somebody else might read.
        if (length != datagram.Length - HeaderLength)
        {
            return StunFormatError.LengthMismatch;
        }

        int position = HeaderLength;
        while (position < datagram.Length)
        {
            // The length is a multiple of 4 and so is each step, so the four bytes of an attribute's header are there.
            int value = BinaryPrimitives.ReadUInt16BigEndian(datagram[(position + 2)..]);
            position += StunHeader.AttributeHeaderLength + StunHeader.Padded(value);
        }

        if (position > datagram.Length)
        {
            return StunFormatError.AttributeOverrun;
        }

        message = new StunMessage(datagram);
        return StunFormatError.None;
    }

    /// <summary>Walks the attributes that count, in their order.</summary>
    public StunAttributeEnumerator GetEnumerator() => new(Bytes);

    /// <summary>Finds the first attribute of a type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="attribute">The attribute, when there is one that counts.</param>
    public bool TryGet(StunAttributeType type, out StunAttribute attribute)
    {
        foreach (StunAttribute candidate in this)
        {
            if (candidate.Type == type)
            {
                attribute = candidate;
                return true;
            }
        }

        attribute = default;
        return false;
    }

    /// <summary>Finds the value of the first attribute of a type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="value">The value without padding, when there is such an attribute.</param>
    public bool TryGetValue(StunAttributeType type, out ReadOnlySpan<byte> value)
    {
        bool found = TryGet(type, out StunAttribute attribute);
        value = attribute.Value;
        return found;
    }

    /// <summary>True when an attribute of the type is there and counts.</summary>
    /// <param name="type">The type.</param>
    public bool Contains(StunAttributeType type) => TryGet(type, out _);
}
