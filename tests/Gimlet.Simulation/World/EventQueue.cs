namespace Gimlet.Simulation;

/// <summary>What an event of the world calls when its time has come.</summary>
internal interface IEventTarget
{
    /// <summary>The event happens.</summary>
    /// <param name="state">What was scheduled with the event.</param>
    /// <param name="number">The number that was scheduled with the event.</param>
    void Fire(object? state, long number);
}

internal readonly record struct SimEvent(long Due, long Order, IEventTarget Target, object? State, long Number)
{
    /// <summary>Events of the same instant happen in the order in which they were scheduled: the whole world is repeatable.</summary>
    public bool IsBefore(in SimEvent other) => Due != other.Due ? Due < other.Due : Order < other.Order;
}

/// <summary>A binary heap of structs. (PriorityQueue of the framework compares tuples through an interface: half the speed.)</summary>
internal sealed class EventQueue
{
    private SimEvent[] _heap = new SimEvent[256];
    private long _order;

    public int Count { get; private set; }

    public long NextDue => Count == 0 ? long.MaxValue : _heap[0].Due;

    public void Add(long due, IEventTarget target, object? state, long number)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, Count * 2);
        }

        SimEvent added = new(due, _order++, target, state, number);
        int hole = Count++;
        while (hole > 0)
        {
            int parent = (hole - 1) / 2;
            if (!added.IsBefore(_heap[parent]))
            {
                break;
            }

            _heap[hole] = _heap[parent];
            hole = parent;
        }

        _heap[hole] = added;
    }

    public SimEvent Take()
    {
        SimEvent taken = _heap[0];
        SimEvent last = _heap[--Count];
        _heap[Count] = default;
        int hole = 0;
        while (true)
        {
            int child = (hole * 2) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _heap[child + 1].IsBefore(_heap[child]))
            {
                child++;
            }

            if (!_heap[child].IsBefore(last))
            {
                break;
            }

            _heap[hole] = _heap[child];
            hole = child;
        }

        if (Count > 0)
        {
            _heap[hole] = last;
        }

        return taken;
    }
}
