using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class SimRandomTests
{
    [Fact]
    public void The_sequence_of_a_seed_is_the_same_on_every_machine()
    {
        SimRandom random = new(42);
        Assert.Equal([1546998764402558742UL, 6990951692964543102UL, 12544586762248559009UL], [random.NextUInt64(), random.NextUInt64(), random.NextUInt64()]);
    }

    [Fact]
    public void Streams_of_different_names_and_seeds_differ_and_equal_ones_do_not()
    {
        Assert.Equal(SimRandom.Stream(1, "a").NextUInt64(), SimRandom.Stream(1, "a").NextUInt64());
        Assert.NotEqual(SimRandom.Stream(1, "a").NextUInt64(), SimRandom.Stream(1, "b").NextUInt64());
        Assert.NotEqual(SimRandom.Stream(1, "a").NextUInt64(), SimRandom.Stream(2, "a").NextUInt64());
    }

    [Fact]
    public void Numbers_stay_in_their_range_and_use_all_of_it()
    {
        SimRandom random = new(7);
        int[] counts = new int[10];
        for (int i = 0; i < 10_000; i++)
        {
            counts[random.Next(100, 110) - 100]++;
            Assert.InRange(random.NextDouble(), 0, 0.999_999_999_999);
        }

        Assert.All(counts, static count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Filling_bytes_leaves_no_tail_empty()
    {
        byte[] union = new byte[13];
        SimRandom random = new(3);
        for (int i = 0; i < 16; i++)
        {
            byte[] bytes = new byte[13];
            random.Fill(bytes);
            for (int j = 0; j < bytes.Length; j++)
            {
                union[j] |= bytes[j];
            }
        }

        Assert.DoesNotContain((byte)0, union);
    }
}
