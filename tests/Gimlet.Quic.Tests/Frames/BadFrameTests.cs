using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Frames.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Frames;

public sealed class BadFrameTests
{
    [Theory]
    [InlineData("", 0x0a, 0x00, "no frames")]
    [InlineData("4001", 0x0a, 0x01, "a PING in two bytes")]
    [InlineData("c000000000000001", 0x0a, 0x01, "a PING in eight bytes")]
    [InlineData("1f", 0x07, 0x1f, "an unknown type")]
    [InlineData("4040", 0x07, 0x40, "an unknown type of two bytes")]
    [InlineData("80", 0x07, 0x00, "a type that is cut")]
    [InlineData("0140", 0x07, 0x00, "a type that is cut behind another frame")]
    [InlineData("0205000006", 0x07, 0x02, "a first range below zero")]
    [InlineData("02050001000400", 0x07, 0x02, "a second range below zero")]
    [InlineData("02050001000202", 0x07, 0x02, "a second range that ends below zero")]
    [InlineData("0205007f0000", 0x07, 0x02, "more ranges than there is room for")]
    [InlineData("02ffffffffffffffff00ffffffffffffffff00", 0x07, 0x02, "2^62 - 1 ranges")]
    [InlineData("0205000000 1f", 0x07, 0x1f, "an unknown type behind an ACK")]
    [InlineData("030500000001 02", 0x07, 0x03, "ECN counts that are cut")]
    [InlineData("06ffffffffffffffff 01 00", 0x07, 0x06, "CRYPTO beyond 2^62 - 1")]
    [InlineData("0600ffffffffffffffff", 0x07, 0x06, "CRYPTO longer than its packet")]
    [InlineData("0700", 0x07, 0x07, "an empty token")]
    [InlineData("0c00ffffffffffffffff 01", 0x07, 0x0c, "STREAM beyond 2^62 - 1")]
    [InlineData("0a00ffffffffffffffff", 0x07, 0x0a, "STREAM longer than its packet")]
    [InlineData("12d000000000000001", 0x07, 0x12, "MAX_STREAMS of 2^60 + 1")]
    [InlineData("13d000000000000001", 0x07, 0x13, "MAX_STREAMS of 2^60 + 1")]
    [InlineData("16d000000000000001", 0x07, 0x16, "STREAMS_BLOCKED of 2^60 + 1")]
    [InlineData("17d000000000000001", 0x07, 0x17, "STREAMS_BLOCKED of 2^60 + 1")]
    [InlineData("18010201aa 00112233445566778899aabbccddeeff", 0x07, 0x18, "Retire Prior To greater than Sequence Number")]
    [InlineData("18010000 00112233445566778899aabbccddeeff", 0x07, 0x18, "an empty connection id")]
    [InlineData("18010015 000102030405060708090a0b0c0d0e0f1011121314 00112233445566778899aabbccddeeff", 0x07, 0x18, "a connection id of 21 bytes")]
    [InlineData("1a01020304050607", 0x07, 0x1a, "PATH_CHALLENGE of seven bytes")]
    [InlineData("1c000005 61", 0x07, 0x1c, "a reason longer than its packet")]
    [InlineData("3105 61", 0x07, 0x31, "DATAGRAM longer than its packet")]
    public void The_error_says_which_frame_and_why(string hex, long code, long frame, string because)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
        _ = FrameText.Of(payload, out QuicError error, new byte[2000], out _);
        Assert.True(error.IsError, because);
        Assert.Equal(((TransportErrorCode)code, (FrameType)frame), (error.Code, error.FrameType));
        Assert.NotEmpty(error.Reason);
    }

    [Fact]
    public void Every_truncation_of_every_frame_is_an_error_or_a_shorter_payload()
    {
        byte[] again = new byte[4000];
        foreach (FrameType type in FrameSamples.Types)
        {
            byte[] payload = FrameSamples.Payload(type, new Random((int)type));
            foreach (byte[] bytes in Mutations.Truncations(payload))
            {
                _ = FrameText.Of(bytes, out QuicError error, again, out _);

                // Only what has no length of its own can be cut and still be a frame: but not before its fields are there.
                if (FrameSamples.HasEnd(type) && type != FrameType.Padding)
                {
                    Assert.True(error.IsError, $"{type} cut to {bytes.Length}");
                }
            }
        }
    }

    [Fact]
    public void No_mutation_makes_a_reader_throw_and_what_it_reads_can_be_written_again()
    {
        byte[] first = new byte[8000], second = new byte[8000];
        int valid = 0;
        foreach (byte[] bytes in FrameSamples.Payloads(seed: 1).Select((payload, i) => Mutations.Random([payload], i)).SelectMany(m => m))
        {
            int written = FrameText.Rewrite(bytes, out QuicError error, first);
            if (error.IsError || written == 0)
            {
                continue;
            }

            // Frames without a Length field got one, ACK frames lost what is more than our limit. From then on nothing changes.
            int writtenAgain = FrameText.Rewrite(first.AsSpan(0, written), out QuicError none, second);
            Assert.False(none.IsError, none.Reason);
            Assert.Equal(first.AsSpan(0, written), second.AsSpan(0, writtenAgain));
            if (valid++ % 16 == 0)
            {
                string text = FrameText.Of(bytes, out _, second, out _);
                Assert.Equal(Values(text), Values(FrameText.Of(first.AsSpan(0, written), out _, second, out _)));
            }
        }

        // Had all been turned away, nothing but the first check would have been tried.
        Assert.InRange(valid, 20_000, 400_000);

        static string[] Values(string text) => [.. text.Split('\n').Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])];
    }

    [Fact]
    public void A_run_of_padding_is_one_step()
    {
        byte[] payload = new byte[1162];
        payload[0] = (byte)FrameType.Ping;
        payload[^1] = (byte)FrameType.Ping;
        var reader = new FrameReader(payload, PacketType.Initial, EndpointRole.Client);
        Assert.True(reader.MoveNext());
        Assert.True(reader.MoveNext());
        Assert.Equal((FrameType.Padding, 1160), (reader.Type, reader.FrameLength));
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameType.Ping, reader.Type);
        Assert.False(reader.MoveNext());
    }

    [Fact]
    public void A_body_that_is_not_read_is_a_mistake_of_the_caller()
    {
        Assert.Throws<InvalidOperationException>(() =>
        {
            var reader = new FrameReader([0x10, 0x01, 0x01], PacketType.OneRtt, EndpointRole.Client);
            Assert.True(reader.MoveNext());
            _ = reader.MoveNext();
        });
        Assert.Throws<InvalidOperationException>(() =>
        {
            var reader = new FrameReader([0x10, 0x01], PacketType.OneRtt, EndpointRole.Client);
            Assert.True(reader.MoveNext());
            _ = DataBlockedFrame.TryRead(ref reader, out _);
        });
        Assert.Throws<InvalidOperationException>(() =>
        {
            var reader = new FrameReader([0x10, 0x01, 0x01], PacketType.OneRtt, EndpointRole.Client);
            Assert.True(reader.MoveNext());
            Assert.True(MaxDataFrame.TryRead(ref reader, out _));
            _ = MaxDataFrame.TryRead(ref reader, out _);
        });
    }
}
