namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>One direction of a way: what happens to the datagrams on it. Rates are from 0 to 1. First in, first out, but for what is reordered.</summary>
internal sealed class Link
{
    private TimeSpan _busyUntil;
    private TimeSpan _lastArrival;

    /// <summary>From end to end, without queueing.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Datagrams that vanish.</summary>
    public double Loss { get; set; }

    /// <summary>Datagrams that arrive twice.</summary>
    public double Duplicates { get; set; }

    /// <summary>Datagrams of which bits are flipped, or whose end is cut off.</summary>
    public double Corruption { get; set; }

    /// <summary>Datagrams that come late by up to <see cref="ReorderBy"/>, overtaken by later ones.</summary>
    public double Reordering { get; set; }

    /// <summary>How late the late ones are at most.</summary>
    public TimeSpan ReorderBy { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>ECN-capable datagrams that are marked CE.</summary>
    public double Marking { get; set; }

    /// <summary>0 is without limit.</summary>
    public long BitsPerSecond { get; set; }

    /// <summary>What waits for the link at most; the rest is dropped at its tail.</summary>
    public int QueueBytes { get; set; } = 64 * 1024;

    /// <summary>The largest UDP payload that fits; larger ones vanish without a word.</summary>
    public int Mtu { get; set; } = 1500 - 28;

    /// <summary>Nothing passes before this time.</summary>
    public TimeSpan DarkUntil { get; set; }

    /// <summary>What the queue dropped.</summary>
    public int QueueDrops { get; private set; }

    /// <summary>Puts a datagram on the link.</summary>
    /// <returns>When it arrives, or null: the queue is full.</returns>
    public TimeSpan? Enter(TimeSpan now, int length)
    {
        TimeSpan sent = now;
        if (BitsPerSecond > 0)
        {
            TimeSpan start = _busyUntil > now ? _busyUntil : now;
            long waiting = (long)((start - now).TotalSeconds * BitsPerSecond / 8);
            if (waiting + length > QueueBytes)
            {
                QueueDrops++;
                return null;
            }

            sent = start + TimeSpan.FromSeconds(length * 8.0 / BitsPerSecond);
            _busyUntil = sent;
        }

        TimeSpan arrival = sent + Delay;
        if (arrival < _lastArrival)
        {
            // The delay became shorter: nobody is overtaken all the same.
            arrival = _lastArrival;
        }

        _lastArrival = arrival;
        return arrival;
    }
}
