using System.Text;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;

namespace Gimlet.Quic.Tests.Streams;

public sealed class ReceiveBufferTests
{
    [Fact]
    public void Pieces_come_out_in_order()
    {
        var buffer = new ReceiveBuffer();
        Assert.True(buffer.TryAdd(6, "world"u8));
        Assert.Equal((0, 0, 11), (buffer.Available, buffer.Contiguous, buffer.Highest));
        Assert.True(buffer.TryAdd(0, "hello,"u8));
        Assert.Equal(11, buffer.Available);
        Assert.Equal("hello,world", Read(buffer));
        Assert.Equal((11, 0), (buffer.Read, buffer.Available));
    }

    [Fact]
    public void What_was_there_already_stays_and_only_what_is_new_is_taken()
    {
        var buffer = new ReceiveBuffer();
        Assert.True(buffer.TryAdd(0, "abcd"u8));
        Assert.True(buffer.TryAdd(2, "XXef"u8));
        Assert.True(buffer.TryAdd(0, "YY"u8));
        Assert.Equal("abcdef", Read(buffer));
        Assert.True(buffer.TryAdd(0, "ZZZZZZgh"u8));
        Assert.Equal("gh", Read(buffer));
    }

    [Fact]
    public void Data_beyond_the_capacity_is_refused_until_something_was_read()
    {
        var buffer = new ReceiveBuffer(capacity: 10);
        Assert.False(buffer.TryAdd(8, "abc"u8));
        Assert.True(buffer.TryAdd(7, "abc"u8));
        Assert.True(buffer.TryAdd(0, "0123456"u8));
        Assert.False(buffer.TryAdd(10, "x"u8));
        Assert.Equal("0123456abc", Read(buffer));
        Assert.True(buffer.TryAdd(10, "0123456789"u8));
    }

    [Fact]
    public void Peeking_gives_what_lies_together_and_consumes_nothing()
    {
        var buffer = new ReceiveBuffer(capacity: 100, segmentBytes: 16);
        Assert.True(buffer.TryAdd(0, Pattern.Bytes(3, 0, 40)));
        Assert.True(buffer.TryPeek(out ReadOnlyMemory<byte> first));
        Assert.Equal(16, first.Length);
        Assert.True(buffer.TryPeek(16, out ReadOnlyMemory<byte> second));
        Assert.True(buffer.TryPeek(39, out ReadOnlyMemory<byte> last));
        Assert.Equal((16, 1), (second.Length, last.Length));
        Assert.False(buffer.TryPeek(40, out _));
        Pattern.AssertAt(3, 0, first.Span);
        Pattern.AssertAt(3, 16, second.Span);
        buffer.Advance(20);
        Assert.True(buffer.TryPeek(out first));
        Assert.Equal(12, first.Length);
        Pattern.AssertAt(3, 20, first.Span);
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(21));
    }

    [Fact]
    public void What_is_peeked_at_is_not_given_to_another_stream_when_the_buffer_ends()
    {
        var buffer = new ReceiveBuffer(capacity: 1 << 20, segmentBytes: 16 * 1024);
        Assert.True(buffer.TryAdd(0, Pattern.Bytes(4, 0, 1000)));
        Assert.True(buffer.TryPeek(out ReadOnlyMemory<byte> memory));
        buffer.Dispose();

        // Whoever rents now must not get the segment that is still being read.
        var others = new List<ReceiveBuffer>();
        for (int i = 0; i < 64; i++)
        {
            others.Add(new ReceiveBuffer(capacity: 1 << 20, segmentBytes: 16 * 1024));
            Assert.True(others[i].TryAdd(0, new byte[16 * 1024]));
        }

        Pattern.AssertAt(4, 0, memory.Span);
        others.ForEach(o => o.Dispose());
    }

    [Fact]
    public void Pieces_are_bounded_and_the_missing_piece_is_taken_at_the_bound()
    {
        var buffer = new ReceiveBuffer(capacity: 1 << 20);
        for (int i = 0; i < ReceiveBuffer.MaxRanges; i++)
        {
            Assert.True(buffer.TryAdd(2 + (2 * i), "x"u8));
        }

        Assert.False(buffer.TryAdd(2 + (2 * ReceiveBuffer.MaxRanges), "x"u8));
        Assert.True(buffer.TryAdd(0, "y"u8));
        Assert.Equal(1, buffer.Available);
        Assert.True(buffer.TryAdd(1, "y"u8));
        Assert.Equal(3, buffer.Available);
        Assert.True(buffer.TryAdd(2 + (2 * ReceiveBuffer.MaxRanges), "x"u8));
    }

    [Fact]
    public void Whatever_comes_in_whatever_order_what_is_read_is_what_was_sent()
    {
        const int Total = 80_000;
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var buffer = new ReceiveBuffer(capacity: 20_000, segmentBytes: 1024);
            byte[] room = new byte[3000];
            while (buffer.Read < Total)
            {
                long offset = Math.Max(0, buffer.Contiguous + random.Next(-2000, 6000));
                if (random.Next(4) == 0)
                {
                    offset = buffer.Contiguous;
                }

                int length = (int)Math.Min(random.Next(1, 1500), Math.Max(0, Total - offset));
                if (length > 0)
                {
                    bool isInside = offset + length - buffer.Read <= 20_000 || offset + length <= buffer.Contiguous;
                    Assert.Equal(isInside, buffer.TryAdd(offset, Pattern.Bytes(seed, offset, length)));
                }

                long at = buffer.Read;
                if (random.Next(3) == 0)
                {
                    int count = buffer.ReadTo(room.AsSpan(0, random.Next(room.Length)));
                    Pattern.AssertAt(seed, at, room.AsSpan(0, count));
                }
                else if (random.Next(3) == 0 && buffer.TryPeek(out ReadOnlyMemory<byte> memory))
                {
                    Pattern.AssertAt(seed, at, memory.Span);
                    buffer.Advance(random.Next(memory.Length + 1));
                }
            }

            Assert.Equal((Total, Total, 0), (buffer.Contiguous, buffer.Highest, buffer.Available));
        }
    }

    private static string Read(ReceiveBuffer buffer)
    {
        byte[] bytes = new byte[100];
        return Encoding.UTF8.GetString(bytes, 0, buffer.ReadTo(bytes));
    }
}
