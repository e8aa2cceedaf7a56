using System.Numerics;

namespace Gimlet.Quic.Wire;

/// <summary>Packet numbers on the wire (RFC 9000 section 17.1): only as many low bytes as the receiver needs.</summary>
internal static class PacketNumber
{
    /// <summary>Stands for "no packet yet" where a largest packet number is asked for.</summary>
    public const long None = -1;

    /// <summary>The longest encoding in bytes.</summary>
    public const int MaxLength = 4;

    /// <summary>How many bytes a packet number needs (RFC 9000 appendix A.2).</summary>
    /// <param name="packetNumber">The number being sent.</param>
    /// <param name="largestAcknowledged">The largest number the peer acknowledged in this space, or <see cref="None"/>.</param>
    /// <returns>1 to 4. A sender never has 2^31 packets unacknowledged, so 4 is always enough.</returns>
    public static int LengthOf(long packetNumber, long largestAcknowledged)
    {
        // RFC 9000 section 17.1: "the sender MUST use a packet number size able to represent more than twice as large a range as the
        // difference between the largest acknowledged packet number and the packet number being sent."
        // "More than": a power of two gets one bit more than in the pseudocode of appendix A.2. With None = -1 the difference is the
        // whole number plus one, so "the full packet number" is included before anything was acknowledged.
        int bits = BitOperations.Log2((ulong)(packetNumber - largestAcknowledged)) + 2;
        return Math.Min((bits + 7) / 8, MaxLength);
    }

    /// <summary>Writes the low bytes of a packet number.</summary>
    /// <param name="destination">Exactly the bytes of the field, 1 to 4.</param>
    /// <param name="packetNumber">The full number.</param>
    public static void Write(Span<byte> destination, long packetNumber)
    {
        for (int i = destination.Length - 1; i >= 0; i--)
        {
            destination[i] = (byte)packetNumber;
            packetNumber >>= 8;
        }
    }

    /// <summary>Reads the truncated number.</summary>
    /// <param name="source">Exactly the bytes of the field, 1 to 4.</param>
    public static long ReadTruncated(ReadOnlySpan<byte> source)
    {
        long value = 0;
        foreach (byte b in source)
        {
            value = (value << 8) | b;
        }

        return value;
    }

    /// <summary>Recovers the full number (RFC 9000 appendix A.3).</summary>
    /// <param name="truncated">What was on the wire, after header protection was removed.</param>
    /// <param name="length">How many bytes that was, 1 to 4.</param>
    /// <param name="largestReceived">The largest number of an authenticated packet in this space, or <see cref="None"/>.</param>
    public static long Decode(long truncated, int length, long largestReceived)
    {
        // RFC 9000 section 17.1: "the packet number is decoded by finding the packet number value that is closest to the next expected
        // packet. The next expected packet is the highest received packet number plus one."
        long expected = largestReceived + 1;
        long window = 1L << (length * 8);
        long half = window / 2;
        long candidate = (expected & ~(window - 1)) | truncated;
        if (candidate <= expected - half && candidate < VariableLengthInteger.MaxValue + 1 - window)
        {
            return candidate + window;
        }

        return candidate > expected + half && candidate >= window ? candidate - window : candidate;
    }
}
