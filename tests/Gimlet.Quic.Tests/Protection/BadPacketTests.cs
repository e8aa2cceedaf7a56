using Gimlet.Quic.Tests.Protection.Support;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>Protected packets under mutation: none opens, none makes the opener throw.</summary>
public sealed class BadPacketTests
{
    public static TheoryData<string> Names => Providers.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void No_truncated_or_mutated_packet_opens(string name)
    {
        using var pair = new OneRttPair(Providers.Get(name));
        byte[] packet = pair.Client.Seal(new string('x', 60));
        foreach (byte[] bytes in Mutations.Truncations(packet).Concat(Mutations.Random([packet], seed: 9001)))
        {
            if (!bytes.AsSpan().SequenceEqual(packet))
            {
                Assert.False(pair.Server.Open(bytes).IsOpened);
            }
        }

        Assert.True(pair.Server.Open(packet).IsOpened);
    }
}
