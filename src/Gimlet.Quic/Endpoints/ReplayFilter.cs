namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Lets every token pass once, with a bound on what is remembered: when that is reached, the older half is forgotten, and tokens as old as those
/// in it pass no more. So a flood of used tokens makes honest old ones useless, never a used one useful.
/// </summary>
internal sealed class ReplayFilter
{
    /// <summary>
    /// How many tokens are remembered at least. 8,192 in one lifetime of a token is a client every ten seconds; more of them lose a round trip
    /// each with old tokens. Both halves together take less than half a megabyte.
    /// </summary>
    public const int HalfCapacity = 8192;

    private HashSet<ulong> _newer = [];
    private HashSet<ulong> _older = [];
    private TimeSpan _newestOfNewer = TimeSpan.MinValue;
    private TimeSpan _newestOfOlder = TimeSpan.MinValue;
    private TimeSpan _horizon = TimeSpan.MinValue;

    /// <summary>How many tokens are remembered.</summary>
    public int Count => _newer.Count + _older.Count;

    /// <summary>Uses a token.</summary>
    /// <param name="token">What tells it from all others; authentic.</param>
    /// <param name="issuedAt">When it was made; authentic.</param>
    /// <returns>False when it was used before, or may have been.</returns>
    public bool TryUse(ulong token, TimeSpan issuedAt)
    {
        if (issuedAt <= _horizon || _newer.Contains(token) || _older.Contains(token))
        {
            return false;
        }

        if (_newer.Count == HalfCapacity)
        {
            _horizon = _newestOfOlder > _horizon ? _newestOfOlder : _horizon;
            (_newer, _older) = (_older, _newer);
            _newestOfOlder = _newestOfNewer;
            _newer.Clear();
            _newestOfNewer = TimeSpan.MinValue;
            if (issuedAt <= _horizon)
            {
                return false;
            }
        }

        _ = _newer.Add(token);
        _newestOfNewer = issuedAt > _newestOfNewer ? issuedAt : _newestOfNewer;
        return true;
    }
}
