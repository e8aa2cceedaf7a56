namespace Gimlet.Quic.Frames;

/// <summary>Packet numbers that were received, without a gap.</summary>
/// <param name="Smallest">The first.</param>
/// <param name="Largest">The last; not less than the first.</param>
internal readonly record struct AckRange(long Smallest, long Largest)
{
    /// <summary>How many packet numbers these are.</summary>
    public long Count => Largest - Smallest + 1;

    public bool Contains(long packetNumber) => packetNumber >= Smallest && packetNumber <= Largest;
}
