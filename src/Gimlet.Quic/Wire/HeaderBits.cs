namespace Gimlet.Quic.Wire;

/// <summary>The bits of a packet's first byte (RFC 9000 section 17).</summary>
internal static class HeaderBits
{
    /// <summary>Header Form: set in long headers (RFC 8999 section 5).</summary>
    public const byte Long = 0x80;

    /// <summary>
    /// Fixed Bit. Always set by us and demanded of others: it is what tells QUIC from STUN on the shared socket, so RFC 9287 greasing is
    /// never offered.
    /// </summary>
    public const byte Fixed = 0x40;

    /// <summary>Long Packet Type.</summary>
    public const byte TypeMask = 0x30;

    /// <summary>How far the type is shifted.</summary>
    public const int TypeShift = 4;

    /// <summary>The latency spin bit (RFC 9000 section 17.4).</summary>
    public const byte Spin = 0x20;

    /// <summary>The reserved bits of a long header.</summary>
    public const byte LongReserved = 0x0c;

    /// <summary>The reserved bits of a short header.</summary>
    public const byte ShortReserved = 0x18;

    /// <summary>Key Phase (RFC 9001 section 6).</summary>
    public const byte KeyPhase = 0x04;

    /// <summary>Packet Number Length, less one.</summary>
    public const byte PacketNumberLengthMask = 0x03;

    public static bool IsLong(byte first) => (first & Long) != 0;

    public static bool IsFixed(byte first) => (first & Fixed) != 0;
}
