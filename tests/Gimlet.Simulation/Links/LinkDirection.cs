namespace Gimlet.Simulation;

/// <summary>One direction of a link: decides for each packet whether and when it comes out at the other end.</summary>
internal sealed class LinkDirection(World world, Nic nic, bool isUp) : IEventTarget
{
    private readonly SimRandom _random = world.Random($"link {nic.Name} {(isUp ? "up" : "down")}");
    private TimeSpan _lastDue;

    public LinkConditions Conditions { get; set; } = LinkConditions.Lan;

    public bool IsBlackHole { get; set; }

    public bool BlocksUdp { get; set; }

    /// <summary>Which datagrams vanish; null: none.</summary>
    public Func<Packet, bool>? Swallows { get; set; }

    /// <summary>Takes a packet in. It always comes out through the queue, never from within this call: no code is re-entered.</summary>
    public void Carry(Packet packet)
    {
        if (IsBlackHole || Swallows?.Invoke(packet) == true)
        {
            world.Drop(packet, DropReason.LinkDown, nic.Name);
            return;
        }

        // What blocks UDP blocks what would tell of it as well.
        if (BlocksUdp)
        {
            world.Drop(packet, DropReason.UdpBlocked, nic.Name);
            return;
        }

        LinkConditions conditions = Conditions;
        if (_random.Chance(conditions.Duplication))
        {
            Packet twin = world.Packets.Rent();
            twin.CopyFrom(packet);
            Enqueue(twin, conditions);
        }

        if (_random.Chance(conditions.Loss))
        {
            world.Drop(packet, DropReason.Loss, nic.Name);
            return;
        }

        Enqueue(packet, conditions);
    }

    void IEventTarget.Fire(object? state, long number)
    {
        Packet packet = (Packet)state!;
        if (IsBlackHole)
        {
            world.Drop(packet, DropReason.LinkDown, nic.Name);
        }
        else if (isUp)
        {
            nic.Network.Forward(packet, nic);
        }
        else
        {
            nic.Owner.Receive(nic, packet);
        }
    }

    /// <summary>How long a message of a reliable channel takes on this direction: what is lost is sent again after <paramref name="retry"/>.</summary>
    public TimeSpan ReliableDelay(TimeSpan retry)
    {
        LinkConditions conditions = Conditions;
        TimeSpan delay = conditions.Latency + Jitter(conditions);
        while (_random.Chance(conditions.Loss))
        {
            delay += retry;
            retry *= 2;
        }

        return delay;
    }

    private void Enqueue(Packet packet, LinkConditions conditions)
    {
        TimeSpan due = world.Now + conditions.Latency + Jitter(conditions);
        if (_random.Chance(conditions.Reordering))
        {
            due += _random.Next(TimeSpan.Zero, conditions.ReorderDelay);
        }
        else
        {
            // First in, first out, jitter or not.
            due = due < _lastDue ? _lastDue : due;
            _lastDue = due;
        }

        world.Schedule(due, this, packet);
    }

    private TimeSpan Jitter(LinkConditions conditions) =>
        conditions.Jitter > TimeSpan.Zero ? _random.Next(TimeSpan.Zero, conditions.Jitter) : TimeSpan.Zero;
}
