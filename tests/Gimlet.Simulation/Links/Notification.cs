using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>Makes ICMP-like notifications (RFC 792 and RFC 4443, destination unreachable).</summary>
internal static class Notification
{
    /// <summary>Tells the sender of a datagram that it did not arrive.</summary>
    /// <param name="world">The world.</param>
    /// <param name="datagram">The datagram; stays the caller's.</param>
    /// <param name="from">Who says so.</param>
    public static Packet Of(World world, Packet datagram, TransportAddress from)
    {
        Packet packet = world.Packets.Rent();
        packet.Kind = PacketKind.Unreachable;
        packet.Source = from.WithPort(0);
        packet.Destination = datagram.Source;
        packet.Quoted = datagram.Destination;
        packet.TimeToLive = 64;
        packet.SetPayload([]);
        return packet;
    }
}
