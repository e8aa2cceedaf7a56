namespace Gimlet.Simulation;

/// <summary>
/// Writes what happens to every packet, with virtual time; exists only while a seed is being reproduced. Callers test for null
/// before they build a line, so a world without a trace pays one comparison.
/// </summary>
internal sealed class SimTrace(TextWriter writer)
{
    /// <summary>Turns a payload into words; tests set what knows their protocol.</summary>
    public Func<ReadOnlyMemory<byte>, string>? Describe { get; set; }

    public void Write(TimeSpan now, string who, string what) => writer.WriteLine($"{now.TotalMilliseconds,12:F3} {who,-12} {what}");

    public void Write(TimeSpan now, string who, string verb, Packet packet)
    {
        string words = Describe is null || packet.Kind != PacketKind.Datagram ? string.Empty : " " + Describe(packet.Payload.ToArray());
        Write(now, who, $"{verb,-9} {packet}{words}");
    }
}
