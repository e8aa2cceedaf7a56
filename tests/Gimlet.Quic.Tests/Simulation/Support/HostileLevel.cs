using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>What a <see cref="HostilePeer"/> knows of one level.</summary>
internal sealed class HostileLevel : IDisposable
{
    public RawKeys? Read { get; set; }

    public RawKeys? Write { get; set; }

    public long NextNumber { get; set; }

    public long Largest { get; set; } = PacketNumber.None;

    /// <summary>All numbers that came.</summary>
    public SortedSet<long> Numbers { get; } = [];

    public bool MustAcknowledge { get; set; }

    public long CryptoRead { get; set; }

    public long CryptoWritten { get; set; }

    /// <summary>Acknowledges the newest 1,000 that came.</summary>
    public byte[] MakeAck()
    {
        var ranges = new List<AckRange>();
        int count = 0;
        foreach (long number in Numbers.Reverse())
        {
            if (ranges.Count > 0 && ranges[^1].Smallest == number + 1)
            {
                ranges[^1] = ranges[^1] with { Smallest = number };
            }
            else
            {
                ranges.Add(new AckRange(number, number));
            }

            if (++count == 1000)
            {
                break;
            }
        }

        byte[] bytes = new byte[1000];
        var writer = new WireWriter(bytes);
        AckFrameWriter.Write(ref writer, ranges.ToArray(), delay: 0, ecn: null);
        return bytes[..writer.Position];
    }

    public void Dispose()
    {
        Read?.Dispose();
        Write?.Dispose();
    }
}
