namespace Gimlet.Quic.Recovery;

/// <summary>The frames of the packet that is being written, in order. One list serves every packet; it grows to the fullest one and stays.</summary>
internal sealed class SentFrameList
{
    private SentFrame[] _frames = new SentFrame[16];

    /// <summary>How many frames there are.</summary>
    public int Count { get; private set; }

    /// <summary>The frames.</summary>
    public ReadOnlySpan<SentFrame> Frames => _frames.AsSpan(0, Count);

    public void Add(in SentFrame frame)
    {
        if (Count == _frames.Length)
        {
            Array.Resize(ref _frames, _frames.Length * 2);
        }

        _frames[Count++] = frame;
    }

    /// <summary>Begins with the next packet.</summary>
    public void Clear() => Count = 0;
}
