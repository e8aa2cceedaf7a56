namespace Gimlet.Quic.Recovery;

/// <summary>The frames of the packet that is being written, in order. One list serves every packet; it grows to the fullest one and stays.</summary>
internal sealed class SentFrameList
{
    // What an idle connection's packets have: an ACK and a PING. Data makes it grow once.
    private const int FirstCapacity = 2;

    private SentFrame[] _frames = [];

    /// <summary>How many frames there are.</summary>
    public int Count { get; private set; }

    /// <summary>The frames.</summary>
    public ReadOnlySpan<SentFrame> Frames => _frames.AsSpan(0, Count);

    public void Add(in SentFrame frame)
    {
        if (Count == _frames.Length)
        {
            Array.Resize(ref _frames, Math.Max(_frames.Length * 2, FirstCapacity));
        }

        _frames[Count++] = frame;
    }

    /// <summary>Gives the memory back; for a list that is not written to any more.</summary>
    public void Release()
    {
        Count = 0;
        _frames = [];
    }

    /// <summary>Begins with the next packet.</summary>
    public void Clear() => Count = 0;
}
