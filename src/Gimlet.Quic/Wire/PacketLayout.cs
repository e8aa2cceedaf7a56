namespace Gimlet.Quic.Wire;

/// <summary>Where the parts of a packet being written are, counted from its first byte.</summary>
/// <param name="LengthOffset">The Length field of a long header, two bytes wide; <see cref="NoLength"/> in a short one.</param>
/// <param name="PacketNumberOffset">The packet number.</param>
/// <param name="PacketNumberLength">1 to 4 bytes.</param>
internal readonly record struct PacketLayout(int LengthOffset, int PacketNumberOffset, int PacketNumberLength)
{
    /// <summary>A short header has no Length field.</summary>
    public const int NoLength = -1;

    /// <summary>Where the frames begin.</summary>
    public int PayloadOffset => PacketNumberOffset + PacketNumberLength;

    /// <summary>Whether the header is long.</summary>
    public bool IsLong => LengthOffset != NoLength;
}
