namespace Gimlet.Quic.Endpoints;

/// <summary>How many answers strangers get: so many at once, and so many in each second after that.</summary>
internal struct AnswerLimit
{
    private readonly int _perSecond;
    private double _available;
    private TimeSpan _last;

    /// <summary>Begins with all of one second's answers.</summary>
    /// <param name="perSecond">The rate, and the burst.</param>
    public AnswerLimit(int perSecond)
    {
        _perSecond = perSecond;
        _available = perSecond;
    }

    /// <summary>Takes one answer.</summary>
    /// <returns>False when there were too many.</returns>
    public bool TryTake(TimeSpan now)
    {
        if (now > _last)
        {
            _available = Math.Min(_perSecond, _available + ((now - _last).TotalSeconds * _perSecond));
            _last = now;
        }

        if (_available < 1)
        {
            return false;
        }

        _available--;
        return true;
    }
}
