using Gimlet.Quic.Connections;

namespace Gimlet.Quic.Tests.Connections;

public sealed class DatagramQueueTests
{
    [Fact]
    public void Datagrams_come_out_as_they_went_in()
    {
        var queue = new DatagramQueue(maxBytes: 64 * 1024);
        Assert.True(queue.TryEnqueue("first"u8));
        Assert.True(queue.TryEnqueue([]));
        Assert.True(queue.TryEnqueue("third"u8));

        byte[] room = new byte[16];
        Assert.Equal("first", Take(queue, room));
        Assert.Equal(string.Empty, Take(queue, room));
        Assert.Equal("third", Take(queue, room));
        Assert.False(queue.TryDequeue(room, out _));
    }

    [Fact]
    public void A_datagram_longer_than_the_room_is_cut_and_its_length_told()
    {
        var queue = new DatagramQueue(maxBytes: 1024);
        Assert.True(queue.TryEnqueue("longer than the room"u8));

        byte[] room = new byte[6];
        Assert.True(queue.TryDequeue(room, out int length));
        Assert.Equal(20, length);
        Assert.Equal("longer"u8, room);
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void The_bound_counts_two_bytes_for_each_datagram()
    {
        var queue = new DatagramQueue(maxBytes: 102);
        Assert.True(queue.TryEnqueue(new byte[50]));
        Assert.False(queue.TryEnqueue(new byte[49]));
        Assert.True(queue.TryEnqueue(new byte[48]));
        Assert.False(queue.TryEnqueue([]));
    }

    [Fact]
    public void Nothing_longer_than_its_length_field_counts_is_taken()
    {
        var queue = new DatagramQueue(maxBytes: 1024 * 1024);
        Assert.False(queue.TryEnqueue(new byte[65536]));
        Assert.True(queue.TryEnqueue(new byte[65535]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_ring_that_grows_and_wraps_agrees_with_a_queue_of_arrays(int seed)
    {
        var random = new Random(seed);
        var queue = new DatagramQueue(maxBytes: 40_000);
        var model = new Queue<byte[]>();
        int bytes = 0;
        byte[] room = new byte[3000];
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(5) < 3)
            {
                byte[] data = new byte[random.Next(3000)];
                random.NextBytes(data);
                bool fits = bytes + data.Length + 2 <= 40_000;
                Assert.Equal(fits, queue.TryEnqueue(data));
                if (fits)
                {
                    model.Enqueue(data);
                    bytes += data.Length + 2;
                }
            }
            else if (model.TryDequeue(out byte[]? expected))
            {
                Assert.Equal(expected.Length, queue.NextLength);
                Assert.True(queue.TryDequeue(room, out int length));
                Assert.Equal(expected, room[..length]);
                bytes -= length + 2;
            }

            Assert.Equal(model.Count, queue.Count);
        }
    }

    private static string Take(DatagramQueue queue, byte[] room)
    {
        Assert.True(queue.TryDequeue(room, out int length));
        return System.Text.Encoding.ASCII.GetString(room, 0, length);
    }
}
