namespace Gimlet.Quic.Paths;

/// <summary>The sequence numbers of the peer's ids whose RETIRE_CONNECTION_ID frames are to be sent, each once, in order.</summary>
internal sealed class RetirementQueue
{
    /// <summary>
    /// A peer can make us retire an id with each frame, and keep us from sending by acknowledging nothing: CVE-2024-22189. RFC 9000 section 5.1.2
    /// wants room for at least twice active_connection_id_limit; this is four times ours.
    /// </summary>
    public const int MaxNew = 32;

    // Frames that come back as lost were sent while there was room, so there may be more of them.
    private const int Capacity = 8 * MaxNew;

    private long[] _numbers = new long[8];
    private int _count;

    /// <summary>How many are to be sent.</summary>
    public int Count => _count;

    /// <summary>The oldest.</summary>
    public long First => _numbers[0];

    /// <summary>Queues a retirement.</summary>
    /// <returns>False where there are too many.</returns>
    public bool TryAdd(long sequenceNumber) => TryAdd(sequenceNumber, MaxNew);

    /// <summary>Queues a retirement whose frame was lost.</summary>
    /// <returns>False where there are too many: it is forgotten.</returns>
    public bool TryAddLost(long sequenceNumber) => TryAdd(sequenceNumber, Capacity);

    /// <summary>The oldest was sent.</summary>
    public void RemoveFirst()
    {
        _count--;
        _numbers.AsSpan(1, _count).CopyTo(_numbers);
    }

    public void Clear() => _count = 0;

    private bool TryAdd(long sequenceNumber, int limit)
    {
        if (_numbers.AsSpan(0, _count).Contains(sequenceNumber))
        {
            return true;
        }

        if (_count >= limit)
        {
            return false;
        }

        if (_count == _numbers.Length)
        {
            Array.Resize(ref _numbers, _numbers.Length * 2);
        }

        _numbers[_count++] = sequenceNumber;
        return true;
    }
}
