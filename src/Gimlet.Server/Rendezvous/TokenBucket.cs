namespace Gimlet.Server.Rendezvous;

/// <summary>A rate: tokens flow in evenly up to a capacity, each action takes one. Not thread-safe; its owner guards it.</summary>
internal struct TokenBucket
{
    private readonly double _capacity;
    private readonly double _perSecond;
    private double _tokens;
    private TimeSpan _filledAt;

    public TokenBucket(double capacity, double perSecond, TimeSpan now)
    {
        _capacity = capacity;
        _perSecond = perSecond;
        _tokens = capacity;
        _filledAt = now;
    }

    /// <summary>A bucket of a minute's worth.</summary>
    public static TokenBucket PerMinute(int count, TimeSpan now) => new(count, count / 60.0, now);

    public bool TryTake(TimeSpan now)
    {
        // Callers on several threads may bring times that are a little out of order: a bucket never flows backwards.
        if (now > _filledAt)
        {
            _tokens = Math.Min(_capacity, _tokens + ((now - _filledAt).TotalSeconds * _perSecond));
            _filledAt = now;
        }

        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }
}
