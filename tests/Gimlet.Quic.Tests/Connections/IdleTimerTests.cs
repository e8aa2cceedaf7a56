using Gimlet.Quic.Connections;

namespace Gimlet.Quic.Tests.Connections;

/// <summary>RFC 9000 section 10.1.</summary>
public sealed class IdleTimerTests
{
    private static readonly TimeSpan Pto = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(30, 10, 10)]
    [InlineData(10, 30, 10)]
    [InlineData(30, 0, 30)]
    [InlineData(0, 10, 10)]
    public void The_smaller_of_both_timeouts_counts_and_zero_is_none(int ours, int peers, int effective)
    {
        var timer = new IdleTimer(TimeSpan.Zero, Seconds(ours), keepAlive: null);
        timer.Negotiate(Seconds(peers));
        Assert.Equal(Seconds(effective), timer.ExpiresAt(Pto));
    }

    [Fact]
    public void Without_a_timeout_on_either_side_it_never_expires()
    {
        var timer = new IdleTimer(TimeSpan.Zero, TimeSpan.Zero, keepAlive: null);
        timer.Negotiate(TimeSpan.Zero);
        Assert.Null(timer.ExpiresAt(Pto));
    }

    [Fact]
    public void It_is_never_shorter_than_three_probe_timeouts()
    {
        var timer = new IdleTimer(TimeSpan.Zero, TimeSpan.FromMilliseconds(50), keepAlive: null);
        Assert.Equal(3 * Pto, timer.ExpiresAt(Pto));
    }

    [Fact]
    public void Only_the_first_ack_eliciting_packet_after_one_received_restarts_it()
    {
        var timer = new IdleTimer(TimeSpan.Zero, Seconds(10), keepAlive: null);
        timer.OnAckElicitingSent(Seconds(2));
        Assert.Equal(Seconds(12), timer.ExpiresAt(Pto));
        timer.OnAckElicitingSent(Seconds(5));
        Assert.Equal(Seconds(12), timer.ExpiresAt(Pto));
        timer.OnReceived(Seconds(6));
        Assert.Equal(Seconds(16), timer.ExpiresAt(Pto));
        timer.OnAckElicitingSent(Seconds(7));
        Assert.Equal(Seconds(17), timer.ExpiresAt(Pto));
    }

    [Fact]
    public void A_keep_alive_is_due_a_period_after_whatever_happened_last()
    {
        var timer = new IdleTimer(TimeSpan.Zero, Seconds(10), keepAlive: Seconds(3));
        Assert.Equal(Seconds(3), timer.KeepAliveAt);
        timer.OnReceived(Seconds(1));
        Assert.Equal(Seconds(4), timer.KeepAliveAt);
        timer.OnAckElicitingSent(Seconds(2));
        Assert.Equal(Seconds(5), timer.KeepAliveAt);
        timer.OnKeepAlive(Seconds(5));
        Assert.Equal(Seconds(8), timer.KeepAliveAt);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
