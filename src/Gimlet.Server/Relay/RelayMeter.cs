using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// What one sender may have relayed: bytes and frames per second, one second's worth at once. Its own session uses it; the lock is for the moment when
/// another session of the same node takes it over.
/// </summary>
internal sealed class RelayMeter
{
    private readonly Lock _gate = new();
    private readonly long _bytesPerSecond;
    private readonly int _framesPerSecond;
    private double _bytes;
    private double _frames;
    private TimeSpan _filledAt;

    /// <summary>Makes a full one.</summary>
    /// <param name="bytesPerSecond">Bytes per second; 0 for no limit.</param>
    /// <param name="framesPerSecond">Frames per second.</param>
    /// <param name="now">The time.</param>
    public RelayMeter(long bytesPerSecond, int framesPerSecond, TimeSpan now)
    {
        _bytesPerSecond = bytesPerSecond;
        _framesPerSecond = framesPerSecond;
        _bytes = bytesPerSecond;
        _frames = framesPerSecond;
        _filledAt = now;
    }

    /// <summary>Takes one frame.</summary>
    public bool TryTakeFrame(TimeSpan now)
    {
        lock (_gate)
        {
            if (now > _filledAt)
            {
                double seconds = (now - _filledAt).TotalSeconds;
                _bytes = Math.Min(_bytesPerSecond, _bytes + (seconds * _bytesPerSecond));
                _frames = Math.Min(_framesPerSecond, _frames + (seconds * _framesPerSecond));
                _filledAt = now;
            }

            if (_frames < 1)
            {
                return false;
            }

            _frames--;
            return true;
        }
    }

    /// <summary>Takes the bytes of as many of a frame's datagrams as fit.</summary>
    /// <param name="header">The frame's header.</param>
    /// <param name="length">The frame's length.</param>
    /// <param name="datagrams">How many datagrams it has.</param>
    /// <returns>How many of them fit.</returns>
    public int TakeDatagrams(in RelayFrame header, int length, int datagrams)
    {
        if (_bytesPerSecond == 0)
        {
            return datagrams;
        }

        lock (_gate)
        {
            if (_bytes >= length)
            {
                _bytes -= length;
                return datagrams;
            }

            int fitting = Math.Max(0, (int)(_bytes - header.HeaderLength) / header.SegmentSize);
            if (fitting > 0)
            {
                _bytes -= header.HeaderLength + ((double)fitting * header.SegmentSize);
            }

            return fitting;
        }
    }

    /// <summary>Goes on where the session that this one replaces stood: coming back does not refill.</summary>
    public void Inherit(RelayMeter older)
    {
        double bytes;
        double frames;
        TimeSpan filledAt;
        lock (older._gate)
        {
            (bytes, frames, filledAt) = (older._bytes, older._frames, older._filledAt);
        }

        lock (_gate)
        {
            (_bytes, _frames, _filledAt) = (bytes, frames, filledAt);
        }
    }
}
