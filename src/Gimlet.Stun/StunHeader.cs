using System.Buffers.Binary;

namespace Gimlet.Stun;

/// <summary>The 20-byte header (RFC 8489 section 5): where its fields are and how class and method share the type.</summary>
internal static class StunHeader
{
    public const int Length = 20;

    public const uint MagicCookie = 0x2112A442;

    public const int AttributeHeaderLength = 4;

    private const int LengthOffset = 2;
    private const int CookieOffset = 4;
    private const int TransactionIdOffset = 8;

    // The class bits C1 and C0 sit at bits 8 and 4 of the type, with the method's bits around them (RFC 8489 section 5, figure 3).
    public static ushort EncodeType(StunClass @class, StunMethod method)
    {
        int m = (int)method & 0xFFF;
        int c = (int)@class;
        return (ushort)((m & 0x00F) | ((m & 0x070) << 1) | ((m & 0xF80) << 2) | ((c & 1) << 4) | ((c & 2) << 7));
    }

    public static StunClass ClassOf(ushort type) => (StunClass)(((type >> 4) & 1) | ((type >> 7) & 2));

    public static StunMethod MethodOf(ushort type) => (StunMethod)((type & 0x00F) | ((type >> 1) & 0x070) | ((type >> 2) & 0xF80));

    public static ushort ReadType(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16BigEndian(message);

    public static int ReadLength(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16BigEndian(message[LengthOffset..]);

    public static uint ReadCookie(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt32BigEndian(message[CookieOffset..]);

    public static StunTransactionId ReadTransactionId(ReadOnlySpan<byte> message) =>
        new(message.Slice(TransactionIdOffset, StunTransactionId.Length));

    public static void WriteLength(Span<byte> message, int length) =>
        BinaryPrimitives.WriteUInt16BigEndian(message[LengthOffset..], (ushort)length);

    public static void Write(Span<byte> message, ushort type, uint cookie, in StunTransactionId transactionId)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message, type);
        WriteLength(message, 0);
        BinaryPrimitives.WriteUInt32BigEndian(message[CookieOffset..], cookie);
        transactionId.CopyTo(message[TransactionIdOffset..]);
    }

    // RFC 8489 section 14: "values that are not a multiple of 4 bytes are padded with 1, 2, or 3 bytes of padding".
    public static int Padded(int length) => (length + 3) & ~3;
}
