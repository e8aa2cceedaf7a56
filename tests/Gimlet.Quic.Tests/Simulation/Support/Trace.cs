using System.Globalization;
using System.Text;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// What happened on the wire: a hash of all of it, and the last lines for the report of a failure. Knows of a packet what an observer without keys
/// knows, and not its ciphertext: the platform draws the key shares, so that differs from run to run.
/// </summary>
internal sealed class Trace
{
    private const int Kept = 40;
    private const ulong FnvOffset = 0xcbf2_9ce4_8422_2325;
    private const ulong FnvPrime = 0x100_0000_01b3;

    private readonly (TimeSpan At, string What, SimulatedDatagram? Datagram, EndpointRole Side)[] _last
        = new (TimeSpan, string, SimulatedDatagram?, EndpointRole)[Kept];

    private long _count;

    /// <summary>The same for the same seed.</summary>
    public ulong Hash { get; private set; } = FnvOffset;

    /// <summary>Adds something that happened to a datagram.</summary>
    public void Add(TimeSpan at, string what, SimulatedDatagram datagram)
    {
        Mix(datagram.Index);
        Mix(datagram.Bytes.Length);
        Mix(datagram.Way.PathOf(datagram.From).Value);
        foreach (PacketType type in datagram.Types)
        {
            Mix((int)type);
        }

        Add(at, what, datagram, datagram.From);
    }

    /// <summary>Adds something that happened to a side.</summary>
    public void Add(TimeSpan at, string what, EndpointRole side) => Add(at, what, datagram: null, side);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (long i = Math.Max(0, _count - Kept); i < _count; i++)
        {
            (TimeSpan at, string what, SimulatedDatagram? datagram, EndpointRole side) = _last[i % Kept];
            text.Append(CultureInfo.InvariantCulture, $"  {at.TotalMilliseconds,10:F3} ms  {what,-10} {datagram?.ToString() ?? side.ToString()}\n");
        }

        return text.ToString();
    }

    private void Add(TimeSpan at, string what, SimulatedDatagram? datagram, EndpointRole side)
    {
        Mix(at.Ticks);
        Mix((int)side);
        foreach (char c in what)
        {
            Mix(c);
        }

        _last[_count++ % Kept] = (at, what, datagram, side);
    }

    private void Mix(long value)
    {
        for (int i = 0; i < sizeof(long); i++)
        {
            Hash = (Hash ^ (byte)value) * FnvPrime;
            value >>= 8;
        }
    }
}
