using Gimlet.Calls;

namespace Gimlet.Node;

/// <summary>
/// What an incoming call must pass before it costs cryptography: a server, or a peer with many ids, may send any number of them.
/// </summary>
internal sealed class IncomingGuard
{
    /// <summary>Calls that one peer may have open with this node: one per application protocol and some more, and far from all that the node takes.</summary>
    public const int MaxCallsPerPeer = 64;

    // Verifying a caller and deriving its keys costs some 150 us; this many take 1.5 % of a core. Our server lets ten a second through to a node.
    private const int CallsPerSecond = 100;

    // 32 bytes each, and a server would need minutes of calls at the full rate, each from a key that signed it, to make the node forget one.
    private const int MaxRemembered = 16_384;

    // How long a server may repeat a call after a WebSocket was replaced (docs/protocol.md section 2: "A call lives 30 s").
    private static readonly TimeSpan RepeatWithin = TimeSpan.FromSeconds(30);

    private readonly CheckBudget _rate = new(CallsPerSecond);
    private readonly Dictionary<CallId, TimeSpan> _firstSeen = [];
    private readonly Queue<CallId> _byAge = new();

    /// <summary>Takes one call of the rate; false when there were too many in the last second.</summary>
    public bool TryTake(TimeSpan now) => _rate.TryTake(now);

    /// <summary>
    /// True for a call that was over long ago. The key of a call comes from the pre-key, which lives as long as the node, so without this
    /// memory a server that kept the message, and somebody who kept the checks, could play an old call once more.
    /// </summary>
    public bool IsReplay(CallId call, TimeSpan now) => _firstSeen.TryGetValue(call, out TimeSpan seen) && now - seen > RepeatWithin;

    /// <summary>True for a call that was taken and is remembered.</summary>
    public bool IsKnown(CallId call) => _firstSeen.ContainsKey(call);

    /// <summary>Remembers a call whose caller has signed it.</summary>
    public void Remember(CallId call, TimeSpan now)
    {
        if (!_firstSeen.TryAdd(call, now))
        {
            return;
        }

        _byAge.Enqueue(call);
        if (_byAge.Count > MaxRemembered)
        {
            _ = _firstSeen.Remove(_byAge.Dequeue());
        }
    }
}
