using System.Globalization;

namespace Gimlet.NatLab.Wire;

/// <summary>What one direction of a wire does to packets. All of it may be changed while packets are under way; those keep the fate they were given.</summary>
internal sealed class Impairment
{
    private const long NanosecondsPerMicrosecond = 1_000;
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int Million = 1_000_000;

    private readonly Random _random;
    private long _delay;
    private long _jitter;
    private long _bitsPerSecond;
    // 100 ms of bytes is the buffer of an ordinary access link; beyond it a sender loses packets, as at home.
    private long _longestQueue = 100_000 * NanosecondsPerMicrosecond;
    private int _lossPerMillion;
    private bool _up = true;
    private long _lineFreeAt;

    /// <summary>A direction that passes everything at once, until it is told otherwise.</summary>
    /// <param name="seed">The same seed and the same packets meet the same losses.</param>
    internal Impairment(int seed) => _random = new Random(seed);

    internal long Passed { get; private set; }

    internal long Lost { get; private set; }

    internal long Overflowed { get; private set; }

    /// <summary>Applies one <c>key=value</c>.</summary>
    /// <exception cref="FormatException">The key is unknown or the value is no number in its range.</exception>
    internal void Set(string key, string value)
    {
        var number = long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
        switch (key)
        {
            case "delay_us": _delay = number * NanosecondsPerMicrosecond; break;
            case "jitter_us": _jitter = number * NanosecondsPerMicrosecond; break;
            case "queue_us": _longestQueue = number * NanosecondsPerMicrosecond; break;
            case "rate_bps": _bitsPerSecond = number; break;
            case "loss_ppm" when number <= Million: _lossPerMillion = (int)number; break;
            case "up": _up = number != 0; break;
            default: throw new FormatException($"{key}={value} is not one of delay_us, jitter_us, queue_us, rate_bps, loss_ppm (at most {Million}), up");
        }
    }

    /// <summary>Decides on a packet that arrived <paramref name="now"/> (nanoseconds).</summary>
    /// <returns>When it leaves, or -1 where it is lost.</returns>
    internal long Admit(long now, int length)
    {
        if (!_up || (_lossPerMillion > 0 && _random.Next(Million) < _lossPerMillion))
        {
            Lost++;
            return -1;
        }

        var leaves = now;
        if (_bitsPerSecond > 0)
        {
            var starts = Math.Max(now, _lineFreeAt);
            if (starts - now > _longestQueue)
            {
                Overflowed++;
                return -1;
            }

            leaves = starts + (length * 8 * NanosecondsPerSecond / _bitsPerSecond);
            _lineFreeAt = leaves;
        }

        Passed++;
        return leaves + _delay + (_jitter > 0 ? _random.NextInt64(_jitter) : 0);
    }

    /// <summary>A packet found no room in the wire's memory.</summary>
    internal void CountOverflow() => Overflowed++;
}
