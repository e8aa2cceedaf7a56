using Gimlet.Sockets;

namespace Gimlet.Simulation;

internal enum PacketKind
{
    /// <summary>A UDP datagram.</summary>
    Datagram,

    /// <summary>
    /// An ICMP-like notification that a datagram did not arrive. Its destination is the datagram's source, and
    /// <see cref="Packet.Quoted"/> the datagram's destination, both as they were where the datagram died.
    /// </summary>
    Unreachable,
}

/// <summary>A packet on its way; pooled by its world.</summary>
internal sealed class Packet
{
    /// <summary>Ethernet's payload: what is larger would be fragmented, which nothing in this project may rely on (RFC 8899).</summary>
    public const int MaxBytes = 1500;

    private readonly byte[] _buffer = new byte[MaxBytes];

    public PacketKind Kind { get; set; }

    public TransportAddress Source { get; set; }

    public TransportAddress Destination { get; set; }

    public TransportAddress Quoted { get; set; }

    public int TimeToLive { get; set; }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(0, Length);

    public void SetPayload(ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(_buffer);
        Length = payload.Length;
    }

    public void CopyFrom(Packet other)
    {
        Kind = other.Kind;
        Source = other.Source;
        Destination = other.Destination;
        Quoted = other.Quoted;
        TimeToLive = other.TimeToLive;
        SetPayload(other.Payload);
    }

    public override string ToString() => Kind == PacketKind.Datagram
        ? $"{Source} -> {Destination} {Length} B"
        : $"{Source} -> {Destination} unreachable {Quoted}";
}

/// <summary>The packets that are not on their way; one pool per world, so no locks.</summary>
internal sealed class PacketPool
{
    private readonly Stack<Packet> _free = new();

    public Packet Rent() => _free.TryPop(out Packet? packet) ? packet : new Packet();

    public void Return(Packet packet) => _free.Push(packet);
}
