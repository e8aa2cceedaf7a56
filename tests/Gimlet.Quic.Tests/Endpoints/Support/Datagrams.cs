using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints.Support;

/// <summary>Datagrams as strangers send them: headers are true, what is behind them is random.</summary>
internal static class Datagrams
{
    public static byte[] Initial(
        in ConnectionId destination, in ConnectionId source, ReadOnlySpan<byte> token = default, int length = 1200, PacketType type = PacketType.Initial)
    {
        byte[] datagram = new byte[length];
        Random.Shared.NextBytes(datagram);
        PacketLayout layout = LongHeader.Write(datagram, type, destination, source, token, packetNumber: 0, packetNumberLength: 1);
        LongHeader.WriteLength(datagram, layout, length - layout.PayloadOffset);
        return datagram;
    }

    public static byte[] Short(in ConnectionId destination, int length)
    {
        byte[] datagram = new byte[length];
        Random.Shared.NextBytes(datagram);
        datagram[0] = (byte)((datagram[0] & 0x3f) | 0x40);
        destination.CopyTo(datagram.AsSpan(1));
        return datagram;
    }

    public static byte[] OfVersion(uint version, in ConnectionId destination, in ConnectionId source, int length = 1200)
    {
        byte[] datagram = new byte[length];
        Random.Shared.NextBytes(datagram);
        var writer = new WireWriter(datagram);
        InvariantHeader.WriteLong(ref writer, 0xc0, (QuicVersion)version, destination, source);
        return datagram;
    }
}
