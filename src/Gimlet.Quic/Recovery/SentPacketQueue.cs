namespace Gimlet.Quic.Recovery;

/// <summary>
/// Packets of one space on one path, in the order they were sent, with their frames: two rings that grow to what the congestion window holds and
/// stay. The first packet is always one that is not acknowledged. A queue per path, not per space: a path that answers nothing keeps its few
/// packets while another sends millions.
/// </summary>
internal sealed class SentPacketQueue
{
    // What an idle connection has in flight; ten thousand of them have two such queues each. A transfer makes it grow at once.
    private const int FirstCapacity = 2;

    private SentEntry[] _entries = [];
    private SentFrame[] _frames = [];
    private int _head;
    private long _firstFrame;
    private long _nextFrame;

    /// <summary>How many packets there are, acknowledged ones behind the first included.</summary>
    public int Count { get; private set; }

    /// <summary>How many packets there is room for without growing.</summary>
    public int Capacity => _entries.Length;

    /// <summary>The largest packet number.</summary>
    public long LastPacketNumber => this[Count - 1].PacketNumber;

    /// <summary>The packet at a place, counted from the first.</summary>
    public ref SentEntry this[int index] => ref _entries[(_head + index) & (_entries.Length - 1)];

    /// <summary>Adds a packet with its frames; its number is larger than all before.</summary>
    public void Add(in SentEntry entry, ReadOnlySpan<SentFrame> frames)
    {
        if (Count == _entries.Length)
        {
            GrowEntries();
        }

        while (_nextFrame - _firstFrame + frames.Length > _frames.Length)
        {
            GrowFrames();
        }

        this[Count++] = entry with { FirstFrame = _nextFrame, FrameCount = frames.Length };
        foreach (ref readonly SentFrame frame in frames)
        {
            _frames[_nextFrame++ & (_frames.Length - 1)] = frame;
        }
    }

    /// <summary>A frame of a packet.</summary>
    public ref readonly SentFrame FrameOf(in SentEntry entry, int index) => ref _frames[(entry.FirstFrame + index) & (_frames.Length - 1)];

    /// <summary>The place of the first packet with this number or a larger one; <see cref="Count"/> when there is none.</summary>
    public int IndexOf(long packetNumber)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) / 2);
            if (this[middle].PacketNumber < packetNumber)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Forgets the first packet.</summary>
    public void RemoveFirst()
    {
        _firstFrame = this[0].FirstFrame + this[0].FrameCount;
        _head = (_head + 1) & (_entries.Length - 1);
        Count--;
    }

    private void GrowEntries()
    {
        var larger = new SentEntry[Math.Max(FirstCapacity, _entries.Length * 2)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _entries = larger;
        _head = 0;
    }

    private void GrowFrames()
    {
        var larger = new SentFrame[Math.Max(FirstCapacity, _frames.Length * 2)];
        for (long i = _firstFrame; i < _nextFrame; i++)
        {
            larger[i & (larger.Length - 1)] = _frames[i & (_frames.Length - 1)];
        }

        _frames = larger;
    }
}
