using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

/// <summary>Every reader of headers and parameters against every truncation and ten thousand mutations.</summary>
public sealed class BadInputTests
{
    private static readonly ConnectionId Us = Ids.Hex("0102030405060708");
    private static readonly byte[][] Datagrams = MakeDatagrams();

    [Fact]
    public void No_truncated_or_mutated_datagram_makes_a_reader_throw()
    {
        int packets = 0;
        foreach (byte[] bytes in Datagrams.SelectMany(Mutations.Truncations).Concat(Mutations.Random(Datagrams, seed: 9000)))
        {
            packets += ReadAll(bytes);
        }

        // Had all been turned away by the first byte, the rest would not have been tried at all.
        Assert.InRange(packets, Mutations.Count / 4, 4 * Mutations.Count);
    }

    [Fact]
    public void A_truncated_long_header_is_no_packet()
    {
        foreach (byte[] bytes in Mutations.Truncations(Datagrams[0]))
        {
            Assert.False(LongHeader.TryRead(bytes, out _));
        }
    }

    [Fact]
    public void No_truncated_or_mutated_transport_parameters_make_the_reader_throw()
    {
        byte[] valid = TransportParameterTests.Write(TransportParameterTests.Everything, EndpointRole.Server);
        int read = 0;
        foreach (byte[] bytes in Mutations.Truncations(valid).Concat(Mutations.Random([valid], seed: 18)))
        {
            bool isValid = TransportParameterReader.TryRead(bytes, EndpointRole.Server, out TransportParameters parameters, out QuicError error);
            Assert.Equal(!isValid, error.IsError);
            if (isValid)
            {
                // What was understood can be said again.
                read++;
                byte[] again = TransportParameterTests.Write(parameters, EndpointRole.Server);
                Assert.True(TransportParameterReader.TryRead(again, EndpointRole.Server, out TransportParameters same, out _));
                Assert.Equal(parameters, same);
            }
        }

        Assert.InRange(read, Mutations.Count / 20, Mutations.Count);
    }

    private static int ReadAll(byte[] bytes)
    {
        _ = InvariantHeader.TryRead(bytes, Us.Length, out _);
        _ = ShortHeader.TryRead(bytes, Us.Length, out _);
        _ = LongHeader.TryRead(bytes, out _);
        _ = RetryPacket.TryRead(bytes, out _);
        if (VersionNegotiationPacket.TryRead(bytes, out VersionNegotiationPacket negotiation))
        {
            _ = negotiation.Lists((QuicVersion)0xffff_ffff);
        }

        int count = 0;
        var packets = new CoalescedPackets(bytes, Us.Length);
        while (packets.TryRead(out PacketSlice packet))
        {
            Assert.InRange(packet.Bytes.Length, 1, bytes.Length);
            Assert.InRange(packet.PacketNumberOffset, 0, packet.Bytes.Length);
            count++;
        }

        return count;
    }

    private static byte[][] MakeDatagrams()
    {
        ConnectionId peer = Ids.Hex("a1a2a3");
        byte[] initial = new byte[60];
        LongHeader.WriteLength(initial, LongHeader.Write(initial, PacketType.Initial, Us, peer, "token"u8, 1, 2), 30);
        LongHeader.TryRead(initial, out LongHeader header);
        initial = initial[..header.PacketLength];
        byte[] handshake = new byte[60];
        LongHeader.WriteLength(handshake, LongHeader.Write(handshake, PacketType.Handshake, Us, peer, token: default, 1, 2), 30);
        LongHeader.TryRead(handshake, out header);
        handshake = handshake[..header.PacketLength];
        byte[] oneRtt = new byte[40];
        _ = ShortHeader.Write(oneRtt, Us, isSpinning: false, 3, 1);
        byte[] retry = new byte[RetryPacket.LengthOf(Us, peer, 9)];
        _ = RetryPacket.Write(retry, Us, peer, "the token"u8, unusedBits: 0);
        byte[] negotiation = [0xc0, 0, 0, 0, 0, 3, 1, 2, 3, 0, 0x6b, 0x33, 0x43, 0xcf, 0, 0, 0, 1];
        return [initial, [.. initial, .. handshake, .. oneRtt], oneRtt, retry, negotiation];
    }
}
