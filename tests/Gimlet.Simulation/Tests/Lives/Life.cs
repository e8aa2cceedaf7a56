using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>One random life of a connection: where the two are, what they send, and what happens to them.</summary>
internal sealed class Life
{
    // The idle timeout is 30 s, and a WebSocket comes back within 15 s of its server: what takes longer than this together may end a connection.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromSeconds(6);

    // The longest pause between two tries to open a direct path, and the try.
    private static readonly TimeSpan SettlesWithin = TimeSpan.FromMinutes(11);

    private readonly World _world;
    private readonly SimRandom _draw;
    private readonly Couple _couple;
    private readonly List<string> _events = [];
    private TimeSpan _quietAt;

    public Life(ulong seed, SimTrace? trace)
    {
        _world = new World(seed, trace);
        _draw = _world.Random("life");
        _couple = Settle();
        _couple.Plan(Flows());
    }

    /// <summary>From the last event until both sides were where they belong.</summary>
    public TimeSpan SettledAfter { get; private set; }

    public bool EndedDirect { get; private set; }

    public int EventCount => _events.Count;

    /// <summary>The longest time in which nothing came of some flow.</summary>
    public TimeSpan LongestGap => _couple.Flows.Max(static f => f.LongestGap);

    public void Run()
    {
        try
        {
            _couple.Ready();
            Connect();
            Schedule();
            _world.RunFor(_quietAt - _world.Now);
            _couple.Deliver(TimeSpan.FromSeconds(90));
            if (_couple.IsDirectPossible())
            {
                _couple.Settle(direct: true, SettlesWithin);
            }
            else
            {
                // Theory is about strangers: two that have met before may know a port that works by chance. But they must agree.
                _couple.SettleAnywhere(SettlesWithin);
            }

            SettledAfter = _world.Now - _quietAt;
            EndedDirect = _couple.A.Connection.IsDirect;
            _couple.CloseAndAssertNothingIsLeft(_couple.Sides[_draw.Next(2)]);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(
                $"{failure.Message}{Environment.NewLine}{string.Join(", ", _couple.Sides.Select(static s => $"{s.Host.Name} behind {s.Router?.Nat?.Behaviour.ToString() ?? "nothing"}"))}; "
                    + (_events.Count == 0 ? "no events" : string.Join(", ", _events)),
                failure);
        }
    }

    private Couple Settle()
    {
        NatBehaviour[] kinds = [.. NatTable.All(PortAllocation.Random)];
        RouterOptions homeA = Home(kinds[(int)(_world.Seed % 9)]);
        RouterOptions homeB = Home(kinds[(int)(_world.Seed / 9 % 9)]);
        double where = _draw.NextDouble();
        if (where < 0.12)
        {
            return Couple.InOneLan(_world, homeA);
        }

        Couple couple = Couple.Behind(_world, homeA, homeB);
        if (where < 0.24)
        {
            couple.Sides[_draw.Next(2)].Router!.Wan.BlockUdp();
        }

        return couple;
    }

    private RouterOptions Home(NatBehaviour kind) => new()
    {
        Nat = kind with
        {
            Ports = (PortAllocation)_draw.Next(3),
            Hairpin = (Hairpin)_draw.Next(3),
            InboundRefresh = _draw.Chance(0.5),
        },
        Wan = new LinkConditions
        {
            Latency = TimeSpan.FromMilliseconds(_draw.Next(1, 80) / 2.0),
            Jitter = TimeSpan.FromMilliseconds(_draw.Next(0, 10)),
            Loss = _draw.Chance(0.5) ? 0 : _draw.NextDouble() * 0.03,
            Duplication = _draw.Chance(0.5) ? 0 : _draw.NextDouble() * 0.02,
            Reordering = _draw.Chance(0.5) ? 0 : _draw.NextDouble() * 0.05,
        },
    };

    // A few that go as fast as they can, and a few that last for the whole life.
    private List<Flow> Flows()
    {
        List<Flow> flows = [];
        int count = _draw.Next(2, 5);
        for (int i = 0; i < count; i++)
        {
            bool isSteady = _draw.Chance(0.7);
            int total = _draw.Next(10_000, isSteady ? 60_000 : 150_000);
            flows.Add(new Flow(i, i < 2 ? i : _draw.Next(2), total, chunk: total / 100, isSteady ? TimeSpan.FromMilliseconds(_draw.Next(20, 250)) : TimeSpan.Zero));
        }

        return flows;
    }

    private void Connect()
    {
        if (_draw.Chance(0.3))
        {
            Side first = _couple.Sides[_draw.Next(2)];
            Side second = _couple.Other(first);
            SimDial one = _couple.Dial(first);
            SimDial? other = null;
            _world.RunFor(_draw.Next(TimeSpan.Zero, TimeSpan.FromMilliseconds(60)));
            if (second.Traffic.Connection is null)
            {
                other = _couple.Dial(second);
                _events.Add("both dial");
            }

            bool over = _world.RunUntil(() => one.IsOver && other is not { IsOver: false } && second.Traffic.Connection is not null, TimeSpan.FromSeconds(20));
            Assert.True(over && one.Failure is null && other?.Failure is null, $"no connection: {one.Failure}, {other?.Failure}, {_couple.Describe()}");
            Assert.All(_couple.Sides, static s => Assert.Equal(1, s.Traffic.OpenedCount));
        }
        else
        {
            _couple.Connect(_couple.Sides[_draw.Next(2)], TimeSpan.FromSeconds(20));
        }
    }

    private void Schedule()
    {
        TimeSpan at = _world.Now;
        TimeSpan free = at;
        int count = _draw.Next(7);
        for (int i = 0; i < count; i++)
        {
            at += _draw.Next(TimeSpan.Zero, TimeSpan.FromSeconds(_draw.Chance(0.3) ? 0.3 : 6));
            int kind = _draw.Next(12);
            bool lasts = kind >= 6;
            if (lasts && at < free)
            {
                // One outage at a time, and a while in which what fell silent may speak: two of them end to end are one that is too long.
                at = free;
            }

            TimeSpan duration = lasts ? _draw.Next(TimeSpan.FromMilliseconds(50), LongestOutage) : TimeSpan.Zero;
            free = lasts ? at + duration + TimeSpan.FromSeconds(8) : free;
            Side side = _couple.Sides[_draw.Next(2)];
            NatBehaviour[] kinds = [.. NatTable.All(PortAllocation.Random)];
            RouterOptions next = Home(kinds[_draw.Next(9)]) with { Lan = $"10.{i}.0.0/16" };
            TimeSpan overlap = _draw.Chance(0.5) ? _draw.Next(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2)) : TimeSpan.Zero;
            double loss = _draw.NextDouble() * 0.15;
            TimeSpan quiet = at + duration + overlap;
            _quietAt = quiet > _quietAt ? quiet : _quietAt;
            _world.After(at - _world.Now, () => Happen(kind, side, duration, next, overlap, loss));
        }

        _quietAt = (_quietAt > _world.Now ? _quietAt : _world.Now) + TimeSpan.FromMilliseconds(10);
    }

    private void Happen(int kind, Side side, TimeSpan duration, RouterOptions next, TimeSpan overlap, double loss)
    {
        Link link = side.Link;
        switch (kind)
        {
            case 0 or 1:
                Note(side, "rebind");
                Couple.Rebind(side);
                break;
            case 2:
                Note(side, "NAT reboot");
                Couple.RebootNat(side);
                break;
            case 3:
                Note(side, "new public address");
                Couple.ChangeAddress(side);
                break;
            case 4 or 5 when side.Moves < 2 && side.Host.Nics.Count == 1:
                Note(side, $"switches network ({next.Nat}, overlap {overlap.TotalMilliseconds:0} ms)");
                _couple.SwitchNetwork(side, next, overlap);
                break;
            case 6:
                Note(side, $"no UDP for {duration.TotalSeconds:0.0} s");
                Couple.CutDirect(side);
                _world.After(duration, () => Couple.Mend(link));
                break;
            case 7:
                Note(side, $"direct black hole for {duration.TotalSeconds:0.0} s");
                _couple.BlackHole(side);
                _world.After(duration, () => Couple.Mend(link));
                break;
            case 8:
                Note(side, $"direct dead one way for {duration.TotalSeconds:0.0} s");
                _couple.BlackHole(side, overlap == TimeSpan.Zero, overlap != TimeSpan.Zero);
                _world.After(duration, () => Couple.Mend(link));
                break;
            case 9:
                Note(side, $"outage of {duration.TotalSeconds:0.0} s");
                Couple.BlackHoleAll(side);
                _world.After(duration, () => Couple.Mend(link));
                break;
            case 10:
                Note(side, $"server away for {duration.TotalSeconds:0.0} s");
                _couple.CrashServer();
                _world.After(duration, _couple.RestartServer);
                break;
            case 11:
                Note(side, $"{loss:P0} loss for {duration.TotalSeconds:0.0} s");
                Router? router = side.Router;
                LinkConditions before = router!.Wan.Up.Conditions;
                Couple.Lose(side, loss);
                _world.After(duration, () => router.Wan.SetConditions(before));
                break;
            default:
                break;
        }
    }

    private void Note(Side side, string what)
    {
        _events.Add($"{_world.Now.TotalSeconds:0.000} {side.Host.Name} {what}");
        _world.Trace?.Write(_world.Now, side.Host.Name, $"### {what}");
    }
}
