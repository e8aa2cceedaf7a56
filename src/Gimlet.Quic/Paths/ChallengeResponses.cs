namespace Gimlet.Quic.Paths;

/// <summary>
/// PATH_CHALLENGE frames of one path that were received and not answered yet. RFC 9000 section 8.2.2: "A PATH_RESPONSE frame MUST be sent on
/// the network path where the PATH_CHALLENGE frame was received." Each is taken once: a lost answer is not sent again, the peer asks again
/// (section 13.3).
/// </summary>
internal sealed class ChallengeResponses
{
    /// <summary>
    /// A peer can send challenges and acknowledge nothing, so that answers pile up: quic-go's CVE-2023-49295. An honest peer sends a handful
    /// per round trip and needs the newest answered.
    /// </summary>
    public const int Capacity = 8;

    private readonly ulong[] _data = new ulong[Capacity];
    private int _first;

    /// <summary>How many wait for an answer.</summary>
    public int Count { get; private set; }

    /// <summary>A challenge came. The oldest is forgotten when there are too many.</summary>
    public void Add(ulong data)
    {
        if (Count == Capacity)
        {
            _first = (_first + 1) % Capacity;
            Count--;
        }

        _data[(_first + Count) % Capacity] = data;
        Count++;
    }

    /// <summary>Takes the oldest one, to be answered now.</summary>
    public bool TryTake(out ulong data)
    {
        data = 0;
        if (Count == 0)
        {
            return false;
        }

        data = _data[_first];
        _first = (_first + 1) % Capacity;
        Count--;
        return true;
    }

    /// <summary>Forgets all: the path's other end changed.</summary>
    public void Clear() => Count = 0;
}
