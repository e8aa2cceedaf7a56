using System.Text;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Tests.Codec;

public sealed class Crc32Tests
{
    // The fast table against the definition, through the only door there is: a fingerprint over every length of tail.
    [Fact]
    public void The_fingerprint_is_the_CRC_of_its_definition_whatever_the_length()
    {
        var random = new Random(7);
        for (int length = 0; length < 64; length++)
        {
            byte[] value = new byte[length];
            random.NextBytes(value);
            var builder = new StunMessageBuilder(new byte[128], StunClass.Request, StunMethod.Binding, new StunTransactionId(new byte[12]));
            builder.Add(StunAttributeType.Software, value);
            builder.AddFingerprint();
            ReadOnlySpan<byte> bytes = builder.Written;
            uint expected = BitByBit(bytes[..^8]) ^ 0x5354554e;

            Assert.Equal(expected, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[^4..]));
        }
    }

    [Fact]
    public void The_definition_gives_the_check_value_of_the_catalogues() =>
        Assert.Equal(0xCBF43926u, BitByBit(Encoding.ASCII.GetBytes("123456789")));

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
