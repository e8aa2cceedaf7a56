using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

/// <summary>What an agent does when somebody else has evidence about its path: QUIC that hears nothing, or hears the peer from elsewhere.</summary>
public sealed class DoubtTests
{
    [Fact]
    public void A_path_in_doubt_is_probed_at_once_and_its_answer_is_told()
    {
        using Pair pair = Settled();
        TimeSpan start = pair.Now;
        pair.Sent.Clear();
        pair.A.Agent.Doubt(pair.Now);
        pair.Run(0.05);
        Assert.Contains(pair.Sent, p => p.IsRequest && p.To == Pair.AddressOfB && p.SentAt == start);
        Assert.Equal("recovered", pair.A.News[^1]);
        Assert.Equal(start + TimeSpan.FromMilliseconds(40), pair.A.TimeOf("recovered"));
        pair.Run(30);
        Assert.Equal(1, pair.A.News.Count(static n => n == "recovered"));
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
    }

    [Fact]
    public void A_doubt_that_is_right_loses_the_path_within_the_time_of_a_loss()
    {
        using Pair pair = Settled();
        using IDisposable losses = pair.LoseAll();
        TimeSpan start = pair.Now;
        pair.A.Agent.Doubt(pair.Now);
        pair.RunUntil(() => pair.A.TimeOf("lost") is not null, withinSeconds: 5);
        Assert.InRange((pair.A.TimeOf("lost") - start)!.Value.TotalSeconds, 1, 3);
        Assert.DoesNotContain("recovered", pair.A.News);
    }

    [Fact]
    public void Doubts_in_a_row_neither_flood_nor_put_the_loss_off()
    {
        using Pair pair = Settled();
        using IDisposable losses = pair.LoseAll();
        TimeSpan start = pair.Now;
        pair.Sent.Clear();
        while (pair.A.TimeOf("lost") is null && pair.Now < start + TimeSpan.FromSeconds(10))
        {
            pair.A.Agent.Doubt(pair.Now);
            pair.Run(0.01);
        }

        Assert.InRange((pair.A.TimeOf("lost") - start)!.Value.TotalSeconds, 0, 3);
        Assert.InRange(pair.Sent.Count(p => p.IsRequest && p.To == Pair.AddressOfB), 1, 30);
    }

    [Fact]
    public void Another_pair_takes_over_when_the_doubt_is_right()
    {
        TransportAddress lanOfA = TransportAddress.Parse("10.0.0.1:1001");
        TransportAddress lanOfB = TransportAddress.Parse("10.0.0.2:2002");
        using Pair pair = new Pair(a: [Pair.AddressOfA, lanOfA], b: [Pair.AddressOfB, lanOfB]).Connect();
        pair.Run(2);
        TransportAddress dead = pair.A.ActiveRemote;
        TransportAddress other = dead == lanOfB ? Pair.AddressOfB : lanOfB;
        using IDisposable losses = pair.Lose(p => p.To.IsPrivate == dead.IsPrivate);
        TimeSpan start = pair.Now;
        pair.A.Agent.Doubt(pair.Now);
        pair.RunUntil(() => pair.A.ActiveRemote == other, withinSeconds: 1);
        Assert.InRange((pair.Now - start).TotalSeconds, 0, 0.2);
        pair.Run(20);
        Assert.Equal(pair.A.SourceFor(other), pair.B.ActiveRemote);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
    }

    [Fact]
    public void Data_from_another_address_has_it_checked_and_the_path_in_use_with_it()
    {
        using Pair pair = Settled();
        TransportAddress moved = pair.Rebind(pair.B);
        TimeSpan start = pair.Now;
        pair.A.Agent.Probe(moved, pair.Now);
        pair.RunUntil(() => pair.A.ActiveRemote == moved, withinSeconds: 1);
        Assert.InRange((pair.Now - start).TotalSeconds, 0, 0.1);
        pair.Run(20);
        Assert.Equal(moved, pair.A.NominatedRemote);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
    }

    [Fact]
    public void Data_that_was_replayed_from_a_strangers_address_moves_nothing_and_costs_a_few_checks()
    {
        TransportAddress stranger = TransportAddress.Parse("192.0.2.99:9");
        using Pair pair = Settled();
        pair.Sent.Clear();
        for (int i = 0; i < 100; i++)
        {
            pair.A.Agent.Probe(stranger, pair.Now);
            pair.Run(0.05);
        }

        pair.Run(20);
        // Two small checks for each packet that he had to catch and repeat in time: no gain for him.
        Assert.InRange(pair.Sent.Count(p => p.To == stranger), 1, 200);
        Assert.Equal(Pair.AddressOfB, pair.A.ActiveRemote);
        Assert.DoesNotContain("lost", pair.A.News.Concat(pair.B.News));
        Assert.DoesNotContain("changed", pair.A.News);
    }

    [Fact]
    public void Strangers_addresses_do_not_grow_the_list_beyond_its_bound()
    {
        using Pair pair = Settled();
        for (int i = 1; i <= 250; i++)
        {
            pair.A.Agent.Probe(TransportAddress.Parse($"192.0.2.{i}:9"), pair.Now);
            pair.Run(0.02);
        }

        Assert.InRange(pair.A.Agent.Pairs.Count, 1, pair.Options.MaxPairs);
        pair.Run(10);
        Assert.Equal(Pair.AddressOfB, pair.A.ActiveRemote);
    }

    [Fact]
    public void Neither_does_anything_before_there_is_a_path_or_after_the_end()
    {
        using Pair pair = new Pair().Introduce();
        pair.A.Agent.Doubt(pair.Now);
        Assert.Equal(CallState.Checking, pair.A.Agent.State);
        pair.Run(1);
        pair.A.Agent.Close(0, pair.Now);
        pair.Run(1);
        int sent = pair.Sent.Count;
        pair.A.Agent.Doubt(pair.Now);
        pair.A.Agent.Probe(Pair.AddressOfB, pair.Now);
        pair.A.Agent.Probe(TransportAddress.Parse("192.0.2.99:9"), pair.Now);
        pair.Run(20);
        Assert.Equal(sent, pair.Sent.Count);
    }

    [Fact]
    public void An_address_that_nobody_should_be_sent_to_is_not_probed()
    {
        using Pair pair = Settled();
        pair.Sent.Clear();
        foreach (string address in new[] { "127.0.0.1:1", "0.0.0.0:1", "224.0.0.1:1", "169.254.169.254:80", "255.255.255.255:9" })
        {
            pair.A.Agent.Probe(TransportAddress.Parse(address), pair.Now);
        }

        pair.Run(1);
        Assert.All(pair.Sent, static p => Assert.True(p.To == Pair.AddressOfB || p.To == Pair.AddressOfA));
    }

    [Fact]
    public void A_monitor_in_doubt_probes_at_the_pace_of_a_suspect_and_an_answer_ends_it()
    {
        var options = new TraversalOptions();
        var monitor = new PathMonitor(options);
        var now = TimeSpan.FromSeconds(100);
        monitor.Start(now, TimeSpan.FromMilliseconds(40));
        Assert.Equal(now + options.KeepAliveInterval, monitor.NextTimeout);
        now += TimeSpan.FromMilliseconds(500);
        monitor.Suspect(now);
        Assert.True(monitor.IsSuspect);
        Assert.Equal(now, monitor.NextTimeout);
        TimeSpan start = now;
        int probes = 0;
        while (monitor.Poll(now) is PathVerdict.Probe)
        {
            monitor.Probed(now);
            probes++;
            now = monitor.NextTimeout;
        }

        Assert.Equal(options.PathLossTimeout * 2 / 3, now - start);
        Assert.InRange(probes, 6, 8);
        monitor.Start(now, TimeSpan.FromMilliseconds(40));
        monitor.Suspect(now);
        Assert.Equal(PathVerdict.Probe, monitor.Poll(now));
        monitor.Probed(now);
        monitor.Answered(now, TimeSpan.FromMilliseconds(40));
        Assert.False(monitor.IsSuspect);
        Assert.Equal(now + options.KeepAliveInterval, monitor.NextTimeout);
    }

    private static Pair Settled()
    {
        Pair pair = new Pair().Connect();
        pair.Run(1);
        return pair;
    }
}
