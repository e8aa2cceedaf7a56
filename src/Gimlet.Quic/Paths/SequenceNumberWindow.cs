namespace Gimlet.Quic.Paths;

/// <summary>
/// Which sequence numbers of the peer's ids were seen, so that a copy of an old NEW_CONNECTION_ID frame does not bring back an id that was
/// retired long ago.
/// </summary>
internal sealed class SequenceNumberWindow
{
    /// <summary>
    /// How far numbers may be ahead of the first that is missing. RFC 9000 section 5.1.1: they increase by one, and the peer has few ids out at
    /// once; a missing one is sent again within a round trip or two, while each of these costs the others one.
    /// </summary>
    public const int Width = 128;

    private UInt128 _seen;
    private long _first;

    /// <summary>Whether a number is further ahead than an honest peer's can be.</summary>
    public bool IsTooFar(long sequenceNumber) => sequenceNumber - _first >= Width;

    /// <summary>Marks a number as seen.</summary>
    /// <returns>False when it was before.</returns>
    public bool TryAdd(long sequenceNumber)
    {
        if (sequenceNumber < _first)
        {
            return false;
        }

        UInt128 bit = UInt128.One << (int)(sequenceNumber - _first);
        if ((_seen & bit) != UInt128.Zero)
        {
            return false;
        }

        _seen |= bit;
        int run = (int)UInt128.TrailingZeroCount(~_seen);
        _first += run;
        _seen = run == Width ? UInt128.Zero : _seen >> run;
        return true;
    }

    /// <summary>Smaller numbers are of no interest any more.</summary>
    public void Advance(long first)
    {
        if (first <= _first)
        {
            return;
        }

        long distance = first - _first;
        _seen = distance >= Width ? UInt128.Zero : _seen >> (int)distance;
        _first = first;
        int run = (int)UInt128.TrailingZeroCount(~_seen);
        _first += run;
        _seen = run == Width ? UInt128.Zero : _seen >> run;
    }
}
