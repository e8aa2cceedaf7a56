using Gimlet.Quic.Endpoints;

namespace Gimlet.Quic.Tests.Endpoints;

public sealed class ReplayFilterTests
{
    [Fact]
    public void No_token_passes_twice_however_many_there_are()
    {
        var filter = new ReplayFilter();
        var random = new Random(3);
        var tokens = new List<(ulong Token, TimeSpan IssuedAt)>();
        int passed = 0;
        for (ulong i = 0; i < 100_000; i++)
        {
            // Used in another order than they were issued in.
            var issuedAt = TimeSpan.FromMilliseconds((double)i + random.Next(5_000));
            tokens.Add((i, issuedAt));
            passed += filter.TryUse(i, issuedAt) ? 1 : 0;
            Assert.InRange(filter.Count, 0, 2 * ReplayFilter.HalfCapacity);
        }

        Assert.InRange(passed, 95_000, 100_000);
        foreach ((ulong token, TimeSpan issuedAt) in tokens)
        {
            // The few that were refused at first, being old, are refused for good.
            Assert.False(filter.TryUse(token, issuedAt));
        }
    }

    [Fact]
    public void Tokens_of_the_same_moment_pass_as_long_as_there_is_room()
    {
        var filter = new ReplayFilter();
        for (ulong i = 0; i < 2 * ReplayFilter.HalfCapacity; i++)
        {
            Assert.True(filter.TryUse(i, TimeSpan.FromSeconds(1)));
        }

        Assert.False(filter.TryUse(ulong.MaxValue, TimeSpan.FromSeconds(1)));
        Assert.True(filter.TryUse(ulong.MaxValue, TimeSpan.FromSeconds(2)));
    }
}
