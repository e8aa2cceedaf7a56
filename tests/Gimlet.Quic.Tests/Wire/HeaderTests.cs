using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class HeaderTests
{
    private static readonly ConnectionId Client = Ids.Hex("c1c2c3c4");
    private static readonly ConnectionId Server = Ids.Hex("5152535455565758");

    [Theory]
    [InlineData((int)PacketType.Initial, "", 1)]
    [InlineData((int)PacketType.Initial, "746f6b656e", 4)]
    [InlineData((int)PacketType.ZeroRtt, "", 2)]
    [InlineData((int)PacketType.Handshake, "", 3)]
    public void A_long_header_is_read_as_it_was_written(int packetType, string token, int numberLength)
    {
        var type = (PacketType)packetType;
        byte[] tokenBytes = Convert.FromHexString(token);
        byte[] packet = new byte[200];
        PacketLayout layout = LongHeader.Write(packet, type, Server, Client, tokenBytes, 0x1234_5678, numberLength);
        LongHeader.WriteLength(packet, layout, 100);
        Assert.Equal(LongHeader.LengthOf(type, Server, Client, tokenBytes.Length, numberLength), layout.PayloadOffset);

        Assert.True(LongHeader.TryRead(packet, out LongHeader header));
        Assert.Equal(type, header.Type);
        Assert.Equal((Server, Client), (header.Destination, header.Source));
        Assert.Equal(tokenBytes, header.Token.ToArray());
        Assert.Equal(layout.PacketNumberOffset, header.PacketNumberOffset);
        Assert.Equal(layout.PayloadOffset + 100, header.PacketLength);
        Assert.Equal(numberLength - 1, packet[0] & HeaderBits.PacketNumberLengthMask);
        Assert.Equal(0, packet[0] & HeaderBits.LongReserved);
        Assert.Equal(
            0x1234_5678 & ((1L << (8 * numberLength)) - 1),
            PacketNumber.ReadTruncated(packet.AsSpan(layout.PacketNumberOffset, numberLength)));
    }

    [Fact]
    public void A_long_header_that_version_1_forbids_is_not_read()
    {
        byte[] packet = Sample(PacketType.Handshake);
        Assert.True(LongHeader.TryRead(packet, out _));
        Assert.False(LongHeader.TryRead(With(packet, 0, (byte)(packet[0] & ~HeaderBits.Fixed)), out _));
        Assert.False(LongHeader.TryRead(With(packet, 0, (byte)(packet[0] | 0x30)), out _)); // Retry
        Assert.False(LongHeader.TryRead(With(packet, 4, 2), out _)); // version 2
        Assert.False(LongHeader.TryRead(packet.AsSpan(0, packet.Length - 1), out _)); // Length says more

        byte[] longId = [packet[0], 0, 0, 0, 1, 21, .. new byte[21], 0, 4, 0, 0, 0, 0];
        Assert.False(LongHeader.TryRead(longId, out _));
        Assert.True(InvariantHeader.TryReadLong(longId, out InvariantHeader invariant));
        Assert.Equal(21, invariant.DestinationConnectionId.Length);
    }

    [Fact]
    public void A_short_header_is_read_as_it_was_written()
    {
        byte[] packet = new byte[40];
        PacketLayout layout = ShortHeader.Write(packet, Server, isSpinning: true, 0xabcdef, 2);
        Assert.Equal(ShortHeader.LengthOf(Server, 2), layout.PayloadOffset);
        Assert.False(layout.IsLong);
        Assert.Equal(0, packet[0] & HeaderBits.ShortReserved);
        Assert.True(ShortHeader.TryRead(packet, Server.Length, out ShortHeader header));
        Assert.Equal(new ShortHeader(Server, IsSpinning: true), header);
        Assert.Equal(layout.PacketNumberOffset, header.PacketNumberOffset);
        Assert.Equal([0xcd, 0xef], packet[layout.PacketNumberOffset..layout.PayloadOffset]);

        Assert.False(ShortHeader.TryRead(With(packet, 0, 0x01), Server.Length, out _));
        Assert.False(ShortHeader.TryRead(packet.AsSpan(0, 8), Server.Length, out _));
    }

    [Fact]
    public void A_Retry_packet_is_read_as_it_was_written()
    {
        byte[] packet = new byte[RetryPacket.LengthOf(Client, Server, 5)];
        int length = RetryPacket.Write(packet, Client, Server, "token"u8, unusedBits: 0xff);
        Assert.Equal(packet.Length - RetryPacket.TagLength, length);
        packet.AsSpan(length).Fill(0xee);

        Assert.True(RetryPacket.TryRead(packet, out RetryPacket retry));
        Assert.Equal((Client, Server), (retry.Destination, retry.Source));
        Assert.Equal("token"u8, retry.Token);
        Assert.Equal(packet[..length], retry.WithoutTag.ToArray());
        Assert.Equal(packet[length..], retry.Tag.ToArray());
    }

    [Fact]
    public void A_Retry_packet_without_a_token_is_dropped()
    {
        byte[] packet = new byte[RetryPacket.LengthOf(Client, Server, 0)];
        _ = RetryPacket.Write(packet, Client, Server, token: default, unusedBits: 0);
        Assert.False(RetryPacket.TryRead(packet, out _));
    }

    [Fact]
    public void Version_negotiation_answers_a_version_of_which_only_the_invariants_are_known()
    {
        byte[] destination = [.. Enumerable.Repeat((byte)0xd0, 255)];
        byte[] source = [.. Enumerable.Repeat((byte)0x50, 33)];
        byte[] foreign = [0x80, 0xfa, 0xce, 0xb0, 0x0c, 255, .. destination, 33, .. source, 1, 2, 3];
        Assert.True(InvariantHeader.TryRead(foreign, 8, out InvariantHeader received));
        Assert.True(received.IsLong);
        Assert.False(received.Version.IsSupported());

        QuicVersion reserved = QuicVersions.Reserved(0x1234_5678);
        Assert.True(reserved.IsReserved());
        Assert.False(QuicVersion.Version1.IsReserved());
        byte[] answer = new byte[VersionNegotiationPacket.LengthOf(33, 255, 2)];
        Assert.Equal(answer.Length, VersionNegotiationPacket.Write(answer, received, [QuicVersion.Version1, reserved], unusedBits: 0));
        Assert.Equal(0xc0, answer[0]);

        Assert.True(VersionNegotiationPacket.TryRead(answer, out VersionNegotiationPacket packet));
        Assert.Equal(source, packet.DestinationConnectionId.ToArray());
        Assert.Equal(destination, packet.SourceConnectionId.ToArray());
        Assert.Equal(2, packet.VersionCount);
        Assert.True(packet.Lists(QuicVersion.Version1));
        Assert.True(packet.Lists(reserved));
        Assert.False(packet.Lists((QuicVersion)0x6b33_43cf));
    }

    [Fact]
    public void A_list_of_versions_that_is_empty_or_cut_is_ignored()
    {
        byte[] header = [0xc0, 0, 0, 0, 0, 1, 0xaa, 1, 0xbb];
        Assert.False(VersionNegotiationPacket.TryRead(header, out _));
        Assert.False(VersionNegotiationPacket.TryRead([.. header, 0, 0, 0], out _));
        Assert.True(VersionNegotiationPacket.TryRead([.. header, 0, 0, 0, 1], out _));
    }

    private static byte[] Sample(PacketType type)
    {
        byte[] packet = new byte[LongHeader.LengthOf(type, Server, Client, 0, 2) + 30];
        PacketLayout layout = LongHeader.Write(packet, type, Server, Client, token: default, 7, 2);
        LongHeader.WriteLength(packet, layout, 30);
        return packet;
    }

    private static byte[] With(byte[] packet, int at, byte value)
    {
        byte[] copy = [.. packet];
        copy[at] = value;
        return copy;
    }
}
