using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class VariableLengthIntegerTests
{
    // RFC 9000 appendix A.1, table 13.
    public static TheoryData<string, long> AppendixA1 => new()
    {
        { "c2197c5eff14e88c", 151_288_809_941_952_652 },
        { "9d7f3e7d", 494_878_333 },
        { "7bbd", 15_293 },
        { "25", 37 },
    };

    [Theory]
    [MemberData(nameof(AppendixA1))]
    public void The_vectors_of_the_standard_are_read_and_written(string hex, long expected)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.True(VariableLengthInteger.TryRead(bytes, out long value, out int length));
        Assert.Equal(expected, value);
        Assert.Equal(bytes.Length, length);

        byte[] written = new byte[bytes.Length];
        Assert.Equal(bytes.Length, VariableLengthInteger.Write(written, expected));
        Assert.Equal(bytes, written);
    }

    [Fact]
    public void A_longer_encoding_than_necessary_is_read()
    {
        // RFC 9000 appendix A.1: "the two-byte sequence 0x4025 decodes to 37".
        Assert.True(VariableLengthInteger.TryRead([0x40, 0x25], out long value, out int length));
        Assert.Equal(37, value);
        Assert.Equal(2, length);

        byte[] written = new byte[2];
        VariableLengthInteger.Write(written, 37, 2);
        Assert.Equal([0x40, 0x25], written);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 2)]
    [InlineData(16_383, 2)]
    [InlineData(16_384, 4)]
    [InlineData(1_073_741_823, 4)]
    [InlineData(1_073_741_824, 8)]
    [InlineData(VariableLengthInteger.MaxValue, 8)]
    public void The_shortest_length_changes_at_the_limits_of_table_4(long value, int length)
    {
        byte[] bytes = new byte[8];
        Assert.Equal(length, VariableLengthInteger.LengthOf(value));
        Assert.Equal(length, VariableLengthInteger.Write(bytes, value));
        Assert.True(VariableLengthInteger.TryRead(bytes.AsSpan(0, length), out long read, out int readLength));
        Assert.Equal((value, length), (read, readLength));
    }

    [Theory]
    [InlineData("")]
    [InlineData("40")]
    [InlineData("800000")]
    [InlineData("c0000000000000")]
    public void Bytes_that_end_too_soon_are_no_integer(string hex)
    {
        Assert.False(VariableLengthInteger.TryRead(Convert.FromHexString(hex), out long value, out int length));
        Assert.Equal((0, 0), (value, length));
    }

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => VariableLengthInteger.Write(new byte[8], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => VariableLengthInteger.Write(new byte[8], VariableLengthInteger.MaxValue + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => VariableLengthInteger.Write(new byte[8], 16_384, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => VariableLengthInteger.Write(new byte[8], 1, 3));
    }
}
