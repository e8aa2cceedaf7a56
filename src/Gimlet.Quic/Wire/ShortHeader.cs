namespace Gimlet.Quic.Wire;

/// <summary>The header of 1-RTT packets (RFC 9000 section 17.3), up to the packet number, which is protected.</summary>
/// <param name="Destination">The id.</param>
/// <param name="IsSpinning">The latency spin bit.</param>
internal readonly record struct ShortHeader(ConnectionId Destination, bool IsSpinning)
{
    /// <summary>Where the packet number begins.</summary>
    public int PacketNumberOffset => 1 + Destination.Length;

    /// <summary>Reads a header. False means: drop the packet.</summary>
    /// <param name="packet">The packet: all that is left of the datagram.</param>
    /// <param name="idLength">The length of the ids this endpoint gives out.</param>
    /// <param name="header">The header.</param>
    public static bool TryRead(ReadOnlySpan<byte> packet, int idLength, out ShortHeader header)
    {
        header = default;

        // RFC 9000 section 17.3.1: "Packets containing a zero value for this bit are not valid packets in this version and MUST be discarded."
        if (packet.Length < 1 + idLength || HeaderBits.IsLong(packet[0]) || !HeaderBits.IsFixed(packet[0]))
        {
            return false;
        }

        header = new ShortHeader(new ConnectionId(packet.Slice(1, idLength)), (packet[0] & HeaderBits.Spin) != 0);
        return true;
    }

    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    public static int LengthOf(in ConnectionId destination, int packetNumberLength) => 1 + destination.Length + packetNumberLength;

    /// <summary>Writes a header with its packet number. The Key Phase bit is set when the packet is sealed.</summary>
    /// <param name="packet">Where the packet begins.</param>
    /// <param name="destination">The peer's id.</param>
    /// <param name="isSpinning">The latency spin bit.</param>
    /// <param name="packetNumber">The full packet number.</param>
    /// <param name="packetNumberLength">How many of its bytes are sent.</param>
    public static PacketLayout Write(
        Span<byte> packet, in ConnectionId destination, bool isSpinning, long packetNumber, int packetNumberLength)
    {
        // RFC 9000 section 17.3.1: the reserved bits: "The value included prior to protection MUST be set to 0."
        packet[0] = (byte)(HeaderBits.Fixed | (isSpinning ? HeaderBits.Spin : 0) | (packetNumberLength - 1));
        destination.CopyTo(packet[1..]);
        var layout = new PacketLayout(PacketLayout.NoLength, 1 + destination.Length, packetNumberLength);
        PacketNumber.Write(packet.Slice(layout.PacketNumberOffset, packetNumberLength), packetNumber);
        return layout;
    }
}
