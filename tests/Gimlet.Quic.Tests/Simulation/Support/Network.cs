using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// Two nodes, the ways between them and a clock that jumps from event to event. Everything random comes from the seed. Events of the same time happen
/// in the order in which they were made.
/// </summary>
internal sealed class Network
{
    // A node that does as much as this in one instant would never rest.
    private const int MaxStepsPerInstant = 20_000;

    // The numbers of the two sides differ, so that a mistaken one shows.
    private const int FirstServerPath = 101;

    private readonly Random _random;
    private readonly ISimulatedNode[] _nodes;
    private readonly PriorityQueue<Arrival, (TimeSpan At, long Order)> _arrivals = new();
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _plans = new();
    private readonly List<Func<SimulatedDatagram, Fate>> _intercepts = [];
    private readonly Dictionary<PathId, Way> _waysOfServer = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly int[] _sent = new int[2];
    private readonly int _batch;
    private long _order;
    private int _stepsOfInstant;
    private TimeSpan _lastEventAt;

    public Network(int seed, ISimulatedNode client, ISimulatedNode server)
    {
        _random = new Random(seed);
        _nodes = [client, server];
        _batch = 1 + _random.Next(32);
        AddWay("way 0");
    }

    public TimeSpan Now { get; private set; }

    public Trace Trace { get; } = new();

    /// <summary>All ways; the first one is there from the beginning.</summary>
    public List<Way> Ways { get; } = [];

    /// <summary>Sees every datagram that is sent, before anything can happen to it.</summary>
    public Action<SimulatedDatagram>? OnSent { get; set; }

    /// <summary>Sees every datagram that arrives, as it was sent.</summary>
    public Action<SimulatedDatagram>? OnArrived { get; set; }

    /// <summary>Timeouts that were handled, by side.</summary>
    public int[] Timeouts { get; } = new int[2];

    /// <summary>Datagrams that are under way.</summary>
    public int InFlight => _arrivals.Count;

    /// <summary>How many datagrams a side has sent.</summary>
    public int SentBy(EndpointRole side) => _sent[(int)side];

    /// <summary>Adds a way; both sides may use their numbers for it at once.</summary>
    public Way AddWay(string? name = null)
    {
        int n = Ways.Count;
        var way = new Way(name ?? $"way {n}", new PathId(n + 1), new PathId(FirstServerPath + _waysOfServer.Count));
        Ways.Add(way);
        _waysOfServer.Add(way.Server, way);
        return way;
    }

    /// <summary>The client's NAT forgets its mapping: the server sees another path from now on, and reaches nobody on the old one.</summary>
    public void Rebind(Way way)
    {
        way.Server = new PathId(FirstServerPath + _waysOfServer.Count);
        _waysOfServer.Add(way.Server, way);
    }

    /// <summary>Decides over datagrams before the links do; the first that does not say <see cref="Fate.None"/> counts.</summary>
    public void Intercept(Func<SimulatedDatagram, Fate> decide) => _intercepts.Add(decide);

    /// <summary>Does something later.</summary>
    public void At(TimeSpan at, Action plan) => _plans.Enqueue(plan, (at, _order++));

    /// <summary>Puts a datagram on a side's doorstep, as an attacker may.</summary>
    public void Inject(EndpointRole to, PathId path, byte[] bytes, TimeSpan after = default) =>
        _arrivals.Enqueue(new Arrival(to, path, EcnCodepoint.NotEct, bytes, Datagram: null), (Now + after, _order++));

    /// <summary>Lets both sides send what they have.</summary>
    public void Flush()
    {
        Drain(EndpointRole.Client);
        Drain(EndpointRole.Server);
    }

    /// <summary>When the next thing happens, or null: never.</summary>
    public TimeSpan? NextEvent
    {
        get
        {
            TimeSpan? next = Earlier(_nodes[0].NextTimeout, _nodes[1].NextTimeout);
            next = Earlier(next, _arrivals.TryPeek(out _, out (TimeSpan At, long Order) arrival) ? arrival.At : null);
            next = Earlier(next, _plans.TryPeek(out _, out (TimeSpan At, long Order) plan) ? plan.At : null);
            return next < Now ? Now : next;
        }
    }

    /// <summary>Goes to the next event and lets it happen.</summary>
    /// <returns>False when nothing happens up to then; the clock is there all the same.</returns>
    public bool Step(TimeSpan until)
    {
        if (NextEvent is not { } next || next > until)
        {
            Now = until;
            return false;
        }

        _stepsOfInstant = next > _lastEventAt ? 0 : _stepsOfInstant + 1;
        _lastEventAt = next;
        Now = next;
        if (_stepsOfInstant > MaxStepsPerInstant)
        {
            throw new SimulationException($"the clock stands still at {Now}: a timer that is always due, or packets without end\n{Trace}");
        }

        if (_plans.TryPeek(out _, out (TimeSpan At, long Order) plan) && plan.At <= Now)
        {
            _plans.Dequeue()();
            Flush();
        }
        else if (_arrivals.TryPeek(out _, out (TimeSpan At, long Order) arrival) && arrival.At <= Now)
        {
            Arrive(_arrivals.Dequeue());
        }
        else
        {
            FireTimer(_nodes[0].NextTimeout <= Now ? EndpointRole.Client : EndpointRole.Server);
        }

        return true;
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b ?? a : a;

    private void FireTimer(EndpointRole side)
    {
        Timeouts[(int)side]++;
        Trace.Add(Now, "timeout", side);
        _nodes[(int)side].HandleTimeout(Now);
        Drain(side);
    }

    private void Arrive(Arrival arrival)
    {
        if (arrival.Datagram is not null)
        {
            Trace.Add(Now, "arrives", arrival.Datagram);
            OnArrived?.Invoke(arrival.Datagram);
        }

        _nodes[(int)arrival.To].HandleDatagram(Now, arrival.Path, arrival.Ecn, arrival.Bytes);
        Drain(arrival.To);
    }

    private void Drain(EndpointRole side)
    {
        ISimulatedNode node = _nodes[(int)side];
        node.Work(Now);
        for (int calls = 0; node.TryPollTransmit(Now, _buffer, _batch, out Transmit transmit); calls++)
        {
            if (calls > MaxStepsPerInstant)
            {
                throw new SimulationException($"{side} sends without end\n{Trace}");
            }

            Check(side, transmit);
            for (int offset = 0; offset < transmit.Length; offset += transmit.SegmentSize)
            {
                int length = Math.Min(transmit.SegmentSize, transmit.Length - offset);
                Send(side, transmit.Path, transmit.Ecn, _buffer.AsSpan(offset, length).ToArray());
            }
        }
    }

    private void Check(EndpointRole side, in Transmit transmit)
    {
        if (transmit.Length <= 0 || transmit.Length > _buffer.Length || transmit.SegmentSize <= 0 || transmit.Count > _batch)
        {
            throw new SimulationException($"{side} gave {transmit}, with at most {_batch} datagrams asked for");
        }
    }

    private void Send(EndpointRole side, PathId path, EcnCodepoint ecn, byte[] bytes)
    {
        Way way = WayOf(side, path);
        var datagram = new SimulatedDatagram
        {
            From = side,
            Way = way,
            Index = _sent[(int)side]++,
            SentAt = Now,
            Bytes = bytes,
            Ecn = ecn,
        };
        OnSent?.Invoke(datagram);
        if (path != way.PathOf(side))
        {
            // The server answers to where the client's NAT is no more.
            Trace.Add(Now, "astray", datagram);
            return;
        }

        Trace.Add(Now, "sent", datagram);
        Carry(datagram);
    }

    private Way WayOf(EndpointRole side, PathId path)
    {
        if (side == EndpointRole.Server)
        {
            return _waysOfServer.TryGetValue(path, out Way? way) ? way : throw Unknown();
        }

        return path.Value >= 1 && path.Value <= Ways.Count ? Ways[path.Value - 1] : throw Unknown();

        SimulationException Unknown() => new($"{side} sends on {path}, which it was never given");
    }

    private void Carry(SimulatedDatagram datagram)
    {
        Fate fate = Decide(datagram);
        Link link = datagram.Way.LinkFrom(datagram.From);
        byte[] bytes = fate.Bytes ?? datagram.Bytes;
        if (fate.Kind == FateKind.Lose || bytes.Length > link.Mtu || link.DarkUntil > Now || Happens(link.Loss))
        {
            Trace.Add(Now, bytes.Length > link.Mtu ? "too large" : "lost", datagram);
            return;
        }

        if (link.Enter(Now, bytes.Length) is not { } arrival)
        {
            Trace.Add(Now, "queue full", datagram);
            return;
        }

        if (fate.Kind == FateKind.Corrupt || Happens(link.Corruption))
        {
            Trace.Add(Now, "corrupted", datagram);
            bytes = Corruption.Of(bytes, _random);
        }

        if (datagram.Ecn is EcnCodepoint.Ect0 or EcnCodepoint.Ect1 && Happens(link.Marking))
        {
            datagram.Ecn = EcnCodepoint.CongestionExperienced;
        }

        if (Happens(link.Reordering))
        {
            arrival += link.ReorderBy * _random.NextDouble();
        }

        arrival += fate.By;
        Enqueue(datagram, bytes, arrival);
        if (fate.Kind == FateKind.Duplicate || Happens(link.Duplicates))
        {
            Enqueue(datagram, [.. bytes], arrival + (link.Delay * _random.NextDouble()));
        }
    }

    private Fate Decide(SimulatedDatagram datagram)
    {
        foreach (Func<SimulatedDatagram, Fate> decide in _intercepts)
        {
            Fate fate = decide(datagram);
            if (fate != Fate.None)
            {
                return fate;
            }
        }

        return Fate.None;
    }

    private void Enqueue(SimulatedDatagram datagram, byte[] bytes, TimeSpan arrival)
    {
        EndpointRole to = datagram.From == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;

        // The address translation is done when it is sent: what is under way when the NAT rebinds has its old address.
        byte[] owned = ReferenceEquals(bytes, datagram.Bytes) ? [.. bytes] : bytes;
        _arrivals.Enqueue(new Arrival(to, datagram.Way.PathOf(to), datagram.Ecn, owned, datagram), (arrival, _order++));
    }

    private bool Happens(double rate) => rate > 0 && _random.NextDouble() < rate;

    private sealed record Arrival(EndpointRole To, PathId Path, EcnCodepoint Ecn, byte[] Bytes, SimulatedDatagram? Datagram);
}
