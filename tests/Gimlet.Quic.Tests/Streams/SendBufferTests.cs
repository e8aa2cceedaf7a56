using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;

namespace Gimlet.Quic.Tests.Streams;

public sealed class SendBufferTests
{
    private const long NoLimit = long.MaxValue;

    [Fact]
    public void What_was_written_is_taken_in_order_and_up_to_the_limit()
    {
        var buffer = new SendBuffer();
        buffer.Append("hello, world"u8);
        Assert.True(buffer.HasPending(5));
        Assert.Equal("hel", Take(buffer, 3, 5));
        Assert.Equal("lo", Take(buffer, 3, 5));
        Assert.False(buffer.HasPending(5));
        Assert.False(buffer.TryTake(3, 5, out _, out _));
        Assert.Equal(", world", Take(buffer, 100, NoLimit));
        Assert.Equal(12, buffer.Buffered);
    }

    [Fact]
    public void Lost_data_is_taken_first_and_whatever_the_limit()
    {
        var buffer = new SendBuffer();
        buffer.Append("0123456789"u8);
        _ = Take(buffer, 8, NoLimit);
        buffer.OnLost(6, 2);
        buffer.OnLost(1, 2);
        Assert.True(buffer.HasPending(0));
        Assert.Equal("12", Take(buffer, 5, 0));
        Assert.Equal("6", Take(buffer, 1, NoLimit));
        Assert.Equal("7", Take(buffer, 5, NoLimit));
        Assert.Equal("89", Take(buffer, 5, NoLimit));
    }

    [Fact]
    public void What_is_acknowledged_is_neither_kept_nor_lost_any_more()
    {
        var buffer = new SendBuffer();
        buffer.Append("0123456789"u8);
        _ = Take(buffer, 10, NoLimit);
        buffer.OnAcknowledged(4, 2);
        Assert.Equal(0, buffer.Acknowledged);
        buffer.OnLost(2, 6);
        Assert.Equal("23", Take(buffer, 9, NoLimit));
        Assert.Equal("67", Take(buffer, 9, NoLimit));
        Assert.False(buffer.HasLost);
        buffer.OnLost(6, 2);
        buffer.OnAcknowledged(6, 1);
        Assert.Equal("7", Take(buffer, 9, NoLimit));
        buffer.OnAcknowledged(0, 4);
        Assert.Equal(7, buffer.Acknowledged);
        buffer.OnLost(0, 7);
        Assert.False(buffer.HasLost);
        buffer.OnAcknowledged(7, 3);
        Assert.Equal(0, buffer.Buffered);
    }

    [Fact]
    public void A_peer_that_acknowledges_every_second_byte_makes_no_more_ranges_than_permitted_and_loses_nothing()
    {
        const int Length = 8 * SendBuffer.MaxRanges;
        var buffer = new SendBuffer();
        byte[] data = Pattern.Bytes(1, 0, Length);
        buffer.Append(data);
        while (buffer.TryTake(1, NoLimit, out _, out _))
        {
        }

        for (int i = 1; i < Length; i += 2)
        {
            buffer.OnAcknowledged(i, 1);
        }

        for (int i = 0; i < Length; i += 2)
        {
            buffer.OnLost(i, 1);
        }

        byte[] received = new byte[Length];
        for (int i = 1; i < Length; i += 2)
        {
            received[i] = data[i];
        }

        while (buffer.TryTake(100, NoLimit, out long offset, out int length))
        {
            buffer.CopyTo(offset, received.AsSpan((int)offset, length));
        }

        Assert.Equal(data, received);
        buffer.OnAcknowledged(0, Length);
        Assert.Equal(0, buffer.Buffered);
        Assert.False(buffer.HasPending(NoLimit));
    }

    [Fact]
    public void Whatever_is_lost_reordered_and_acknowledged_every_byte_arrives()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Run(new Random(seed), seed);
        }
    }

    [Fact]
    public void Nothing_is_pending_behind_its_end()
    {
        var buffer = new SendBuffer();
        buffer.Append("0123"u8);
        _ = Take(buffer, 2, NoLimit);
        buffer.OnLost(0, 1);
        buffer.Dispose();
        Assert.False(buffer.HasPending(NoLimit));
        Assert.Equal((2, 0), (buffer.Sent, buffer.Buffered));
    }

    private static void Run(Random random, int seed)
    {
        const int Total = 60_000;
        var buffer = new SendBuffer();
        bool[] arrived = new bool[Total];
        var underWay = new List<(long Offset, int Length)>();
        var declaredLost = new List<(long Offset, int Length)>();
        for (int step = 0; buffer.Acknowledged < Total; step++)
        {
            Assert.True(step < 1_000_000, $"seed {seed}: {buffer.Acknowledged} of {buffer.Written}, {underWay.Count} under way");
            switch (random.Next(10))
            {
                case 0:
                    int length = Math.Min(random.Next(1, 9000), Total - (int)buffer.Written);
                    buffer.Append(Pattern.Bytes(seed, buffer.Written, length));
                    break;
                case < 5:
                    if (buffer.TryTake(random.Next(1, 1200), NoLimit, out long offset, out int taken))
                    {
                        byte[] copy = new byte[taken];
                        buffer.CopyTo(offset, copy);
                        Pattern.AssertAt(seed, offset, copy);
                        underWay.Add((offset, taken));
                    }

                    break;
                case 5 when declaredLost.Count > 0:
                    // It was late and not lost.
                    (long Offset, int Length) late = Remove(declaredLost, random);
                    Acknowledge(late);
                    break;
                case 5 or 6 when underWay.Count > 0:
                    (long Offset, int Length) lost = Remove(underWay, random);
                    buffer.OnLost(lost.Offset, lost.Length);
                    declaredLost.Add(lost);
                    break;
                case >= 7 when underWay.Count > 0:
                    Acknowledge(Remove(underWay, random));
                    break;
                default:
                    break;
            }
        }

        Assert.DoesNotContain(false, arrived);
        Assert.Equal((0, false), (buffer.Buffered, buffer.HasPending(NoLimit)));

        void Acknowledge((long Offset, int Length) range)
        {
            arrived.AsSpan((int)range.Offset, range.Length).Fill(value: true);
            buffer.OnAcknowledged(range.Offset, range.Length);
        }
    }

    private static (long Offset, int Length) Remove(List<(long Offset, int Length)> list, Random random)
    {
        int index = random.Next(list.Count);
        (long Offset, int Length) item = list[index];
        list.RemoveAt(index);
        return item;
    }

    private static string Take(SendBuffer buffer, int maxLength, long limit)
    {
        Assert.True(buffer.TryTake(maxLength, limit, out long offset, out int length));
        byte[] bytes = new byte[length];
        buffer.CopyTo(offset, bytes);
        return System.Text.Encoding.UTF8.GetString(bytes);
    }
}
