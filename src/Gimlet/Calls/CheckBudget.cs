namespace Gimlet.Calls;

/// <summary>How many checks the whole node may send per second (a token bucket of one second's worth).</summary>
internal sealed class CheckBudget(int perSecond)
{
    private double _tokens = perSecond;
    private TimeSpan _filled;

    /// <summary>Takes one check; false when the second's worth is used up.</summary>
    public bool TryTake(TimeSpan now)
    {
        _tokens = Math.Min(perSecond, _tokens + ((now - _filled).TotalSeconds * perSecond));
        _filled = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }
}
