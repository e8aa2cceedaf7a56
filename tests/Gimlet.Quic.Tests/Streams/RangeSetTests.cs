using Gimlet.Quic.Streams.Buffers;

namespace Gimlet.Quic.Tests.Streams;

public sealed class RangeSetTests
{
    private const int Space = 120;

    [Fact]
    public void It_is_the_set_of_its_bytes()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var set = new RangeSet();
            bool[] model = new bool[Space];
            for (int step = 0; step < 200; step++)
            {
                int start = random.Next(Space - 1), end = random.Next(start + 1, Math.Min(Space, start + 12));
                switch (random.Next(6))
                {
                    case < 3:
                        Assert.True(set.TryAdd(start, end, int.MaxValue));
                        model.AsSpan(start, end - start).Fill(value: true);
                        break;
                    case < 5:
                        set.Remove(start, end);
                        model.AsSpan(start, end - start).Clear();
                        break;
                    default:
                        start = random.Next(Space / 4);
                        set.RemoveBelow(start);
                        model.AsSpan(0, start).Clear();
                        break;
                }

                AssertSame(set, model);
            }
        }
    }

    [Fact]
    public void A_range_too_many_is_refused_and_one_that_joins_is_not()
    {
        var set = new RangeSet();
        Assert.True(set.TryAdd(0, 10, 2));
        Assert.True(set.TryAdd(20, 30, 2));
        Assert.False(set.TryAdd(12, 15, 2));
        Assert.True(set.TryAdd(10, 15, 2));
        Assert.Equal([new ByteRange(0, 15), new ByteRange(20, 30)], Ranges(set));
        Assert.True(set.TryAdd(15, 20, 2));
        Assert.Equal([new ByteRange(0, 30)], Ranges(set));
    }

    [Theory]
    [InlineData(12, 13, 0, 13, 20, 30)]
    [InlineData(17, 18, 0, 10, 17, 30)]
    [InlineData(35, 36, 0, 10, 20, 36)]
    public void A_range_too_many_takes_what_lies_between_it_and_its_nearest_neighbour(
        long start, long end, long first, long firstEnd, long second, long secondEnd)
    {
        var set = new RangeSet();
        set.AddRoughly(0, 10, 2);
        set.AddRoughly(20, 30, 2);
        set.AddRoughly(start, end, 2);
        Assert.Equal([new ByteRange(first, firstEnd), new ByteRange(second, secondEnd)], Ranges(set));
    }

    [Fact]
    public void A_range_too_many_in_front_of_all_others_joins_the_first()
    {
        var set = new RangeSet();
        set.AddRoughly(10, 20, 1);
        set.AddRoughly(2, 3, 1);
        Assert.Equal([new ByteRange(2, 20)], Ranges(set));
    }

    private static List<ByteRange> Ranges(RangeSet set)
    {
        var ranges = new List<ByteRange>();
        for (int i = 0; i < set.Count; i++)
        {
            ranges.Add(set[i]);
        }

        return ranges;
    }

    private static void AssertSame(RangeSet set, bool[] model)
    {
        var expected = new List<ByteRange>();
        for (int i = 0; i < model.Length; i++)
        {
            int start = i;
            while (i < model.Length && model[i])
            {
                i++;
            }

            if (i > start)
            {
                expected.Add(new ByteRange(start, i));
            }
        }

        Assert.Equal(expected, Ranges(set));
    }
}
