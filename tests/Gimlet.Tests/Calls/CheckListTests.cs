using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Tests.Calls;

public sealed class CheckListTests
{
    private static readonly TransportAddress Address = TransportAddress.Parse("203.0.113.1:1");

    private readonly CheckList _list = new(new TraversalOptions());
    private readonly CheckBudget _budget = new(1000);

    [Fact]
    public void A_restart_does_not_hurry_the_next_check_to_an_address_that_nobody_vouched_for()
    {
        Assert.NotNull(_list.Add(new Candidate(CandidateKind.ServerReflexive, Address, Unverified: true), Ms(0), InUse));
        Assert.True(_list.TryTakeDue(Ms(0), _budget, out _));
        _list.Restart(Ms(10));
        Assert.Equal(Ms(500), _list.NextTimeout);
        Assert.False(_list.TryTakeDue(Ms(499), _budget, out _));
        Assert.True(_list.TryTakeDue(Ms(500), _budget, out _));
        _list.StopAll();
        _list.Restart(Ms(5000));
        Assert.True(_list.TryTakeDue(Ms(5000), _budget, out _));
        _list.Restart(Ms(9000));
        Assert.Equal(TimeSpan.MaxValue, _list.NextTimeout);
    }

    [Fact]
    public void An_empty_list_has_no_timer() => Assert.Equal(TimeSpan.MaxValue, _list.NextTimeout);

    [Fact]
    public void The_same_address_is_one_pair_whatever_its_kind()
    {
        Assert.NotNull(_list.Add(new Candidate(CandidateKind.Host, Address), Ms(0), InUse));
        Assert.Null(_list.Add(new Candidate(CandidateKind.PeerReflexive, Address), Ms(0), InUse));
        Assert.NotNull(_list.Add(new Candidate(CandidateKind.Host, Address.WithPort(2)), Ms(0), InUse));
        Assert.Equal(2, _list.Pairs.Count);
    }

    [Fact]
    public void A_stopped_pair_is_not_checked_again()
    {
        CandidatePair pair = _list.Add(new Candidate(CandidateKind.Host, Address), Ms(0), InUse)!;
        CheckList.Stop(pair);
        Assert.False(_list.TryTakeDue(Ms(0), _budget, out _));
        CheckList.Trigger(pair, Ms(7), new TraversalOptions());
        Assert.True(_list.TryTakeDue(Ms(7), _budget, out CandidatePair? due));
        Assert.Same(pair, due);
    }

    [Fact]
    public void A_full_list_forgets_the_oldest_idle_pair_but_never_one_in_use_or_one_that_nobody_vouched_for()
    {
        CandidatePair unverified = _list.Add(new Candidate(CandidateKind.ServerReflexive, TransportAddress.Parse("192.0.2.9:1"), Unverified: true), Ms(0), InUse)!;
        CandidatePair[] pairs = [.. Enumerable.Range(1, 63).Select(i => _list.Add(new Candidate(CandidateKind.Host, Address.WithPort(i)), Ms(0), InUse)!)];
        Assert.Null(_list.Add(new Candidate(CandidateKind.Host, Address.WithPort(1000)), Ms(0), InUse));

        _list.StopAll();
        CandidatePair[] added = [.. Enumerable.Range(1000, 3).Select(i => _list.Add(new Candidate(CandidateKind.Host, Address.WithPort(i)), Ms(0), p => p == pairs[1])!)];
        Assert.DoesNotContain(null, added);
        Assert.Equal([unverified, pairs[1], pairs[4]], _list.Pairs.Take(3));
        Assert.True(pairs[0].Forgotten && !pairs[1].Forgotten && pairs[2].Forgotten && pairs[3].Forgotten);
        Assert.Equal(64, _list.Pairs.Count);
        Assert.NotNull(_list.Add(new Candidate(CandidateKind.PeerReflexive, Address.WithPort(2000)), Ms(0), InUse));
    }

    [Fact]
    public void A_budget_that_is_used_up_delays_the_check_and_does_not_lose_it()
    {
        var empty = new CheckBudget(1);
        Assert.True(empty.TryTake(Ms(0)));
        Assert.NotNull(_list.Add(new Candidate(CandidateKind.Host, Address), Ms(0), InUse));
        Assert.False(_list.TryTakeDue(Ms(0), empty, out CandidatePair? due));
        Assert.Null(due);
        Assert.Equal(Ms(5), _list.NextTimeout);
        Assert.True(_list.TryTakeDue(Ms(1000), empty, out _));
    }

    private static bool InUse(CandidatePair pair) => false;

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
