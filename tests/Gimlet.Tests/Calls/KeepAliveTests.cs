using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class KeepAliveTests
{
    [Fact]
    public void Both_sides_check_the_path_in_use_every_three_seconds()
    {
        using Pair pair = new Pair().Connect();
        pair.Sent.Clear();
        pair.Run(60);
        Assert.InRange(pair.Sent.Count(p => p.IsRequest && p.To == Pair.AddressOfB), 19, 21);
        Assert.InRange(pair.Sent.Count(p => p.IsRequest && p.To == Pair.AddressOfA), 19, 21);
        Assert.Equal(["proven"], pair.A.News);
        Assert.Equal(["proven"], pair.B.News);
    }

    [Fact]
    public void One_lost_keep_alive_is_no_reason_to_suspect_the_path()
    {
        TransportAddress dead = TransportAddress.Parse("203.0.113.99:9");
        using Pair pair = new Pair().Introduce();
        pair.A.Learn(pair.Now, Pair.Describe(dead));
        pair.Run(1);
        pair.Sent.Clear();
        pair.LoseNext(static p => p.IsRequest && p.To == Pair.AddressOfB);
        pair.LoseNext(static p => p.Kind == PacketKind.Answer && p.To == Pair.AddressOfB);
        pair.Run(5);
        Assert.DoesNotContain(pair.Sent, p => p.To == dead);
        Assert.Equal(["proven"], pair.A.News);
        Assert.Equal(["proven"], pair.B.News);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(1.5)]
    [InlineData(2.99)]
    public void A_dead_path_is_noticed_within_six_seconds_whenever_it_dies(double afterKeepAlive)
    {
        using Pair pair = new Pair().Connect();
        pair.RunUntil(() => pair.Sent[^1].SentAt > TimeSpan.FromSeconds(2), withinSeconds: 5);
        pair.Run(0.04 + afterKeepAlive);
        TimeSpan died = pair.Now;
        using IDisposable losses = pair.LoseAll();
        pair.RunUntil(() => pair.A.TimeOf("lost") is not null && pair.B.TimeOf("lost") is not null, withinSeconds: 10);
        Assert.InRange((pair.A.TimeOf("lost") - died)!.Value.TotalSeconds, 0, 6);
        Assert.InRange((pair.B.TimeOf("lost") - died)!.Value.TotalSeconds, 0, 6);
    }

    [Fact]
    public void A_dead_path_is_noticed_also_while_the_application_pings_on_it_all_the_time()
    {
        using Pair pair = new Pair().Connect();
        using IDisposable losses = pair.LoseAll();
        TimeSpan died = pair.Now;
        uint sequence = 0;
        while (pair.A.TimeOf("lost") is null && pair.Now < died + TimeSpan.FromSeconds(20))
        {
            _ = pair.A.Agent.TryPing(++sequence, pair.Now);
            pair.Run(0.1);
        }

        Assert.InRange((pair.A.TimeOf("lost") - died)!.Value.TotalSeconds, 0, 6);
    }

    [Fact]
    public void One_answer_that_was_seconds_late_does_not_put_the_notice_off()
    {
        using Pair pair = new Pair().Connect();
        pair.Delay = static p => TimeSpan.FromMilliseconds(p.Kind == PacketKind.Answer && p.SentAt < TimeSpan.FromSeconds(3.5) ? 2500 : 20);
        pair.Run(5.7);
        TimeSpan died = pair.Now;
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
        using IDisposable losses = pair.LoseAll();
        pair.RunUntil(() => pair.A.TimeOf("lost") is not null && pair.B.TimeOf("lost") is not null, withinSeconds: 6);
        Assert.True(pair.A.TimeOf("lost") - died <= TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void A_path_that_comes_back_is_used_again()
    {
        using Pair pair = new Pair().Connect();
        using (pair.LoseAll())
        {
            pair.RunUntil(() => pair.A.Agent.State == CallState.Recovering && pair.B.Agent.State == CallState.Recovering, withinSeconds: 7);
            Assert.Null(pair.A.Agent.Active);
            Assert.False(pair.A.Agent.TryPing(1, pair.Now));
        }

        pair.RunUntil(() => pair.A.Agent.State == CallState.Connected && pair.B.Agent.State == CallState.Connected, withinSeconds: 1);
        pair.Run(10);
        Assert.Equal(["proven", "suspect", "lost", "proven"], pair.A.News);
        Assert.Equal(["proven", "suspect", "lost", "proven"], pair.B.News);
        Assert.Equal(Pair.AddressOfB, pair.A.NominatedRemote);
        Assert.Equal(Pair.AddressOfA, pair.B.NominatedRemote);
    }

    [Fact]
    public void Another_path_takes_over_before_the_dead_one_is_given_up()
    {
        TransportAddress lanOfA = TransportAddress.Parse("10.0.0.1:1001");
        TransportAddress lanOfB = TransportAddress.Parse("10.0.0.2:2002");
        using Pair pair = new Pair(a: [Pair.AddressOfA, lanOfA], b: [Pair.AddressOfB, lanOfB]).Connect();
        pair.Run(2);
        TransportAddress dead = pair.A.ActiveRemote;
        TransportAddress other = dead == lanOfB ? Pair.AddressOfB : lanOfB;
        TimeSpan died = pair.Now;
        using IDisposable losses = pair.Lose(p => p.To.IsPrivate == dead.IsPrivate);
        pair.RunUntil(() => pair.A.NominatedRemote == other && pair.B.NominatedRemote == pair.A.SourceFor(other), withinSeconds: 5);
        Assert.InRange((pair.Now - died).TotalSeconds, 1, 4.6);
        pair.Run(20);
        Assert.Equal("changed", pair.A.News[^1]);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
        Assert.Equal(other, pair.A.ActiveRemote);
        Assert.Equal(pair.A.SourceFor(other), pair.B.ActiveRemote);
    }

    [Fact]
    public void When_nothing_works_any_more_the_call_ends_and_says_so()
    {
        using Pair pair = new Pair().Connect();
        using IDisposable losses = pair.LoseAll();
        pair.Run(20);
        Assert.Equal(["proven", "suspect", "lost", "ended PathLost"], pair.A.News);
        Assert.Equal(["proven", "suspect", "lost", "ended PathLost"], pair.B.News);
        Assert.Equal(TimeSpan.MaxValue, pair.A.Agent.NextTimeout);
    }

    [Fact]
    public void After_a_rebind_of_the_nominating_side_the_other_follows_with_its_next_keep_alive()
    {
        using Pair pair = new Pair().Connect();
        TransportAddress moved = pair.Rebind(pair.A);
        pair.RunUntil(() => pair.B.NominatedRemote == moved && pair.B.ActiveRemote == moved, withinSeconds: 3.2);
        pair.Run(20);
        AssertBothWork(pair);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
    }

    [Fact]
    public void After_a_rebind_of_the_other_side_the_nominating_side_finds_it_again()
    {
        using Pair pair = new Pair().Connect();
        TransportAddress moved = pair.Rebind(pair.B);
        pair.RunUntil(() => pair.A.NominatedRemote == moved && pair.A.ActiveRemote == moved, withinSeconds: 5);
        pair.Run(20);
        AssertBothWork(pair);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
    }

    [Fact]
    public void A_call_survives_any_number_of_rebinds()
    {
        using Pair pair = new Pair().Connect();
        for (int i = 0; i < 60; i++)
        {
            TransportAddress moved = pair.Rebind(i % 2 == 0 ? pair.A : pair.B);
            Side follower = i % 2 == 0 ? pair.B : pair.A;
            pair.RunUntil(() => follower.ActiveRemote == moved, withinSeconds: 6);
            pair.Run(4);
        }

        AssertBothWork(pair);
        Assert.InRange(pair.A.Agent.Pairs.Count, 1, 18);
        Assert.InRange(pair.B.Agent.Pairs.Count, 1, 18);
    }

    [Fact]
    public void A_call_survives_any_number_of_new_candidates()
    {
        using Pair pair = new Pair().Connect();
        for (int i = 1; i <= 200; i++)
        {
            pair.A.Learn(pair.Now, Pair.Describe(TransportAddress.Parse($"192.0.2.{i}:1")));
            pair.Run(0.5);
        }

        Assert.InRange(pair.A.Agent.Pairs.Count, 2, pair.Options.MaxPairs);
        Assert.Contains(pair.Sent, static p => p.To == TransportAddress.Parse("192.0.2.200:1"));
        AssertBothWork(pair);
    }

    [Fact]
    public void Both_sides_may_move_at_once_when_one_of_them_keeps_an_address()
    {
        TransportAddress v6OfA = TransportAddress.Parse("[2001:db8::1]:1001");
        TransportAddress v6OfB = TransportAddress.Parse("[2001:db8::2]:2002");
        using Pair pair = new Pair(a: [Pair.AddressOfA, v6OfA], b: [Pair.AddressOfB, v6OfB]).Connect();
        pair.A.Addresses.Remove(Pair.AddressOfA);
        pair.B.Addresses.Remove(Pair.AddressOfB);
        pair.Run(10);
        AssertBothWork(pair);
        Assert.Equal(v6OfB, pair.A.ActiveRemote);
    }

    private static void AssertBothWork(Pair pair)
    {
        int pongs = pair.A.Pongs.Count;
        Assert.True(pair.A.Agent.TryPing(77, pair.Now));
        Assert.True(pair.B.Agent.TryPing(78, pair.Now));
        pair.Run(0.1);
        Assert.Equal(pongs + 1, pair.A.Pongs.Count);
        Assert.Contains("pong 78", pair.B.News);
    }
}
