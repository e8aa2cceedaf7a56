using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>RFC 9001 appendix A.2 and A.3, byte for byte, in both directions, with both implementations.</summary>
public sealed class InitialPacketVectorTests
{
    private static readonly ConnectionId ServerId = Ids.Hex("f067a5502a4262b5");

    public static TheoryData<string> Names => Providers.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_client_Initial_is_sealed_and_opened(string name)
    {
        byte[] frames = new byte[1162];
        Rfc9001.Bytes("Client Initial", 0).CopyTo(frames, 0);
        AssertPacket(
            name,
            EndpointRole.Client,
            destination: Rfc9001.OriginalDestination,
            source: default,
            new Sample(2, 4, frames, Rfc9001.Bytes("Client Initial", 1), Rfc9001.Bytes("Client Initial", 3)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_server_Initial_is_sealed_and_opened(string name) => AssertPacket(
        name,
        EndpointRole.Server,
        destination: default,
        source: ServerId,
        new Sample(1, 2, Rfc9001.Bytes("Server Initial", 0), Rfc9001.Bytes("Server Initial", 1), Rfc9001.Bytes("Server Initial", 3)));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_masks_are_those_of_the_standard(string name)
    {
        foreach ((string section, int block) in (IEnumerable<(string Section, int Block)>)[("Client Initial", 1), ("Server Initial", 2)])
        {
            using IHeaderProtector header = Providers.Get(name)
                .CreateHeaderProtector(PacketCipher.Aes128GcmSha256, Rfc9001.Value("Keys", block, "hp"));
            byte[] mask = new byte[16];
            header.Mask(Rfc9001.Value(section, 2, "sample"), mask);
            Assert.Equal(Rfc9001.Value(section, 2, "mask"), mask[..5]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_packet_in_which_one_bit_was_changed_does_not_open(string name)
    {
        byte[] packet = Rfc9001.Bytes("Server Initial", 3);
        Assert.True(LongHeader.TryRead(packet, out LongHeader header));
        int offset = header.PacketNumberOffset;
        using PacketOpener opener = Opener(name, EndpointRole.Client, out ForgeryCount forgeries);
        for (int i = 0; i < packet.Length; i++)
        {
            byte[] changed = [.. packet];
            changed[i] ^= 1;
            Assert.Equal(OpenResult.NotAuthentic, opener.Open(changed, offset, PacketNumber.None).Result);

            // The end of the datagram is still there for the comparison with stateless reset tokens.
            Assert.Equal(packet[^15..], changed[^15..].Select((b, at) => (byte)(at == i - packet.Length + 15 ? b ^ 1 : b)));
        }

        Assert.Equal(packet.Length, forgeries.Count);
        Assert.True(opener.Open([.. packet], offset, PacketNumber.None).IsOpened);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_packet_that_is_too_short_for_a_sample_is_dropped(string name)
    {
        byte[] packet = Rfc9001.Bytes("Server Initial", 3);
        Assert.True(LongHeader.TryRead(packet, out LongHeader header));
        using PacketOpener opener = Opener(name, EndpointRole.Client, out ForgeryCount forgeries);
        for (int length = 0; length < header.PacketNumberOffset + 20; length++)
        {
            Assert.Equal(OpenResult.TooShort, opener.Open(packet.AsSpan(0, length), header.PacketNumberOffset, PacketNumber.None).Result);
        }

        Assert.Equal(0, forgeries.Count);
        OpenedPacket shortest = opener.Open(packet.AsSpan(0, header.PacketNumberOffset + 20), header.PacketNumberOffset, PacketNumber.None);
        Assert.Equal(OpenResult.NotAuthentic, shortest.Result);
    }

    private static PacketOpener Opener(string name, EndpointRole role, out ForgeryCount forgeries)
    {
        using var secrets = InitialSecrets.Derive(Rfc9001.OriginalDestination);
        forgeries = new ForgeryCount(AeadLimits.Gcm);
        return new PacketOpener(Providers.Get(name), PacketCipher.Aes128GcmSha256, secrets.ReadSecret(role), forgeries);
    }

    private static void AssertPacket(string name, EndpointRole sender, in ConnectionId destination, in ConnectionId source, Sample sample)
    {
        using var secrets = InitialSecrets.Derive(Rfc9001.OriginalDestination);
        using var sealer = new PacketSealer(Providers.Get(name), PacketCipher.Aes128GcmSha256, secrets.WriteSecret(sender), AeadLimits.Gcm);
        byte[] packet = new byte[sample.Packet.Length];
        PacketLayout layout =
            LongHeader.Write(packet, PacketType.Initial, destination, source, token: default, sample.Number, sample.NumberLength);
        LongHeader.WriteLength(packet, layout, sample.Frames.Length + PacketCiphers.TagLength);
        Assert.Equal(sample.Header, packet[..layout.PayloadOffset]);
        sample.Frames.CopyTo(packet, layout.PayloadOffset);
        Assert.Equal(packet.Length, sealer.Seal(packet, layout, sample.Number, sample.Frames.Length));
        Assert.Equal(sample.Packet, packet);

        EndpointRole receiver = sender == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;
        using PacketOpener opener = Opener(name, receiver, out _);
        var packets = new CoalescedPackets(packet, destination.Length);
        Assert.True(packets.TryRead(out PacketSlice slice));
        Assert.Equal((PacketType.Initial, destination, source), (slice.Type, slice.Destination, slice.Source));
        OpenedPacket opened = opener.Open(slice.Bytes, slice.PacketNumberOffset, PacketNumber.None);
        Assert.True(opened.IsOpened);
        Assert.Equal(sample.Number, opened.PacketNumber);
        Assert.Equal(sample.Header, packet[..opened.PayloadOffset]);
        Assert.Equal(sample.Frames, packet[opened.PayloadOffset..(opened.PayloadOffset + opened.PayloadLength)]);
    }

    private sealed record Sample(long Number, int NumberLength, byte[] Frames, byte[] Header, byte[] Packet);
}
