using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class PacingTests
{
    private static readonly TransportAddress Dead = TransportAddress.Parse("203.0.113.99:9");

    [Fact]
    public void The_first_check_leaves_at_once_and_no_two_are_closer_than_Ta()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, [.. Enumerable.Range(1, 40).Select(i => Pair.Describe(TransportAddress.Parse($"203.0.113.{i}:9")))]);
        pair.Run(5);
        TimeSpan[] times = [.. pair.Sent.Select(p => p.SentAt)];
        Assert.Equal(TimeSpan.Zero, times[0]);
        Assert.InRange(times.Length, 100, pair.Options.ChecksPerPunch);
        for (int i = 1; i < times.Length; i++)
        {
            Assert.True(times[i] - times[i - 1] >= pair.Options.CheckPacing, $"{times[i - 1]} and {times[i]}");
        }

        // Every address gets its first check before any gets its second that is not due anyway.
        Assert.Equal(40, pair.Sent.Take(50).Select(p => p.To).Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_likely_pair_goes_first(bool sameSite)
    {
        using var pair = new Pair();
        pair.A.Agent.SetSameSite(sameSite);
        pair.A.Learn(
            pair.Now,
            new Candidate(CandidateKind.ServerReflexive, At("203.0.113.5:1"), Unverified: true),
            new Candidate(CandidateKind.Host, At("192.168.1.5:1")),
            new Candidate(CandidateKind.ServerReflexive, At("203.0.113.1:1")),
            new Candidate(CandidateKind.Mapped, At("203.0.113.2:1")),
            new Candidate(CandidateKind.Host, At("[2001:db8::5]:1")));
        pair.Run(0.04);
        string[] order = [.. pair.Sent.Select(p => p.To.ToString())];
        string[] outside = ["[2001:db8::5]:1", "203.0.113.2:1", "203.0.113.1:1"];
        Assert.Equal(sameSite ? ["192.168.1.5:1", .. outside, "203.0.113.5:1"] : [.. outside, "192.168.1.5:1", "203.0.113.5:1"], order);
    }

    [Fact]
    public void Unanswered_checks_are_repeated_with_backoff_until_the_deadline()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, Pair.Describe(Dead));
        pair.Run(10);
        double[] times = [.. pair.Sent.Select(p => p.SentAt.TotalMilliseconds)];
        Assert.Equal([0, 50, 150, 350, 750, 1250, 1750], times.Take(7));
        Assert.True(times[^1] < 5000);
        Assert.Equal(CallEnd.PunchFailed, pair.A.End);
        Assert.Equal(TimeSpan.FromSeconds(5), pair.A.TimeOf("ended PunchFailed"));
        Assert.Equal(TimeSpan.MaxValue, pair.A.Agent.NextTimeout);
    }

    [Fact]
    public void A_call_without_any_candidate_ends_at_the_deadline_too()
    {
        using var pair = new Pair();
        pair.Run(6);
        Assert.Empty(pair.Sent);
        Assert.Equal(CallEnd.PunchFailed, pair.A.End);
    }

    [Fact]
    public void A_punch_sends_no_more_than_its_budget()
    {
        using var pair = new Pair(new TraversalOptions { ChecksPerPunch = 25 });
        pair.A.Learn(pair.Now, [.. Enumerable.Range(1, 20).Select(i => Pair.Describe(TransportAddress.Parse($"203.0.113.{i}:9")))]);
        pair.Run(5);
        Assert.Equal(25, pair.Sent.Count);
    }

    [Fact]
    public void The_node_sends_no_more_than_its_budget_per_second()
    {
        using var pair = new Pair(new TraversalOptions { NodeChecksPerSecond = 20 });
        pair.A.Learn(pair.Now, [.. Enumerable.Range(1, 40).Select(i => Pair.Describe(TransportAddress.Parse($"203.0.113.{i}:9")))]);
        pair.Run(4.9);
        for (int second = 0; second < 4; second++)
        {
            // A bucket that was full at the start, and what runs into it meanwhile.
            Assert.InRange(pair.Sent.Count(p => (int)p.SentAt.TotalSeconds == second), 1, second == 0 ? 40 : 21);
        }
    }

    [Fact]
    public void An_address_that_nobody_vouched_for_gets_three_checks_half_a_second_apart()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, new Candidate(CandidateKind.ServerReflexive, Dead, Unverified: true));
        pair.Run(5);
        Assert.Equal([0, 500, 1000], pair.Sent.Select(p => p.SentAt.TotalMilliseconds));
    }

    [Fact]
    public void It_gets_no_more_and_no_sooner_when_the_list_is_started_again()
    {
        using Pair pair = new Pair().Connect();
        pair.A.Learn(pair.Now, new Candidate(CandidateKind.ServerReflexive, Dead, Unverified: true));
        for (int i = 0; i < 4; i++)
        {
            using (pair.LoseAll())
            {
                pair.RunUntil(() => pair.A.Agent.State == CallState.Recovering, withinSeconds: 7);
            }

            pair.RunUntil(() => pair.A.Agent.State == CallState.Connected, withinSeconds: 5);
            pair.Run(4);
        }

        TimeSpan[] times = [.. pair.Sent.Where(p => p.To == Dead).Select(p => p.SentAt)];
        Assert.Equal(3, times.Length);
        Assert.True(times[1] - times[0] >= pair.Options.UnverifiedCheckInterval);
        Assert.True(times[2] - times[1] >= pair.Options.UnverifiedCheckInterval);
    }

    [Fact]
    public void Many_ports_of_one_address_that_nobody_vouched_for_are_no_way_around_the_three()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, [.. Enumerable.Range(1, 60).Select(i => new Candidate(CandidateKind.ServerReflexive, Dead.WithPort(i), Unverified: true))]);
        pair.Run(5);
        Assert.Equal(3, pair.Sent.Count);
    }

    [Fact]
    public void When_somebody_vouches_for_it_later_it_is_checked_as_any_other()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, new Candidate(CandidateKind.ServerReflexive, Dead, Unverified: true));
        pair.Run(1.5);
        pair.A.Learn(pair.Now, new Candidate(CandidateKind.ServerReflexive, Dead));
        pair.Run(1);
        Assert.Equal([0, 500, 1000, 1500, 1550, 1650, 1850, 2250], pair.Sent.Select(p => p.SentAt.TotalMilliseconds));
    }

    [Fact]
    public void The_peers_own_check_vouches_for_the_address_it_came_from()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, new Candidate(CandidateKind.ServerReflexive, Pair.AddressOfB, Unverified: true));
        using (pair.LoseAll())
        {
            pair.Run(2);
        }

        pair.B.Learn(pair.Now, Pair.Describe(Pair.AddressOfA));
        pair.Run(0.1);
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
    }

    [Fact]
    public void A_check_of_the_peer_triggers_one_at_once_and_some_more_soon_after()
    {
        using var pair = new Pair();
        using IDisposable losses = pair.Lose(p => p.Kind == PacketKind.Check && p.To == Pair.AddressOfB);
        pair.Inject(Pair.AddressOfB, Pair.AddressOfA, pair.Forge(pair.B));
        pair.Run(0.4);
        Assert.Equal([PacketKind.Answer, PacketKind.Check, PacketKind.Check, PacketKind.Check, PacketKind.Check], pair.Sent.Select(p => p.Kind));
        Assert.Equal([0, 0, 50, 150, 350], pair.Sent.Select(p => p.SentAt.TotalMilliseconds));
    }

    [Fact]
    public void Once_settled_nothing_but_the_path_in_use_is_checked()
    {
        using Pair pair = new Pair().Introduce();
        pair.A.Learn(pair.Now, Pair.Describe(Dead));
        pair.Run(1);
        pair.Sent.Clear();
        pair.Run(30);
        Assert.DoesNotContain(pair.Sent, p => p.To == Dead);

        // An authenticated check from a new address is followed up for a moment, not for ever.
        pair.Inject(Dead, Pair.AddressOfA, pair.Forge(pair.B));
        pair.Run(1);
        Assert.InRange(pair.Sent.Count(p => p.To == Dead && p.Kind == PacketKind.Check), 2, 6);
        pair.Sent.Clear();
        pair.Run(30);
        Assert.DoesNotContain(pair.Sent, p => p.To == Dead);
    }

    [Fact]
    public void Checks_from_everywhere_teach_a_bounded_number_of_addresses()
    {
        using Pair pair = new Pair(new TraversalOptions { PunchDeadline = TimeSpan.FromMinutes(1) }).Introduce();
        using IDisposable losses = pair.LoseAll();
        for (int port = 1; port <= 100; port++)
        {
            pair.Inject(Dead.WithPort(port), Pair.AddressOfA, pair.Forge(pair.B));
            pair.Run(0.01);
        }

        Assert.InRange(pair.A.Agent.Pairs.Count, 2, 17);
    }

    [Fact]
    public void A_list_that_the_server_filled_still_learns_from_checks()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, [.. Enumerable.Range(1, 80).Select(i => Pair.Describe(TransportAddress.Parse($"203.0.113.{i + 100}:9")))]);
        Assert.Equal(pair.Options.MaxPairs, pair.A.Agent.Pairs.Count);
        pair.B.Learn(pair.Now, Pair.Describe(Pair.AddressOfA));
        pair.Run(1);
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
        Assert.Equal(CallState.Connected, pair.B.Agent.State);
    }

    [Fact]
    public void Addresses_that_must_never_be_sent_to_are_not_sent_to()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, Pair.Describe(At("127.0.0.1:9")), Pair.Describe(At("169.254.169.254:80")), Pair.Describe(At("224.0.0.1:9")));
        pair.Inject(At("127.0.0.1:9"), Pair.AddressOfA, pair.Forge(pair.B));
        pair.Run(1);
        Assert.DoesNotContain(pair.Sent, p => p.IsRequest);
        Assert.Empty(pair.A.Agent.Pairs);
    }

    private static TransportAddress At(string text) => TransportAddress.Parse(text);
}
