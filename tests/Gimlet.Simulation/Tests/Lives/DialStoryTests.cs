using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>Dials that are given up, that cross, and that are sooner than the server's word of them: the next one is not to wait for any of it.</summary>
public sealed class DialStoryTests
{
    // Four flights by the relay at most, each 62 ms with all jitter, and nothing that waits for a timer.
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(800);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_dial_that_is_cancelled_at_any_moment_does_not_hold_up_the_peers(int first) => Seeds.Run(40, (seed, trace) =>
    {
        Couple couple = Ready(seed, trace);
        SimRandom draw = couple.World.Random("when");
        Side caller = couple.Sides[first];
        Side other = couple.Other(caller);
        foreach (Side side in couple.Sides)
        {
            // What is cancelled may have been taken at the other side; the connection that counts is the one that the second dial gets.
            side.Connections.Accept = static _ => new Silent();
        }

        SimDial dial = couple.Dial(caller);
        couple.World.RunFor(draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(200)));
        caller.Node.Act(() => caller.Connections.Cancel(dial));
        couple.World.RunFor(draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)));
        var taken = new Silent();
        SimDial? second = null;
        TimeSpan began = couple.World.Now;
        other.Node.Act(() => second = other.Connections.Dial(caller.Node.Id, Couple.Protocol, taken));
        bool isOver = couple.World.RunUntil(() => second!.IsOver, TimeSpan.FromSeconds(20));
        Assert.True(isOver && second!.Failure is null, second!.Failure ?? "nothing came of it");
        Assert.True(couple.World.Now - began < AtOnce, $"it took {(couple.World.Now - began).TotalMilliseconds} ms, cancelled {(dial.Failure is null ? "too late" : "in time")}");
    });

    [Fact]
    public void Who_waits_for_the_peers_dial_calls_as_soon_as_that_one_is_cancelled() => Seeds.Run(20, static (seed, trace) =>
    {
        Couple couple = Ready(seed, trace);
        SimDial given = couple.Dial(couple.A);
        Assert.True(couple.World.RunUntil(() => couple.B.Connections.Peers.IsExpected(couple.A.Node.Id, Couple.Protocol), TimeSpan.FromSeconds(1)), "the call did not come");
        SimDial waits = couple.Dial(couple.B);
        Assert.True(waits.IsJoining);
        TimeSpan cancelled = couple.World.Now;
        couple.A.Node.Act(() => couple.A.Connections.Cancel(given));
        Assert.True(couple.World.RunUntil(() => waits.IsOver, TimeSpan.FromSeconds(20)) && waits.Failure is null, waits.Failure ?? "nothing came of it");
        Assert.True(couple.World.Now - cancelled < AtOnce, $"it took {(couple.World.Now - cancelled).TotalMilliseconds} ms");
    });

    [Fact]
    public void Dials_that_crossed_leave_nothing_that_the_next_one_waits_for() => Seeds.Run(40, static (seed, trace) =>
    {
        Couple couple = Ready(seed, trace);
        SimRandom draw = couple.World.Random("when");
        foreach (Side side in couple.Sides)
        {
            side.Connections.Accept = static _ => new Silent();
        }

        // A process that is slow to read the server's word may hear of a call when its own dial is a connection already, and takes it.
        Side slow = couple.Sides[draw.Next(2)];
        slow.Node.Links[0].ReadDelay = draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(100));

        // From "at once" to "when the first one is a connection".
        SimDial a = Dial(couple, slow);
        couple.World.RunFor(draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(150)));
        SimDial b = Dial(couple, couple.Other(slow));
        Assert.True(couple.World.RunUntil(() => a.IsOver && b.IsOver, TimeSpan.FromSeconds(20)), "they did not connect");
        Assert.True((a.Failure ?? b.Failure) is null, a.Failure ?? b.Failure);
        couple.World.RunFor(TimeSpan.FromMilliseconds(400));
        slow.Node.Links[0].ReadDelay = TimeSpan.Zero;
        foreach (Side side in couple.Sides)
        {
            // The last flight of the handshake is on its way to the other side, or the word that a call is over.
            couple.World.RunFor(TimeSpan.FromMilliseconds(150));
            TimeSpan began = couple.World.Now;
            SimDial next = Dial(couple, side);
            Assert.False(next.IsJoining, $"{side.Host.Name} waits for a dial that is over");
            Assert.True(couple.World.RunUntil(() => next.IsOver, TimeSpan.FromSeconds(20)) && next.Failure is null, next.Failure ?? "nothing came of it");
            Assert.True(couple.World.Now - began < AtOnce, $"{side.Host.Name}'s took {(couple.World.Now - began).TotalMilliseconds} ms");
        }
    });

    [Fact]
    public void A_direct_first_datagram_that_is_sooner_than_the_servers_word_costs_no_probe_timeout() => Seeds.Run(20, static (seed, trace) =>
    {
        Couple couple = Ready(seed, trace);
        foreach (Side side in couple.Sides)
        {
            side.Connections.Accept = static _ => new Silent();
        }

        SimDial first = Dial(couple, couple.A);
        Assert.True(couple.World.RunUntil(() => first.Connection is { IsDirect: true }, TimeSpan.FromSeconds(5)), "no direct path");
        couple.World.RunFor(TimeSpan.FromSeconds(1));

        // The other side reads the server's word so late that the datagram is there before it, and not sent again yet: a client without a sample of the path waits
        // a second (RFC 9002 section 6.2.2: three times 333 ms).
        TimeSpan late = TimeSpan.FromMilliseconds(200);
        couple.B.Node.Links[0].ReadDelay = late;
        TimeSpan began = couple.World.Now;
        SimDial second = Dial(couple, couple.A);
        bool wasHeld = false;
        bool isOver = couple.World.RunUntil(
            () =>
            {
                wasHeld |= couple.B.Connections.Paths.Held.Count > 0;
                return second.IsOver;
            },
            TimeSpan.FromSeconds(20));
        Assert.True(isOver && second.Failure is null, second.Failure ?? "nothing came of it");
        Assert.True(wasHeld, "the server's word was there first");
        Assert.True(couple.World.Now - began < late + TimeSpan.FromMilliseconds(250), $"it took {(couple.World.Now - began).TotalMilliseconds} ms");
        Assert.Equal(0, couple.B.Connections.Paths.Held.Count);
    });

    private static SimDial Dial(Couple couple, Side caller)
    {
        SimDial? dial = null;
        caller.Node.Act(() => dial = caller.Connections.Dial(couple.Other(caller).Node.Id, Couple.Protocol, new Silent()));
        return dial!;
    }

    private static Couple Ready(ulong seed, SimTrace? trace)
    {
        World world = new(seed, trace);
        var home = new RouterOptions
        {
            Nat = NatBehaviour.PortRestrictedCone,
            Wan = new LinkConditions { Latency = TimeSpan.FromMilliseconds(10), Jitter = TimeSpan.FromMilliseconds(2) },
        };
        Couple couple = Couple.Behind(world, home, home);
        couple.Plan();
        return couple.Ready();
    }

    /// <summary>Has a connection, and does nothing with it.</summary>
    private sealed class Silent : ISimApplication
    {
        public void Opened(SimConnection connection)
        {
        }

        public void Take(SimConnection connection, in Quic.Streams.StreamEvent next)
        {
        }

        public void Closed(SimConnection connection, Quic.Connections.CloseReason reason)
        {
        }
    }
}
