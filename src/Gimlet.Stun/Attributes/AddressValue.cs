using System.Buffers.Binary;
using Gimlet.Sockets;

namespace Gimlet.Stun.Attributes;

/// <summary>The value that all address attributes share (RFC 8489 section 14.1): zero, family, port, address.</summary>
internal static class AddressValue
{
    private const byte FamilyIPv4 = 0x01;
    private const byte FamilyIPv6 = 0x02;
    private const int AddressOffset = 4;

    public static bool TryRead(ReadOnlySpan<byte> value, out TransportAddress address)
    {
        address = default;
        if (!HasShapeOfAddress(value))
        {
            return false;
        }

        address = new TransportAddress(value[AddressOffset..], BinaryPrimitives.ReadUInt16BigEndian(value[2..]));
        return true;
    }

    // RFC 8489 section 14.2: the port is XORed with the cookie's first half, the address with the cookie and the transaction id.
    public static bool TryReadXor(ReadOnlySpan<byte> value, ReadOnlySpan<byte> message, out TransportAddress address)
    {
        address = default;
        if (!HasShapeOfAddress(value))
        {
            return false;
        }

        ReadOnlySpan<byte> mask = message.Slice(4, 16);
        Span<byte> plain = stackalloc byte[16];
        plain = plain[..(value.Length - AddressOffset)];
        for (int i = 0; i < plain.Length; i++)
        {
            plain[i] = (byte)(value[AddressOffset + i] ^ mask[i]);
        }

        int port = BinaryPrimitives.ReadUInt16BigEndian(value[2..]) ^ BinaryPrimitives.ReadUInt16BigEndian(mask);
        address = new TransportAddress(plain, port);
        return true;
    }

    public static void Add(ref StunMessageBuilder builder, StunAttributeType type, TransportAddress address)
    {
        if (builder.TryReserve(type, AddressOffset + address.AddressLength, out Span<byte> value))
        {
            WritePlain(value, address);
        }
    }

    public static void AddXor(ref StunMessageBuilder builder, StunAttributeType type, TransportAddress address)
    {
        if (!builder.TryReserve(type, AddressOffset + address.AddressLength, out Span<byte> value))
        {
            return;
        }

        WritePlain(value, address);
        ReadOnlySpan<byte> mask = builder.Buffer.Slice(4, 16);
        value[2] ^= mask[0];
        value[3] ^= mask[1];
        for (int i = AddressOffset; i < value.Length; i++)
        {
            value[i] ^= mask[i - AddressOffset];
        }
    }

    // The first byte is ignored on receipt (RFC 8489 section 14.1); family and length must agree.
    private static bool HasShapeOfAddress(ReadOnlySpan<byte> value) => value.Length switch
    {
        AddressOffset + 4 => value[1] == FamilyIPv4,
        AddressOffset + 16 => value[1] == FamilyIPv6,
        _ => false,
    };

    private static void WritePlain(Span<byte> value, TransportAddress address)
    {
        if (address.IsEmpty)
        {
            throw new ArgumentException("An empty transport address has no wire form.", nameof(address));
        }

        value[0] = 0;
        value[1] = address.IsIPv6 ? FamilyIPv6 : FamilyIPv4;
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)address.Port);
        _ = address.WriteAddress(value[AddressOffset..]);
    }
}
