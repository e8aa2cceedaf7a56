using System.Buffers.Binary;

namespace Gimlet.Quic.Interop.Wire;

/// <summary>Loses datagrams at random, both ways.</summary>
internal sealed class RandomLoss(double probability, int seed) : IWireRule
{
    private readonly Random _random = new(seed);

    /// <summary>So many were lost.</summary>
    public int Lost { get; private set; }

    public bool Passes(WireDirection direction, Span<byte> datagram)
    {
        bool isLost = _random.NextDouble() < probability;
        Lost += isLost ? 1 : 0;
        return !isLost;
    }
}

/// <summary>Does something each time that so many datagrams more have gone one way, before the last of them goes on.</summary>
internal sealed class Every(int count, WireDirection direction, Action<UdpForwarder> action, int times = int.MaxValue) : IWireRule
{
    private UdpForwarder? _wire;
    private int _seen;

    /// <summary>So often it was done.</summary>
    public int Times { get; private set; }

    public void Attach(UdpForwarder wire) => _wire = wire;

    public bool Passes(WireDirection towards, Span<byte> datagram)
    {
        if (towards == direction && ++_seen % count == 0 && Times < times)
        {
            Times++;
            action(_wire!);
        }

        return true;
    }
}

/// <summary>
/// Counts who got a Retry or a Version Negotiation packet, which are a datagram each (RFC 9000 section 12.2), by the client's connection id: one who
/// asked twice on a slow machine counts once.
/// </summary>
internal sealed class StatelessAnswerCount : IWireRule
{
    private readonly HashSet<string> _retries = [];
    private readonly HashSet<string> _versionNegotiations = [];

    public int Retries => _retries.Count;

    public int VersionNegotiations => _versionNegotiations.Count;

    public bool Passes(WireDirection direction, Span<byte> datagram)
    {
        if (direction == WireDirection.ToClient && LongHeader.TryReadVersion(datagram, out uint version))
        {
            // RFC 8999 section 5.1: the length of the Destination Connection ID follows the version.
            string client = Convert.ToHexString(datagram.Slice(6, datagram[5]));
            if (version == 0)
            {
                _ = _versionNegotiations.Add(client);
            }
            else if ((datagram[0] & 0x30) == 0x30)
            {
                // RFC 9000 section 17.2.5: type 3.
                _ = _retries.Add(client);
            }
        }

        return true;
    }
}

/// <summary>
/// Gives the client's first datagram a version that no server has: it draws a Version Negotiation packet that lists the client's own version.
/// </summary>
internal sealed class StrangeVersion : IWireRule
{
    // RFC 9000 section 15: reserved to exercise version negotiation.
    private const uint Reserved = 0x1a2a3a4a;

    private bool _isDone;

    public bool Passes(WireDirection direction, Span<byte> datagram)
    {
        if (!_isDone && direction == WireDirection.ToServer && LongHeader.TryReadVersion(datagram, out _))
        {
            _isDone = true;
            BinaryPrimitives.WriteUInt32BigEndian(datagram[1..], Reserved);
        }

        return true;
    }
}

internal static class LongHeader
{
    // RFC 8999 section 5.1: the first bit says that the version follows.
    public static bool TryReadVersion(ReadOnlySpan<byte> datagram, out uint version)
    {
        bool isLong = datagram.Length > 5 && (datagram[0] & 0x80) != 0;
        version = isLong ? BinaryPrimitives.ReadUInt32BigEndian(datagram[1..]) : 0;
        return isLong;
    }
}
