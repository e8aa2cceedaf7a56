namespace Gimlet.Node;

/// <summary>A dial that was introduced, and that its callee may still reject.</summary>
/// <param name="Peer">Whom.</param>
/// <param name="Session">The server that carried the call.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Until">When the server forgets the call.</param>
/// <param name="IsGivenUp">The callee was told that nothing comes of it. Its no may be on its way still.</param>
internal readonly record struct IntroducedDial(PeerId Peer, int Session, TimeSpan StartedAt, TimeSpan Until, bool IsGivenUp = false);

/// <summary>
/// Dials that were introduced. A callee that registered as open is introduced in the same instant as it hears of the call, so what it has to say against it
/// (no such protocol, glare, too many calls) comes later than that.
/// </summary>
internal sealed class IntroducedDials
{
    // docs/protocol.md section 2: "A call lives 30 s at the server; what comes for it later is ignored."
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly Dictionary<CallId, IntroducedDial> _dials = [];
    private readonly Queue<(CallId Call, TimeSpan Until)> _byAge = new();

    /// <summary>The introduction has come. Only dials of this node's own get here, and each goes again after 30 s at the latest.</summary>
    public void Add(PendingDial dial, TimeSpan now)
    {
        while (_byAge.TryPeek(out (CallId Call, TimeSpan Until) oldest) && now >= oldest.Until)
        {
            _ = _byAge.Dequeue();
            _ = _dials.Remove(oldest.Call);
        }

        if (_dials.TryAdd(dial.Id, new IntroducedDial(dial.Peer, dial.Session, dial.StartedAt, now + Lifetime)))
        {
            _byAge.Enqueue((dial.Id, now + Lifetime));
        }
    }

    /// <summary>Finds a dial that this server introduced not too long ago.</summary>
    public bool TryFind(CallId call, int session, TimeSpan now, out IntroducedDial dial) =>
        _dials.TryGetValue(call, out dial) && dial.Session == session && now < dial.Until;

    /// <summary>Nothing comes of the dial; true once, for a dial that the server still knows.</summary>
    public bool TryGiveUp(CallId call, TimeSpan now, out IntroducedDial dial)
    {
        if (!_dials.TryGetValue(call, out dial) || dial.IsGivenUp || now >= dial.Until)
        {
            return false;
        }

        _dials[call] = dial with { IsGivenUp = true };
        return true;
    }

    /// <summary>Two sessions turned out to be with one server: what came by the one goes on by the other.</summary>
    public void Move(int from, int into)
    {
        foreach ((CallId call, IntroducedDial dial) in _dials.Where(d => d.Value.Session == from).ToList())
        {
            _dials[call] = dial with { Session = into };
        }
    }

    /// <summary>The dial was rejected, or its call has ended.</summary>
    public void Remove(CallId call) => _ = _dials.Remove(call);
}
