using System.Runtime.InteropServices;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams.Buffers;

/// <summary>
/// What we permit the peer to send, on a stream or on the connection (RFC 9000 section 4.1): a window that moves with what the application
/// consumed, and grows where it is what slows the peer down. A window is a promise and no memory: memory follows what comes.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct ReceiveWindow
{
    private readonly long _maximum;
    private long _size;
    private TimeSpan _updatedAt;

    /// <summary>Begins with a window that the transport parameters announced.</summary>
    /// <param name="initial">Its size in bytes.</param>
    /// <param name="maximum">The size it may grow to.</param>
    /// <param name="now">The clock.</param>
    public ReceiveWindow(long initial, long maximum, TimeSpan now)
    {
        _size = initial;
        _maximum = Math.Max(initial, maximum);
        _updatedAt = now;
        Limit = initial;
    }

    /// <summary>How far the peer may send: what was told last.</summary>
    public long Limit { get; private set; }

    /// <summary>How much was consumed, or dropped on purpose.</summary>
    public long Consumed { get; private set; }

    /// <summary>The size in bytes.</summary>
    public readonly long Size => _size;

    /// <summary>Whether a new limit would be larger than the last one.</summary>
    public readonly bool CanMove => Next > Limit;

    /// <summary>
    /// Half of the window is consumed: soon enough that the peer need not wait, seldom enough to cost nothing (RFC 9000 section 4.2).
    /// </summary>
    public readonly bool IsUpdateDue => Next - Limit >= Math.Max(1, _size / 2);

    private readonly long Next => Math.Min(Consumed + _size, VariableLengthInteger.MaxValue);

    /// <summary>Counts what was consumed.</summary>
    public void Consume(long count) => Consumed += count;

    /// <summary>Moves the limit to what it can be now.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="roundTrip">The smoothed round-trip time; zero where it is not known.</param>
    /// <returns>The limit to tell.</returns>
    public long Update(TimeSpan now, TimeSpan roundTrip)
    {
        // Half of the window in less than one round trip is the whole of it in less than two: the sender waits for us, or is about to.
        if (IsUpdateDue && now - _updatedAt < roundTrip)
        {
            Grow(Math.Min(_size, long.MaxValue / 2) * 2);
        }

        _updatedAt = now;
        Limit = Math.Max(Limit, Next);
        return Limit;
    }

    /// <summary>Makes the window at least this large, but not larger than it may be.</summary>
    public void Grow(long size) => _size = Math.Max(_size, Math.Min(size, _maximum));

    /// <summary>
    /// Makes the window one byte larger than it may be, whatever it was: all that fits is there, and the peer's next byte, or its end instead, says
    /// whether that was all.
    /// </summary>
    public void AskForOneMore() => _size = _maximum + 1;
}
