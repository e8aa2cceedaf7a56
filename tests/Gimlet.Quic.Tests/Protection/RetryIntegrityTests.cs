using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>RFC 9001 appendix A.4.</summary>
public sealed class RetryIntegrityTests
{
    public static TheoryData<string> Names => Providers.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_Retry_packet_of_the_standard_is_made_and_verified(string name)
    {
        byte[] expected = Rfc9001.Bytes("Retry", 0);
        using var integrity = new RetryIntegrity(Providers.Get(name));
        byte[] packet = new byte[expected.Length];
        int length = RetryPacket.Write(packet, client: default, Ids.Hex("f067a5502a4262b5"), "token"u8, unusedBits: 0x0f);
        integrity.WriteTag(Rfc9001.OriginalDestination, packet.AsSpan(0, length), packet.AsSpan(length));
        Assert.Equal(expected, packet);

        Assert.True(RetryPacket.TryRead(packet, out RetryPacket retry));
        Assert.True(integrity.IsValid(Rfc9001.OriginalDestination, retry));
        Assert.False(integrity.IsValid(Ids.Hex("8394c8f03e515709"), retry));
        Assert.False(integrity.IsValid(Ids.Hex("8394c8f03e51570800"), retry));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_changed_or_oversized_Retry_packet_is_not_valid(string name)
    {
        byte[] valid = Rfc9001.Bytes("Retry", 0);
        using var integrity = new RetryIntegrity(Providers.Get(name));
        for (int i = 0; i < valid.Length; i++)
        {
            byte[] changed = [.. valid];
            changed[i] ^= 1;
            Assert.False(RetryPacket.TryRead(changed, out RetryPacket retry) && integrity.IsValid(Rfc9001.OriginalDestination, retry));
        }

        byte[] padded = [.. valid[..^16], .. new byte[60_000]];
        Assert.True(RetryPacket.TryRead(padded, out RetryPacket oversized));
        Assert.False(integrity.IsValid(Rfc9001.OriginalDestination, oversized));
    }
}
