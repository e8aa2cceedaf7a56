using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 9000 section 8.2.2.</summary>
public sealed class ChallengeResponsesTests
{
    [Fact]
    public void Each_challenge_is_answered_once_in_order()
    {
        var responses = new ChallengeResponses();
        responses.Add(1);
        responses.Add(2);
        Assert.Equal(2, responses.Count);
        Assert.True(responses.TryTake(out ulong first));
        Assert.True(responses.TryTake(out ulong second));
        Assert.Equal((1ul, 2ul), (first, second));
        Assert.False(responses.TryTake(out _));
        Assert.Equal(0, responses.Count);
    }

    [Fact]
    public void A_flood_of_challenges_leaves_the_newest()
    {
        var responses = new ChallengeResponses();
        for (ulong i = 0; i < 100_000; i++)
        {
            responses.Add(i);
            Assert.InRange(responses.Count, 1, ChallengeResponses.Capacity);
        }

        for (ulong i = 100_000 - ChallengeResponses.Capacity; i < 100_000; i++)
        {
            Assert.True(responses.TryTake(out ulong data));
            Assert.Equal(i, data);
        }

        Assert.Equal(0, responses.Count);
    }

    [Fact]
    public void A_cleared_queue_is_empty_and_usable()
    {
        var responses = new ChallengeResponses();
        responses.Add(1);
        responses.Clear();
        Assert.False(responses.TryTake(out _));
        responses.Add(2);
        Assert.True(responses.TryTake(out ulong data));
        Assert.Equal(2ul, data);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var responses = new ChallengeResponses();
        ulong number = 0;
        Allocations.AssertNone(() =>
        {
            responses.Add(number++);
            responses.Add(number++);
            _ = responses.TryTake(out _);
        });
    }
}
