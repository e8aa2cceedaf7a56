using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection;

public sealed class AeadLimitTests
{
    [Fact]
    public void The_limits_are_those_of_the_standard()
    {
        Assert.Equal(8_388_608, AeadLimits.Gcm.Confidentiality);
        Assert.Equal(4_503_599_627_370_496, AeadLimits.Gcm.Integrity);
    }

    [Fact]
    public void An_update_is_due_at_half_of_the_confidentiality_limit_and_starts_the_count_again()
    {
        using var pair = new OneRttPair(BclProvider.Instance, limits: new AeadLimits(Confidentiality: 4, Integrity: 100));
        Assert.True(pair.Server.Open(pair.Client.Seal()).IsOpened);
        Assert.False(pair.Client.Keys.IsUpdateDue);
        _ = pair.Client.Seal();
        Assert.True(pair.Client.Keys.IsUpdateDue);
        Assert.False(pair.Client.Acknowledged(0).IsError);
        Assert.True(pair.Client.Keys.TryUpdate());
        Assert.False(pair.Client.Keys.IsUpdateDue);
        Assert.True(pair.Server.Open(pair.Client.Seal()).IsOpened);
    }

    [Fact]
    public void Nothing_is_sealed_beyond_the_confidentiality_limit()
    {
        using var pair = new OneRttPair(BclProvider.Instance, limits: new AeadLimits(Confidentiality: 3, Integrity: 100));
        for (int i = 0; i < 3; i++)
        {
            Assert.True(pair.Client.Keys.CanSeal);
            _ = pair.Client.Seal();
        }

        Assert.False(pair.Client.Keys.CanSeal);
        Assert.Throws<InvalidOperationException>(() => pair.Client.Seal());

        using var sealer = new PacketSealer(
            BclProvider.Instance, PacketCipher.Aes128GcmSha256, new byte[32], new AeadLimits(Confidentiality: 0, Integrity: 1));
        Assert.False(sealer.CanSeal);
        Assert.Throws<InvalidOperationException>(() => sealer.Seal(new byte[100], new PacketLayout(PacketLayout.NoLength, 1, 4), 0, 20));
    }

    [Fact]
    public void Too_many_forgeries_end_the_connection()
    {
        using var pair = new OneRttPair(BclProvider.Instance, limits: new AeadLimits(Confidentiality: 100, Integrity: 3));
        byte[] packet = pair.Client.Seal(), forged = [.. packet];
        forged[^1] ^= 1;
        Assert.Equal(OpenResult.NotAuthentic, pair.Server.Open(forged).Result);
        Assert.Equal(OpenResult.NotAuthentic, pair.Server.Open(forged).Result);
        OpenedPacket third = pair.Server.Open(forged);
        Assert.Equal((OpenResult.LimitReached, TransportErrorCode.AeadLimitReached), (third.Result, third.Error.Code));

        // "and not process any more packets"
        Assert.Equal(OpenResult.LimitReached, pair.Server.Open(packet).Result);
    }

    [Fact]
    public void A_payload_that_leaves_no_sample_is_a_mistake_of_the_caller()
    {
        using var pair = new OneRttPair(BclProvider.Instance);
        Assert.Equal([3, 2, 1, 0], Enumerable.Range(1, 4).Select(HeaderProtection.MinPayloadLength));
        byte[] packet = new byte[100];
        PacketLayout layout = ShortHeader.Write(packet, OneRttPair.Id, isSpinning: false, 0, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Client.Keys.Seal(packet, layout, 0, 2));
        int length = pair.Client.Keys.Seal(packet, layout, 0, 3);
        Assert.Equal(1 + 8 + 1 + 3 + 16, length);
        Assert.True(pair.Server.Open(packet[..length]).IsOpened);
    }
}
