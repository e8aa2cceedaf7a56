using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>A datagram under way, as its sender made it.</summary>
internal sealed class SimulatedDatagram
{
    private PacketType[]? _types;

    public required EndpointRole From { get; init; }

    /// <summary>Which way it goes.</summary>
    public required Way Way { get; init; }

    /// <summary>It is the sender's so-manieth, counted from 0, over all ways.</summary>
    public required int Index { get; init; }

    public required TimeSpan SentAt { get; init; }

    public required byte[] Bytes { get; init; }

    public EcnCodepoint Ecn { get; set; }

    /// <summary>The packets in it, as far as headers tell.</summary>
    public IReadOnlyList<PacketType> Types => _types ??= ReadTypes();

    public bool Contains(PacketType type) => Types.Contains(type);

    /// <summary>The Destination Connection ID of the first packet; empty for what is not QUIC.</summary>
    public ConnectionId Destination =>
        InvariantHeader.TryRead(Bytes, SimulatedRoutes.IdLength, out InvariantHeader header)
        && header.DestinationConnectionId.Length <= ConnectionId.MaxLength
            ? new ConnectionId(header.DestinationConnectionId)
            : default;

    /// <summary>The same again.</summary>
    public SimulatedDatagram Copy(byte[]? bytes = null) =>
        new() { From = From, Way = Way, Index = Index, SentAt = SentAt, Bytes = bytes ?? [.. Bytes], Ecn = Ecn };

    /// <inheritdoc/>
    public override string ToString() => $"{From} #{Index} {Bytes.Length} B on {Way.Name} [{string.Join('+', Types)}]";

    private PacketType[] ReadTypes()
    {
        var types = new List<PacketType>();
        var packets = new CoalescedPackets(Bytes, SimulatedRoutes.IdLength);
        while (packets.TryRead(out PacketSlice packet))
        {
            types.Add(packet.Type);
        }

        return [.. types];
    }
}
