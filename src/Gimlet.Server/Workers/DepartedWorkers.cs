using Gimlet.Server.Rendezvous;

namespace Gimlet.Server.Workers;

/// <summary>
/// The workers that left, oldest first: all together and per address, each bounded, so that somebody who comes and goes under a thousand names makes the server
/// forget those names, and nobody else's.
/// </summary>
internal sealed class DepartedWorkers(WorkerLimits limits)
{
    private readonly LinkedList<WorkerRecord> _all = [];
    private readonly Dictionary<AddressGroup, LinkedList<WorkerRecord>> _addresses = [];

    public int Count => _all.Count;

    /// <summary>A worker left.</summary>
    /// <param name="record">The worker.</param>
    /// <param name="from">Where its last connection came from.</param>
    /// <param name="now">The time.</param>
    /// <returns>The record that is to be forgotten for it, if any.</returns>
    public WorkerRecord? Add(WorkerRecord record, AddressGroup from, TimeSpan now)
    {
        if (!_addresses.TryGetValue(from, out LinkedList<WorkerRecord>? address))
        {
            address = [];
            _addresses[from] = address;
        }

        record.LeftAt = now;
        record.LeftFrom = from;
        record.InAll = _all.AddLast(record);
        record.InAddress = address.AddLast(record);
        return address.Count > limits.WorkersPerAddress ? address.First!.Value
            : _all.Count > limits.DepartedWorkers ? _all.First!.Value
            : null;
    }

    /// <summary>A worker is back, or forgotten; nothing happens to one that is not among them.</summary>
    public void Remove(WorkerRecord record)
    {
        if (record.InAll is null)
        {
            return;
        }

        LinkedList<WorkerRecord> address = _addresses[record.LeftFrom];
        address.Remove(record.InAddress!);
        if (address.Count == 0)
        {
            _ = _addresses.Remove(record.LeftFrom);
        }

        _all.Remove(record.InAll);
        record.InAll = null;
        record.InAddress = null;
    }

    /// <summary>The record that has been gone for too long; null when there is none.</summary>
    public WorkerRecord? Expired(TimeSpan now) =>
        _all.First is { Value: { } oldest } && now - oldest.LeftAt >= limits.DepartedLifetime ? oldest : null;
}
