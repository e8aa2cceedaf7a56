using Gimlet.Connections;

namespace Gimlet.Tests.Connections;

/// <summary>The agreement on a race (docs/protocol.md section 7), without a network.</summary>
public sealed class RaceAgreementTests
{
    private static readonly RaceFinding BothWork = Finding(RaceOutcome.Works, RaceOutcome.Works, PathKind.Direct);
    private static readonly RaceFinding OnlyRelay = Finding(RaceOutcome.TimedOut, RaceOutcome.Works, PathKind.Relay);
    private static readonly RaceFinding OnlyDirect = Finding(RaceOutcome.Works, RaceOutcome.Failed, PathKind.Direct);
    private static readonly RaceFinding DirectWasFirst = Finding(RaceOutcome.Works, RaceOutcome.NotTried, PathKind.Direct);

    [Fact]
    public void Who_dialled_decides_for_the_direct_path_where_it_works_on_both_sides_and_for_the_relay_where_it_does_not()
    {
        foreach ((RaceFinding own, RaceFinding peer, PathKind winner) in new[]
        {
            (BothWork, BothWork, PathKind.Direct),
            (BothWork, OnlyRelay, PathKind.Relay),
            (OnlyRelay, BothWork, PathKind.Relay),
            (OnlyRelay, OnlyRelay, PathKind.Relay),
            (DirectWasFirst, OnlyRelay, PathKind.Relay),
            (OnlyDirect, OnlyDirect, PathKind.Direct),

            // The relay is none that works: what there is.
            (OnlyDirect, OnlyRelay, PathKind.Direct),
        })
        {
            var early = new RaceAgreement(decides: true);
            Assert.Null(early.FindOwn(own));
            Assert.Equal(winner, early.HearFinding(peer));
            var late = new RaceAgreement(decides: true);
            Assert.Null(late.HearFinding(peer));
            Assert.Equal(winner, late.FindOwn(own));
            Assert.Null(late.EndWait());
            Assert.Equal(winner, late.Winner);
        }
    }

    [Fact]
    public void Who_was_dialled_decides_nothing_until_it_is_told()
    {
        var callee = new RaceAgreement(decides: false);
        Assert.Null(callee.HearFinding(BothWork));
        Assert.Null(callee.FindOwn(BothWork));
        Assert.Null(callee.Winner);
        Assert.True(callee.HearDecision(PathKind.Direct));
        Assert.Equal(PathKind.Direct, callee.Winner);
        Assert.False(callee.HearDecision(PathKind.Direct));
    }

    [Fact]
    public void A_peer_that_says_nothing_is_left_to_the_relay_where_that_works_and_is_allowed()
    {
        foreach ((RaceFinding own, bool allowsRelay, PathKind winner) in new[]
        {
            (BothWork, true, PathKind.Relay),
            (OnlyRelay, true, PathKind.Relay),
            (OnlyDirect, true, PathKind.Direct),
            (DirectWasFirst, true, PathKind.Direct),
            (DirectWasFirst, false, PathKind.Direct),
            (BothWork, false, PathKind.Direct),
        })
        {
            var agreement = new RaceAgreement(decides: true) { AllowsRelay = allowsRelay };
            _ = agreement.FindOwn(own);
            Assert.Equal(winner, agreement.EndWait());

            // What comes later changes nothing.
            Assert.Null(agreement.HearFinding(BothWork));
            Assert.Equal(winner, agreement.Winner);
        }
    }

    [Fact]
    public void A_peer_that_falls_back_to_the_relay_takes_this_side_with_it_and_never_the_other_way_round()
    {
        var agreement = new RaceAgreement(decides: true);
        _ = agreement.FindOwn(BothWork);
        Assert.Equal(PathKind.Direct, agreement.HearFinding(BothWork));
        Assert.True(agreement.HearDecision(PathKind.Relay));
        Assert.False(agreement.HearDecision(PathKind.Direct));
        Assert.Equal(PathKind.Relay, agreement.Winner);

        var directOnly = new RaceAgreement(decides: false) { AllowsRelay = false };
        Assert.False(directOnly.HearDecision(PathKind.Relay));
        var relayOnly = new RaceAgreement(decides: false) { AllowsDirect = false };
        Assert.False(relayOnly.HearDecision(PathKind.Direct));
    }

    [Fact]
    public void However_the_messages_and_the_ends_of_both_waits_fall_both_sides_come_to_the_same()
    {
        RaceFinding[] findings = [BothWork, OnlyRelay, DirectWasFirst];
        var random = new Random(20261121);
        int direct = 0;
        for (int round = 0; round < 20_000; round++)
        {
            var caller = new RaceAgreement(decides: true);
            var callee = new RaceAgreement(decides: false);
            var toCaller = new Queue<Action>();
            var toCallee = new Queue<Action>();
            RaceFinding ofCaller = findings[random.Next(findings.Length)];
            RaceFinding ofCallee = findings[random.Next(findings.Length)];
            var steps = new List<Action>
            {
                () => Say(toCallee, callee, ofCaller, caller.FindOwn(ofCaller), caller, toCallee),
                () => Say(toCaller, caller, ofCallee, callee.FindOwn(ofCallee), callee, toCaller),
            };

            // A third of the sides end their wait at some time after their finding; the callee's without a dial of its own never does.
            bool callerEnds = random.Next(3) == 0;
            bool calleeEnds = random.Next(3) == 0;
            while (steps.Count > 0 || toCaller.Count > 0 || toCallee.Count > 0 || callerEnds || calleeEnds)
            {
                switch (random.Next(5))
                {
                    case 0 when steps.Count > 0:
                        int next = random.Next(steps.Count);
                        steps[next]();
                        steps.RemoveAt(next);
                        break;
                    case 1 when toCaller.Count > 0:
                        toCaller.Dequeue()();
                        break;
                    case 2 when toCallee.Count > 0:
                        toCallee.Dequeue()();
                        break;
                    case 3 when callerEnds && caller.Own is not null:
                        callerEnds = false;
                        Decide(caller.EndWait(), callee, toCallee);
                        break;
                    case 4 when calleeEnds && callee.Own is not null:
                        calleeEnds = false;
                        Decide(callee.EndWait(), caller, toCaller);
                        break;
                    default:
                        break;
                }
            }

            Assert.NotNull(caller.Winner);
            Assert.True(caller.Winner == callee.Winner, $"round {round}: {caller.Winner} and {callee.Winner}");
            direct += caller.Winner == PathKind.Direct ? 1 : 0;

            void Say(Queue<Action> way, RaceAgreement to, RaceFinding finding, PathKind? decision, RaceAgreement from, Queue<Action> same)
            {
                way.Enqueue(() => Decide(to.HearFinding(finding), from, to == caller ? toCallee : toCaller));
                Decide(decision, to, same);
            }

            static void Decide(PathKind? decision, RaceAgreement to, Queue<Action> way)
            {
                if (decision is { } winner)
                {
                    way.Enqueue(() => to.HearDecision(winner));
                }
            }
        }

        // Neither is an accident.
        Assert.InRange(direct, 1000, 15_000);
    }

    [Fact]
    public void A_decision_has_two_bytes_and_what_cannot_be_read_is_none()
    {
        Assert.Equal([1, 1], RaceDecision.Write(PathKind.Relay));
        Assert.Equal([1, 2], RaceDecision.Write(PathKind.Direct));
        foreach (PathKind winner in new[] { PathKind.Relay, PathKind.Direct })
        {
            // What a later version says behind it is not read.
            Assert.True(RaceDecision.TryRead([.. RaceDecision.Write(winner), 7], out PathKind read));
            Assert.Equal(winner, read);
        }

        foreach (byte[] foreign in new byte[][] { [], [1], [2, 1], [1, 0], [1, 3] })
        {
            Assert.False(RaceDecision.TryRead(foreign, out _));
        }
    }

    private static RaceFinding Finding(RaceOutcome direct, RaceOutcome relay, PathKind winner) => new(direct, relay, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(50), winner);
}
