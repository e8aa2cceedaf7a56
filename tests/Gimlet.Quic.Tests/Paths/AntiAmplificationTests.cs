using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 9000 section 8.1.</summary>
public sealed class AntiAmplificationTests
{
    [Fact]
    public void Nothing_may_be_sent_before_something_came()
    {
        var limit = new AntiAmplification(isLifted: false);
        Assert.Equal(0, limit.Allowance);
        limit.OnReceived(1200);
        Assert.Equal(3600, limit.Allowance);
    }

    [Fact]
    public void Three_times_what_came_may_be_sent()
    {
        var limit = new AntiAmplification(isLifted: false);
        limit.OnReceived(1200);
        limit.OnSent(3599);
        Assert.Equal(1, limit.Allowance);
        limit.OnSent(1);
        Assert.Equal(0, limit.Allowance);
        limit.OnReceived(10);
        Assert.Equal(30, limit.Allowance);
    }

    [Fact]
    public void What_was_sent_beyond_the_limit_is_owed()
    {
        var limit = new AntiAmplification(isLifted: false);
        limit.OnSent(100);
        Assert.Equal(0, limit.Allowance);
        limit.OnReceived(33);
        Assert.Equal(0, limit.Allowance);
        limit.OnReceived(1);
        Assert.Equal(2, limit.Allowance);
    }

    [Fact]
    public void A_validated_address_has_no_limit()
    {
        var limit = new AntiAmplification(isLifted: false);
        limit.OnReceived(1);
        limit.OnSent(1_000_000);
        limit.Lift();
        Assert.True(limit.IsLifted);
        Assert.Equal(long.MaxValue, limit.Allowance);
        Assert.Equal(long.MaxValue, new AntiAmplification(isLifted: true).Allowance);
    }
}
