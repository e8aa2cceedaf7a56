using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class CoalescedPacketsTests
{
    private static readonly ConnectionId Us = Ids.Hex("0102030405060708");
    private static readonly ConnectionId Peer = Ids.Hex("a1a2");

    [Fact]
    public void A_datagram_with_three_packets_is_taken_apart()
    {
        byte[] datagram = [.. Long(PacketType.Initial, Us), .. Long(PacketType.Handshake, Us), .. Short(Us)];
        var packets = new CoalescedPackets(datagram, Us.Length);
        int total = 0;
        List<PacketType> types = [];
        while (packets.TryRead(out PacketSlice packet))
        {
            Assert.Equal(Us, packet.Destination);
            types.Add(packet.Type);
            total += packet.Bytes.Length;
        }

        Assert.Equal([PacketType.Initial, PacketType.Handshake, PacketType.OneRtt], types);
        Assert.Equal(datagram.Length, total);
        Assert.True(packets.Rest.IsEmpty);
        Assert.Equal(0, packets.Ignored);
    }

    [Fact]
    public void Packets_to_another_id_than_the_first_are_ignored()
    {
        byte[] datagram = [.. Long(PacketType.Initial, Us), .. Long(PacketType.Handshake, Peer), .. Long(PacketType.ZeroRtt, Us)];
        var packets = new CoalescedPackets(datagram, Us.Length);
        Assert.True(packets.TryRead(out PacketSlice first));
        Assert.Equal(PacketType.Initial, first.Type);
        Assert.True(packets.TryRead(out PacketSlice second));
        Assert.Equal(PacketType.ZeroRtt, second.Type);
        Assert.False(packets.TryRead(out _));
        Assert.Equal(1, packets.Ignored);
    }

    [Fact]
    public void Zeros_behind_the_last_packet_are_no_packet()
    {
        // Some implementations fill up their first datagram outside the packets.
        byte[] datagram = [.. Long(PacketType.Initial, Us), .. new byte[100]];
        var packets = new CoalescedPackets(datagram, Us.Length);
        Assert.True(packets.TryRead(out _));
        Assert.False(packets.TryRead(out _));
        Assert.Equal(100, packets.Rest.Length);
    }

    [Fact]
    public void Retry_and_version_negotiation_come_alone()
    {
        byte[] retry = new byte[RetryPacket.LengthOf(Us, Peer, 3)];
        _ = RetryPacket.Write(retry, Us, Peer, "abc"u8, unusedBits: 0);
        byte[] negotiation = [0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        Assert.Equal(PacketType.Retry, FirstType(retry));
        Assert.Equal(PacketType.VersionNegotiation, FirstType(negotiation));

        byte[] datagram = [.. Long(PacketType.Initial, Us), .. retry];
        var packets = new CoalescedPackets(datagram, Us.Length);
        Assert.True(packets.TryRead(out _));
        Assert.False(packets.TryRead(out _));
    }

    private static PacketType FirstType(byte[] datagram)
    {
        var packets = new CoalescedPackets(datagram, Us.Length);
        Assert.True(packets.TryRead(out PacketSlice packet));
        Assert.Equal(datagram.Length, packet.Bytes.Length);
        Assert.False(packets.TryRead(out _));
        return packet.Type;
    }

    private static byte[] Long(PacketType type, in ConnectionId destination)
    {
        byte[] packet = new byte[LongHeader.LengthOf(type, destination, Peer, 0, 1) + 20];
        PacketLayout layout = LongHeader.Write(packet, type, destination, Peer, token: default, 1, 1);
        LongHeader.WriteLength(packet, layout, 20);
        return packet;
    }

    private static byte[] Short(in ConnectionId destination)
    {
        byte[] packet = new byte[50];
        _ = ShortHeader.Write(packet, destination, isSpinning: false, 1, 1);
        return packet;
    }
}
