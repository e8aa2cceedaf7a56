namespace Gimlet.Server.Relay;

/// <summary>What one sender has waiting at one receiver: a ring of frames, oldest first, and its turn in the deficit round robin.</summary>
internal sealed class SenderFlow
{
    private const int FirstLength = 4;

    private RelayedFrame[] _ring = new RelayedFrame[FirstLength];
    private int _head;

    /// <summary>Who sends; null while the object waits for its next use.</summary>
    public RelaySession? Sender { get; set; }

    public int Count { get; private set; }

    /// <summary>Memory that its buffers hold, in bytes.</summary>
    public int Held { get; private set; }

    /// <summary>Bytes it may still send in this round.</summary>
    public int Deficit { get; set; }

    /// <summary>The one whose turn is next.</summary>
    public SenderFlow? Next { get; set; }

    /// <summary>The oldest frame.</summary>
    public ref readonly RelayedFrame Head => ref _ring[_head];

    public void Push(in RelayedFrame frame)
    {
        if (Count == _ring.Length)
        {
            var larger = new RelayedFrame[2 * Count];
            for (int i = 0; i < Count; i++)
            {
                larger[i] = _ring[(_head + i) % Count];
            }

            _ring = larger;
            _head = 0;
        }

        _ring[(_head + Count) % _ring.Length] = frame;
        Count++;
        Held += frame.Buffer.Length;
    }

    public RelayedFrame Pop()
    {
        RelayedFrame frame = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) % _ring.Length;
        Count--;
        Held -= frame.Buffer.Length;
        return frame;
    }
}
