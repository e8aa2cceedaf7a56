using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class PacketNumberTests
{
    [Theory]
    [InlineData(0xac5c02, 0xabe8b3, 2)] // RFC 9000 appendix A.2
    [InlineData(0xace8fe, 0xabe8b3, 3)] // RFC 9000 appendix A.2
    [InlineData(0, PacketNumber.None, 1)]
    [InlineData(126, PacketNumber.None, 1)]
    [InlineData(127, PacketNumber.None, 2)] // 128 numbers: "more than twice" that is more than a byte holds
    [InlineData(1L << 40, (1L << 40) - 1, 1)]
    [InlineData((1L << 31) - 1, 0, 4)]
    public void As_many_bytes_are_sent_as_the_receiver_needs(long number, long acknowledged, int length) =>
        Assert.Equal(length, PacketNumber.LengthOf(number, acknowledged));

    [Fact]
    public void The_example_of_the_standard_is_decoded() =>
        Assert.Equal(0xa82f9b32, PacketNumber.Decode(0x9b32, 2, 0xa82f30ea)); // RFC 9000 appendix A.3

    [Fact]
    public void Packet_numbers_at_the_ends_of_their_range_are_decoded()
    {
        Assert.Equal(0, PacketNumber.Decode(0, 1, PacketNumber.None));
        Assert.Equal(255, PacketNumber.Decode(255, 1, 200));

        // Nothing below zero: the candidate one window lower does not exist.
        Assert.Equal(0xff, PacketNumber.Decode(0xff, 1, PacketNumber.None));

        // Nothing above 2^62 - 1: the candidate one window higher does not exist.
        Assert.Equal(VariableLengthInteger.MaxValue - 0xff, PacketNumber.Decode(0x00, 1, VariableLengthInteger.MaxValue - 1));
    }

    [Fact]
    public void What_a_sender_truncates_a_receiver_recovers()
    {
        var random = new Random(9000);
        Span<byte> field = stackalloc byte[PacketNumber.MaxLength];
        for (int i = 0; i < 20_000; i++)
        {
            long acknowledged = random.NextInt64(PacketNumber.None, VariableLengthInteger.MaxValue >> random.Next(1, 62));
            long inFlight = 1 + random.NextInt64(1L << random.Next(31));
            long number = acknowledged + inFlight;
            int length = PacketNumber.LengthOf(number, acknowledged);

            // The receiver has got something from what was acknowledged to twice as far as what is on its way.
            long received = acknowledged + random.NextInt64(2 * inFlight);
            PacketNumber.Write(field[..length], number);
            Assert.Equal(number, PacketNumber.Decode(PacketNumber.ReadTruncated(field[..length]), length, received));
        }
    }
}
