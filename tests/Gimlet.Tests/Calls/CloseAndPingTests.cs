using Gimlet.Calls;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class CloseAndPingTests
{
    [Fact]
    public void A_ping_is_answered_with_its_number_and_its_round_trip()
    {
        using Pair pair = new Pair().Connect();
        Assert.True(pair.A.Agent.TryPing(7, pair.Now));
        pair.Run(0.1);
        Assert.Equal((7u, TimeSpan.FromMilliseconds(40)), pair.A.Pongs.Single());
        Assert.Contains("ping 7", pair.B.News);
        Assert.DoesNotContain("ping 7", pair.A.News);
    }

    [Fact]
    public void A_lost_ping_is_not_repeated_and_a_duplicate_is_answered_once_to_the_application()
    {
        using Pair pair = new Pair().Connect();
        pair.LoseNext(static p => p.Kind == PacketKind.Ping);
        Assert.True(pair.A.Agent.TryPing(1, pair.Now));
        pair.Run(2);
        Assert.Empty(pair.A.Pongs);
        Assert.True(pair.A.Agent.TryPing(2, pair.Now));
        pair.Run(0.1);
        Packet pong = pair.Delivered.Last(p => p.Kind == PacketKind.Answer && p.To == Pair.AddressOfA);
        pair.Inject(pong.From, pong.To, pong.Bytes);
        pair.Run(0.1);
        Assert.Equal(2u, pair.A.Pongs.Single().Sequence);
    }

    [Fact]
    public void There_is_no_ping_before_a_path()
    {
        using var pair = new Pair();
        Assert.False(pair.A.Agent.TryPing(1, pair.Now));
        Assert.Empty(pair.Sent);
    }

    [Fact]
    public void A_close_ends_both_sides_within_a_round_trip()
    {
        using Pair pair = new Pair().Connect();
        TimeSpan at = pair.Now;
        pair.A.Agent.Close(0, pair.Now);
        Assert.Equal(CallState.Closing, pair.A.Agent.State);
        pair.Run(1);
        Assert.Equal(CallEnd.Closed, pair.A.End);
        Assert.Equal(CallEnd.ClosedByPeer, pair.B.End);
        Assert.Equal(at + TimeSpan.FromMilliseconds(40), pair.A.TimeOf("ended Closed"));
        Assert.Equal(at + TimeSpan.FromMilliseconds(20), pair.B.TimeOf("ended ClosedByPeer"));
        pair.Sent.Clear();
        pair.Run(20);
        Assert.Empty(pair.Sent);
    }

    [Fact]
    public void A_lost_close_is_repeated()
    {
        using Pair pair = new Pair().Connect();
        int lost = 0;
        using IDisposable losses = pair.Lose(p => p.Kind == PacketKind.Close && ++lost <= 2);
        pair.A.Agent.Close(0, pair.Now);
        pair.Run(1);
        Assert.Equal(CallEnd.Closed, pair.A.End);
        Assert.Equal(CallEnd.ClosedByPeer, pair.B.End);
    }

    [Fact]
    public void A_close_that_nobody_hears_is_over_after_300_ms()
    {
        using Pair pair = new Pair().Connect();
        using IDisposable losses = pair.LoseAll();
        TimeSpan at = pair.Now;
        pair.A.Agent.Close(0, pair.Now);
        pair.A.Agent.Close(0, pair.Now);
        pair.Run(1);
        Assert.Equal(at + TimeSpan.FromMilliseconds(300), pair.A.TimeOf("ended Closed"));
        Assert.Equal(3, pair.Sent.Count(p => p.Kind == PacketKind.Close));
    }

    [Fact]
    public void Both_may_close_at_once()
    {
        using Pair pair = new Pair().Connect();
        pair.A.Agent.Close(0, pair.Now);
        pair.B.Agent.Close(0, pair.Now);
        pair.Run(1);
        Assert.Equal(CallState.Ended, pair.A.Agent.State);
        Assert.Equal(CallState.Ended, pair.B.Agent.State);
    }

    [Fact]
    public void A_call_without_a_path_closes_at_once()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, Pair.Describe(Pair.AddressOfB));
        pair.A.Agent.Close(0, pair.Now);
        Assert.Equal(["ended Closed"], pair.A.News);
    }
}
