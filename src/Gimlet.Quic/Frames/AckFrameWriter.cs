using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>Writes ACK frames (RFC 9000 section 19.3).</summary>
internal static class AckFrameWriter
{
    /// <summary>
    /// The most ranges that are sent. RFC 9000 section 13.2.3: "A receiver limits the number of ACK Ranges it remembers and sends in ACK
    /// frames". 64 ranges of 2 to 4 bytes leave most of a packet to other frames, and are more gaps than a burst of loss at 30 % makes in the
    /// 32 packets between two acknowledgements.
    /// </summary>
    public const int MaxRanges = 64;

    /// <summary>
    /// Writes a frame with as many ranges as fit. "If it does not, then older ranges (those with the smallest packet numbers) are
    /// omitted." (RFC 9000 section 13.2.3)
    /// </summary>
    /// <param name="writer">The payload.</param>
    /// <param name="ranges">What was received: largest numbers first, one at least, with a gap of one number at least between them.</param>
    /// <param name="delay">ACK Delay, in units of 2 to the power of our ack_delay_exponent, in microseconds.</param>
    /// <param name="ecn">The ECN counts, where they are known.</param>
    /// <returns>How many ranges were written; 0 where not even one fits.</returns>
    public static int Write(ref WireWriter writer, scoped ReadOnlySpan<AckRange> ranges, long delay, EcnCounts? ecn)
    {
        AckRange first = ranges[0];
        int fixedLength = 1
            + VariableLengthInteger.LengthOf(first.Largest)
            + VariableLengthInteger.LengthOf(delay)
            + VariableLengthInteger.LengthOf(first.Count - 1)
            + LengthOf(ecn);
        int count = CountFitting(ranges, writer.Remaining - fixedLength);
        if (count == 0)
        {
            return 0;
        }

        writer.WriteByte((byte)(ecn is null ? FrameType.Ack : FrameType.AckEcn));
        writer.WriteInteger(first.Largest);
        writer.WriteInteger(delay);
        writer.WriteInteger(count - 1);
        writer.WriteInteger(first.Count - 1);
        for (int i = 1; i < count; i++)
        {
            writer.WriteInteger(GapBetween(ranges[i - 1], ranges[i]));
            writer.WriteInteger(ranges[i].Count - 1);
        }

        if (ecn is { } counts)
        {
            writer.WriteInteger(counts.Ect0);
            writer.WriteInteger(counts.Ect1);
            writer.WriteInteger(counts.CongestionExperienced);
        }

        return count;
    }

    private static int CountFitting(ReadOnlySpan<AckRange> ranges, int room)
    {
        // The ACK Range Count field: one byte, for MaxRanges less the first is 63.
        room--;
        if (room < 0)
        {
            return 0;
        }

        int most = Math.Min(ranges.Length, MaxRanges);
        for (int i = 1; i < most; i++)
        {
            room -= VariableLengthInteger.LengthOf(GapBetween(ranges[i - 1], ranges[i])) + VariableLengthInteger.LengthOf(ranges[i].Count - 1);
            if (room < 0)
            {
                return i;
            }
        }

        return most;
    }

    // RFC 9000 section 19.3.1: "largest = previous_smallest - gap - 2".
    private static long GapBetween(AckRange above, AckRange below) => above.Smallest - below.Largest - 2;

    private static int LengthOf(EcnCounts? ecn) => ecn is { } counts
        ? VariableLengthInteger.LengthOf(counts.Ect0)
            + VariableLengthInteger.LengthOf(counts.Ect1)
            + VariableLengthInteger.LengthOf(counts.CongestionExperienced)
        : 0;
}
