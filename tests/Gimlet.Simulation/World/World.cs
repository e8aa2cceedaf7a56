namespace Gimlet.Simulation;

/// <summary>
/// A network in memory with a virtual clock. Nothing here knows wall-clock time, tasks or threads; everything that is random
/// derives from the seed through named streams. The same seed and the same calls give the same packets at the same instants.
/// </summary>
internal sealed class World
{
    /// <summary>Code that keeps the clock standing still for this many events is in a loop: an infinite test says nothing, an exception does.</summary>
    private const int MaxEventsPerInstant = 1_000_000;

    private readonly EventQueue _queue = new();
    private readonly ActionTarget _actions = new();
    private readonly HashSet<string> _names = [];
    private readonly long[] _drops = new long[Enum.GetValues<DropReason>().Length];
    private long _now;
    private int _eventsThisInstant;

    public World(ulong seed, SimTrace? trace = null)
    {
        Seed = seed;
        Trace = trace;
        Internet = Network.CreateInternet(this);
    }

    public ulong Seed { get; }

    /// <summary>Time since the world's start.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(_now);

    public SimTrace? Trace { get; }

    public PacketPool Packets { get; } = new();

    /// <summary>The public internet: every public address is here or routed from here.</summary>
    public Network Internet { get; }

    /// <summary>The random numbers of this name; the same name gives the same stream again.</summary>
    public SimRandom Random(string stream) => SimRandom.Stream(Seed, stream);

    /// <summary>How many packets were dropped for this reason.</summary>
    public long Drops(DropReason reason) => _drops[(int)reason];

    public void Schedule(TimeSpan due, IEventTarget target, object? state = null, long number = 0) =>
        _queue.Add(Math.Max(due.Ticks, _now), target, state, number);

    /// <summary>Does something after a while: the verbs of a test's story.</summary>
    public void After(TimeSpan delay, Action action) => Schedule(Now + delay, _actions, action);

    /// <summary>Runs until the condition holds; it is asked after every event.</summary>
    /// <returns>False when it did not hold within the time, which has then passed.</returns>
    public bool RunUntil(Func<bool> condition, TimeSpan within)
    {
        long deadline = _now + within.Ticks;
        while (!condition())
        {
            if (!Step(deadline))
            {
                _now = deadline;
                return condition();
            }
        }

        return true;
    }

    public void RunFor(TimeSpan duration)
    {
        long deadline = _now + duration.Ticks;
        while (Step(deadline))
        {
        }

        _now = deadline;
    }

    /// <summary>Takes a name for a host or router, because its random streams are named after it.</summary>
    public void Claim(string name)
    {
        if (!_names.Add(name))
        {
            throw new ArgumentException($"This world already has a '{name}'.", nameof(name));
        }
    }

    /// <summary>The end of a packet.</summary>
    public void Drop(Packet packet, DropReason reason, string where)
    {
        _drops[(int)reason]++;
        Trace?.Write(Now, where, $"X {reason}", packet);
        Packets.Return(packet);
    }

    private bool Step(long deadline)
    {
        if (_queue.NextDue > deadline)
        {
            return false;
        }

        SimEvent next = _queue.Take();
        if (next.Due != _now)
        {
            _now = next.Due;
            _eventsThisInstant = 0;
        }
        else if (++_eventsThisInstant > MaxEventsPerInstant)
        {
            throw new InvalidOperationException($"The world stands still at {Now}: {MaxEventsPerInstant} events in one instant.");
        }

        next.Target.Fire(next.State, next.Number);
        return true;
    }

    private sealed class ActionTarget : IEventTarget
    {
        public void Fire(object? state, long number) => ((Action)state!)();
    }
}
