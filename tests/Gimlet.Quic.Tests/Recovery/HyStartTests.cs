using Gimlet.Quic.Recovery;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class HyStartTests
{
    private readonly CubicWindow _window = new(RecoverySettings.Default, 1200);
    private TimeSpan _now = Ms(1000);

    [Fact]
    public void A_steady_round_trip_time_never_ends_slow_start()
    {
        for (int i = 0; i < 12; i++)
        {
            long before = _window.Window;
            Round(50);
            Assert.Equal(Math.Min(2 * before, RecoverySettings.Default.MaximumWindow), _window.Window);
        }

        Assert.True(_window.IsInSlowStart);
    }

    [Fact]
    public void A_round_trip_time_that_grows_slows_growth_and_ends_slow_start_after_five_rounds()
    {
        Round(50);
        Round(50);
        Round(50);
        long before = _window.Window;

        // The threshold is 50 / 8 = 6.25 ms. The eighth sample tells, at the end of the round.
        Assert.True(IsSlowedBy(57));
        Assert.InRange(_window.Window, before + 1, 2 * before);
        for (int i = 0; i < HyStart.ConservativeRounds; i++)
        {
            Assert.True(_window.IsInSlowStart);
            before = _window.Window;
            Round(58);
            Assert.InRange(_window.Window, before, before + (before / 4) + 1200);
        }

        Assert.False(_window.IsInSlowStart);
        Assert.InRange(_window.SlowStartThreshold, _window.Window - 2400, _window.Window);

        // RFC 9438 section 4.10: then the curve begins at its flat point.
        before = _window.Window;
        Round(58);
        Assert.InRange(_window.Window, before, before + 2400);
    }

    [Fact]
    public void Less_than_the_threshold_is_nothing()
    {
        Round(50);
        Round(50);
        Assert.False(IsSlowedBy(56));
        Assert.False(IsSlowedBy(61));
    }

    [Theory]
    [InlineData(10, 13, false)]
    [InlineData(10, 14, true)]
    [InlineData(400, 415, false)]
    [InlineData(400, 416, true)]
    public void The_threshold_is_between_4_and_16_milliseconds(double first, double second, bool isConservative)
    {
        Round(first);
        Round(first);
        Assert.Equal(isConservative, IsSlowedBy(second));
    }

    [Fact]
    public void Jitter_that_passes_lets_growth_be_fast_again()
    {
        Round(50);
        Round(50);
        Assert.True(IsSlowedBy(60));
        Round(50);
        Assert.True(_window.IsInSlowStart);
        long before = _window.Window;
        Round(50);
        Assert.Equal(2 * before, _window.Window);
    }

    [Fact]
    public void Fewer_than_eight_samples_in_a_round_say_nothing()
    {
        Round(50);
        Round(50);
        Assert.False(IsSlowedBy(90, samples: 7));
    }

    // Whether such a round is the first whose last acknowledgements no longer add what they acknowledge.
    private bool IsSlowedBy(double rtt, int samples = 10)
    {
        long before = _window.Window;
        Round(rtt, samples);
        Assert.True(_window.IsInSlowStart);
        return _window.Window < before + (before / samples * samples);
    }

    // A round: the window is acknowledged in so many pieces, each with a sample.
    private void Round(double rtt, int samples = 10)
    {
        TimeSpan sentAt = _now;
        long bytes = _window.Window / samples;
        for (int i = 0; i < samples; i++)
        {
            _window.OnRttSample(Ms(rtt));
            _window.OnAcknowledged(sentAt + Ms(rtt), bytes, sentAt, Ms(rtt), isUtilised: true);
        }

        _now = sentAt + Ms(rtt);
    }
}
