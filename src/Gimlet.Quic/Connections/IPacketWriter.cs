using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>What <see cref="DatagramBuilder"/> needs of the connection: numbers, headers and keys of its spaces.</summary>
internal interface IPacketWriter
{
    /// <summary>The number of the next packet of a space.</summary>
    long NextPacketNumber(PacketSpace space);

    /// <summary>The length of a packet's header with its number, in bytes.</summary>
    int HeaderLength(PacketSpace space, long number);

    /// <summary>Writes a header.</summary>
    PacketLayout WriteHeader(PacketSpace space, long number, Span<byte> packet);

    /// <summary>Seals a packet and remembers it as sent.</summary>
    void Seal(PacketSpace space, Span<byte> packet, in PacketLayout layout, long number, int payloadLength, bool isPadded);
}
