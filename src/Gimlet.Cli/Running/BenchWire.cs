using System.Buffers.Binary;

namespace Gimlet.Cli.Running;

/// <summary>
/// The bytes of <c>gimlet.bench.1</c>. The dialler's unidirectional streams are data, which the listener counts and throws away. Its bidirectional
/// streams ask for data: 4 bytes, for how many milliseconds, big-endian, and the end. The listener opens one unidirectional stream with reports.
/// </summary>
internal static class BenchWire
{
    /// <summary>Bytes of what asks for data.</summary>
    public const int RequestLength = sizeof(uint);

    /// <summary>Bytes of a report.</summary>
    public const int ReportLength = 3 * sizeof(long);

    /// <summary>One write: enough that handing it over costs nothing beside sending it.</summary>
    public const int BlockLength = 64 * 1024;

    /// <summary>An hour: the most that is asked for, and that a listener sends.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Between two reports. Ten in a second: what the last one does not say yet is a hundredth of a run of 10 s.</summary>
    public static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Writes a request.</summary>
    /// <param name="duration">For how long.</param>
    public static byte[] Request(TimeSpan duration)
    {
        byte[] request = new byte[RequestLength];
        BinaryPrimitives.WriteUInt32BigEndian(request, (uint)duration.TotalMilliseconds);
        return request;
    }

    /// <summary>Reads a request; one for longer than <see cref="Longest"/> is one for that long.</summary>
    /// <param name="request">The bytes.</param>
    public static TimeSpan ReadRequest(ReadOnlySpan<byte> request)
    {
        var asked = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(request));
        return asked < Longest ? asked : Longest;
    }
}

/// <summary>What the listener knows.</summary>
/// <param name="Received">Bytes of the dialler's streams that were read, all together.</param>
/// <param name="Elapsed">From the first of them to this report.</param>
/// <param name="LostBytes">As <see cref="GimletConnection.BytesLost"/>, of what the listener sends.</param>
internal readonly record struct BenchReport(long Received, TimeSpan Elapsed, long LostBytes)
{
    /// <summary>Reads a report.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <returns>With negative figures, which nobody has, taken for zero.</returns>
    public static BenchReport Read(ReadOnlySpan<byte> bytes) => new(
        Math.Max(0, BinaryPrimitives.ReadInt64BigEndian(bytes)),
        TimeSpan.FromMicroseconds(Math.Clamp(BinaryPrimitives.ReadInt64BigEndian(bytes[sizeof(long)..]), 0, (long)BenchWire.Longest.TotalMicroseconds * 2)),
        Math.Max(0, BinaryPrimitives.ReadInt64BigEndian(bytes[(2 * sizeof(long))..])));

    /// <summary>Writes it.</summary>
    /// <param name="bytes">Gets <see cref="BenchWire.ReportLength"/> bytes.</param>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes, Received);
        BinaryPrimitives.WriteInt64BigEndian(bytes[sizeof(long)..], (long)Elapsed.TotalMicroseconds);
        BinaryPrimitives.WriteInt64BigEndian(bytes[(2 * sizeof(long))..], LostBytes);
    }
}
