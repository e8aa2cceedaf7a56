using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Paths.Support;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 9000 section 8.2.</summary>
public sealed class PathValidationTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(600);

    private readonly PathValidation _validation = new(Seeded.Bytes(82));

    [Fact]
    public void An_answered_full_size_challenge_validates_the_path()
    {
        Assert.False(_validation.IsRunning);
        Assert.Null(_validation.NextTimeout);
        _validation.Start(At(0), Timeout);
        Assert.True(_validation.IsRunning);
        Assert.True(_validation.IsChallengeDue(At(0)));
        ulong data = _validation.NextChallenge(At(0), isFullSize: true);
        Assert.False(_validation.IsChallengeDue(At(0)));
        Assert.False(_validation.IsValidated);

        Assert.True(_validation.OnResponse(At(40), data));
        Assert.True(_validation.IsValidated);
        Assert.True(_validation.IsFullSizeProven);
        Assert.False(_validation.IsRunning);
        Assert.False(_validation.HasFailed);
        Assert.Null(_validation.NextTimeout);
        Assert.False(_validation.IsChallengeDue(At(10_000)));
    }

    [Fact]
    public void A_small_challenge_validates_the_address_and_another_one_the_size()
    {
        _validation.Start(At(0), Timeout);
        ulong small = _validation.NextChallenge(At(0), isFullSize: false);
        Assert.True(_validation.OnResponse(At(40), small));
        Assert.True(_validation.IsValidated);
        Assert.False(_validation.IsFullSizeProven);

        Assert.True(_validation.IsRunning);
        Assert.True(_validation.IsChallengeDue(At(40)));
        ulong full = _validation.NextChallenge(At(40), isFullSize: true);
        Assert.False(_validation.OnResponse(At(41), small));
        Assert.True(_validation.IsRunning);
        Assert.True(_validation.OnResponse(At(80), full));
        Assert.True(_validation.IsValidated);
        Assert.True(_validation.IsFullSizeProven);
        Assert.False(_validation.IsRunning);
    }

    [Fact]
    public void A_path_that_does_not_carry_1200_bytes_fails_although_its_peer_answers()
    {
        _validation.Start(At(0), Timeout);
        Assert.True(_validation.OnResponse(At(40), _validation.NextChallenge(At(0), isFullSize: false)));
        _ = _validation.NextChallenge(At(40), isFullSize: true);
        _validation.HandleTimeout(At(600));
        Assert.False(_validation.HasFailed);
        _validation.HandleTimeout(At(640));
        Assert.True(_validation.HasFailed);
        Assert.False(_validation.IsValidated);
        Assert.False(_validation.IsRunning);
    }

    [Fact]
    public void A_full_size_challenge_under_way_proves_the_size_after_a_small_one_did_the_address()
    {
        _validation.Start(At(0), Timeout);
        ulong small = _validation.NextChallenge(At(0), isFullSize: false);
        ulong full = _validation.NextChallenge(At(10), isFullSize: true);
        Assert.True(_validation.OnResponse(At(40), small));
        Assert.True(_validation.OnResponse(At(50), full));
        Assert.False(_validation.IsRunning);
        Assert.True(_validation.IsFullSizeProven);
    }

    [Fact]
    public void Challenges_are_sent_three_times_with_growing_pauses_and_then_the_path_fails()
    {
        _validation.Start(At(0), Timeout);
        var sent = new List<int>();
        int now = 0;
        while (_validation.IsRunning)
        {
            if (_validation.IsChallengeDue(At(now)))
            {
                _ = _validation.NextChallenge(At(now), isFullSize: true);
                sent.Add(now);
            }

            now = (int)_validation.NextTimeout!.Value.TotalMilliseconds;
            _validation.HandleTimeout(At(now));
        }

        Assert.Equal([0, 100, 300], sent);
        Assert.Equal(600, now);
        Assert.True(_validation.HasFailed);
        Assert.False(_validation.IsValidated);
    }

    [Fact]
    public void A_challenge_that_may_not_be_sent_yet_does_not_make_the_timer_spin()
    {
        _validation.Start(At(0), Timeout);
        Assert.Equal(At(600), _validation.NextTimeout);
        _ = _validation.NextChallenge(At(0), isFullSize: true);
        Assert.Equal(At(100), _validation.NextTimeout);
        _validation.HandleTimeout(At(100));
        Assert.True(_validation.IsChallengeDue(At(100)));
        Assert.Equal(At(600), _validation.NextTimeout);
    }

    [Fact]
    public void Every_challenge_is_unpredictable_and_any_of_them_counts()
    {
        _validation.Start(At(0), Timeout);
        var challenges = new HashSet<ulong>();
        for (int i = 0; i < PathValidation.MaxRemembered; i++)
        {
            Assert.True(challenges.Add(_validation.NextChallenge(At(i), isFullSize: true)));
        }

        Assert.True(_validation.OnResponse(At(40), challenges.First()));
        Assert.True(_validation.IsValidated);
    }

    [Fact]
    public void Only_so_many_challenges_are_remembered()
    {
        _validation.Start(At(0), Timeout);
        ulong first = _validation.NextChallenge(At(0), isFullSize: true);
        ulong second = _validation.NextChallenge(At(0), isFullSize: true);
        for (int i = 1; i < PathValidation.MaxRemembered; i++)
        {
            _ = _validation.NextChallenge(At(i), isFullSize: true);
        }

        Assert.False(_validation.OnResponse(At(40), first));
        Assert.True(_validation.OnResponse(At(40), second));
    }

    [Fact]
    public void Nothing_but_the_data_of_a_challenge_counts()
    {
        Assert.False(_validation.OnResponse(At(0), 0));
        _validation.Start(At(0), Timeout);
        Assert.False(_validation.OnResponse(At(0), 0));
        ulong data = _validation.NextChallenge(At(0), isFullSize: true);
        for (int bit = 0; bit < 64; bit++)
        {
            Assert.False(_validation.OnResponse(At(1), data ^ (1ul << bit)));
        }

        Assert.False(_validation.IsValidated);
    }

    [Fact]
    public void Answers_to_a_run_that_is_over_count_no_more()
    {
        _validation.Start(At(0), Timeout);
        ulong old = _validation.NextChallenge(At(0), isFullSize: true);
        _validation.HandleTimeout(At(600));
        Assert.False(_validation.OnResponse(At(601), old));
        Assert.True(_validation.HasFailed);

        _validation.Start(At(700), Timeout);
        Assert.False(_validation.HasFailed);
        Assert.False(_validation.OnResponse(At(701), old));

        _validation.Reset();
        Assert.False(_validation.IsRunning);
        Assert.Null(_validation.NextTimeout);
        _validation.HandleTimeout(At(5_000));
        Assert.False(_validation.HasFailed);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        int now = 0;
        Allocations.AssertNone(() =>
        {
            _validation.Start(At(now), Timeout);
            ulong data = _validation.NextChallenge(At(now), isFullSize: now % 2 == 0);
            _ = _validation.OnResponse(At(now + 1), data);
            now += 1000;
        });
    }

    private static TimeSpan At(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
