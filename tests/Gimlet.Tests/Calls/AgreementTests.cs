using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class AgreementTests
{
    [Fact]
    public void Two_sides_that_know_each_other_are_connected_after_one_round_trip()
    {
        using Pair pair = new Pair().Introduce();
        pair.Run(1);
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.A.TimeOf("proven"));
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.B.TimeOf("proven"));
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
        Assert.Equal(Pair.AddressOfB, pair.A.NominatedRemote);
        Assert.Equal(Pair.AddressOfA, pair.B.NominatedRemote);
        Assert.Equal(["proven"], pair.A.News);
        Assert.Equal(["proven"], pair.B.News);
    }

    [Fact]
    public void One_side_that_knows_the_other_is_enough()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, Pair.Describe(Pair.AddressOfB));
        pair.Run(1);
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.A.TimeOf("proven"));
        Assert.Equal(TimeSpan.FromMilliseconds(60), pair.B.TimeOf("proven"));
        Assert.Equal(CandidateKind.PeerReflexive, pair.B.Agent.Nominated!.Remote.Kind);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_the_delays_and_losses_both_sides_end_on_the_same_pair(int seed)
    {
        var random = new Random(seed);
        using var pair = new Pair(
            a: [Pair.AddressOfA, At("10.0.0.1:1001"), At("[2001:db8::1]:1001")],
            b: [Pair.AddressOfB, At("10.0.0.2:2002"), At("[2001:db8::2]:2002")]);
        var delays = new Dictionary<(TransportAddress, TransportAddress), TimeSpan>();
        pair.Delay = p => delays.TryGetValue((p.From, p.To), out TimeSpan d) ? d : delays[(p.From, p.To)] = TimeSpan.FromMilliseconds(random.Next(1, 100));
        using IDisposable losses = pair.Lose(_ => random.Next(100) < 15);
        _ = pair.Introduce();
        pair.RunUntil(() => pair.A.Agent.Nominated is not null && pair.B.Agent.Nominated is not null, withinSeconds: 5);
        pair.Run(10);

        TransportAddress towardsB = pair.A.NominatedRemote;
        Assert.Equal(towardsB, pair.A.ActiveRemote);
        Assert.Equal(pair.A.SourceFor(towardsB), pair.B.NominatedRemote);
        Assert.Equal(pair.B.NominatedRemote, pair.B.ActiveRemote);
        Assert.All(pair.Sent.Where(p => p.Kind == PacketKind.Nomination), p => Assert.Contains(p.From, pair.A.Addresses));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Fact]
    public void The_path_inside_the_site_wins_although_both_work()
    {
        using Pair pair = SameSite().Introduce();
        pair.A.Agent.SetSameSite(true);
        pair.B.Agent.SetSameSite(true);
        pair.Run(1);
        Assert.Equal(At("10.0.0.2:2002"), pair.A.NominatedRemote);
        Assert.Equal(At("10.0.0.1:1001"), pair.B.NominatedRemote);
    }

    [Fact]
    public void A_much_faster_path_that_appears_late_replaces_the_first()
    {
        using var pair = new Pair(a: [Pair.AddressOfA, At("10.0.0.1:1001")], b: [Pair.AddressOfB, At("10.0.0.2:2002")]);
        pair.Delay = p => TimeSpan.FromMilliseconds(p.To.IsPrivate ? 1 : 40);
        pair.A.Learn(pair.Now, Pair.Describe(Pair.AddressOfB));
        pair.B.Learn(pair.Now, Pair.Describe(Pair.AddressOfA));
        pair.Run(1);
        Assert.Equal(Pair.AddressOfB, pair.A.NominatedRemote);

        pair.A.Learn(pair.Now, Pair.Describe(At("10.0.0.2:2002")));
        pair.Run(1);
        Assert.Equal(At("10.0.0.2:2002"), pair.A.NominatedRemote);
        Assert.Equal(At("10.0.0.1:1001"), pair.B.NominatedRemote);
        Assert.Equal(["proven", "changed"], pair.A.News);
        Assert.Equal(["proven", "changed"], pair.B.News);
    }

    [Fact]
    public void A_lost_nomination_is_repeated_until_it_is_answered()
    {
        using var pair = new Pair();
        int lost = 0;
        using IDisposable losses = pair.Lose(p => p.Kind == PacketKind.Nomination && ++lost <= 4);
        _ = pair.Introduce();
        pair.Run(2);
        Assert.Equal(Pair.AddressOfA, pair.B.NominatedRemote);
        uint[] numbers = [.. pair.Sent.Where(p => p.Kind == PacketKind.Nomination).Select(p => p.Nomination)];
        Assert.Equal(numbers.Order().Distinct(), numbers);
    }

    [Fact]
    public void A_replayed_or_overtaken_nomination_changes_nothing()
    {
        using Pair pair = SameSite().Introduce();
        pair.A.Agent.SetSameSite(true);
        pair.B.Agent.SetSameSite(true);
        pair.Run(4);
        Packet old = pair.Delivered.First(p => p.Kind == PacketKind.Nomination);
        TransportAddress settled = pair.B.NominatedRemote;
        pair.Inject(Pair.AddressOfA, Pair.AddressOfB, old.Bytes);
        pair.Inject(Pair.AddressOfA, Pair.AddressOfB, pair.Forge(pair.A, CheckPurpose.Nominate, old.Nomination));
        pair.Run(0.5);
        Assert.Equal(settled, pair.B.NominatedRemote);
        Assert.Equal(settled, pair.B.ActiveRemote);
    }

    [Fact]
    public void The_controlled_side_cannot_nominate()
    {
        using Pair pair = SameSite().Introduce();
        pair.Run(1);
        TransportAddress settled = pair.A.NominatedRemote;
        TransportAddress other = settled == Pair.AddressOfB ? At("10.0.0.2:2002") : Pair.AddressOfB;
        pair.Inject(other, pair.A.SourceFor(other), pair.Forge(pair.B, CheckPurpose.Nominate, 1_000_000));
        pair.Run(1);
        Assert.Equal(settled, pair.A.NominatedRemote);
    }

    [Fact]
    public void A_nomination_that_nobody_answers_is_given_up()
    {
        // The new path is proven, and dies before its nomination gets through.
        using var pair = new Pair(a: [Pair.AddressOfA, At("10.0.0.1:1001")], b: [Pair.AddressOfB, At("10.0.0.2:2002")]);
        pair.Delay = p => TimeSpan.FromMilliseconds(p.To.IsPrivate ? 1 : 40);
        pair.A.Learn(pair.Now, Pair.Describe(Pair.AddressOfB));
        pair.B.Learn(pair.Now, Pair.Describe(Pair.AddressOfA));
        pair.Run(1);
        using IDisposable losses = pair.Lose(p => p.To.IsPrivate && p.Kind == PacketKind.Nomination);
        pair.A.Learn(pair.Now, Pair.Describe(At("10.0.0.2:2002")));
        pair.Run(10);
        int before = pair.Sent.Count(p => p.Kind == PacketKind.Nomination && p.To.IsPrivate);
        Assert.NotEqual(0, before);
        pair.Run(60);
        Assert.Equal(before, pair.Sent.Count(p => p.Kind == PacketKind.Nomination && p.To.IsPrivate));
        Assert.Equal(Pair.AddressOfB, pair.A.ActiveRemote);
        Assert.Equal(Pair.AddressOfA, pair.B.ActiveRemote);
    }

    private static Pair SameSite() => new(a: [Pair.AddressOfA, At("10.0.0.1:1001")], b: [Pair.AddressOfB, At("10.0.0.2:2002")]);

    private static TransportAddress At(string text) => TransportAddress.Parse(text);
}
