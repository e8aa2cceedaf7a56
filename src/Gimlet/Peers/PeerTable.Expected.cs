using Gimlet.Node;

namespace Gimlet.Peers;

/// <content>Dials of peers that were accepted and are no connections yet.</content>
internal sealed partial class PeerTable
{
    // A handshake over a bad network takes a few seconds.
    private static readonly TimeSpan ExpectedFor = TimeSpan.FromSeconds(10);

    // A handshake that was begun at the end of that, and whose last packet was lost twice.
    private static readonly TimeSpan LateFor = TimeSpan.FromSeconds(10);

    /// <summary>The dial of the peer that its next connection for the protocol comes of; null where it has made none, and may have no connection.</summary>
    public AwaitedDial? FindAwaited(PeerId id, string protocol, TimeSpan now)
    {
        if (!_peers.TryGetValue(id, out PeerState? peer))
        {
            return null;
        }

        (List<ExpectedDial> dials, int at) = Find(peer, protocol);
        return at < 0 ? null : new AwaitedDial(dials[at].Protocol.Length == 0 ? default : dials[at].Call, now - (dials[at].Until - ExpectedFor));
    }

    // Two sessions turned out to be with one server: it may end there what it began here.
    private void MoveExpected(int from, int into)
    {
        foreach (PeerState peer in _peers.Values)
        {
            for (int i = 0; i < peer.Expected.Count; i++)
            {
                peer.Expected[i] = peer.Expected[i].Session == from ? peer.Expected[i] with { Session = into } : peer.Expected[i];
            }
        }
    }

    private void EndExpected(PeerState peer, int at, TimeSpan now)
    {
        ExpectedDial gone = peer.Expected[at];
        peer.Expected.RemoveAt(at);
        ForgetUnused(peer, gone.Call);
        NoteExpected(peer);
        NoteIdle(peer, now);
        _events.Enqueue(new ExpectedDialEnded(peer.Id, gone.Call, gone.Protocol, IsLast: !peer.Expected.Exists(e => e.Protocol == gone.Protocol)));
    }

    private static (List<ExpectedDial> Dials, int At) Find(PeerState peer, string protocol)
    {
        List<ExpectedDial> dials = peer.Expected;
        int at = dials.FindIndex(IsIt);
        if (at < 0)
        {
            dials = peer.Late;
            at = dials.FindIndex(IsIt);
        }

        return (dials, at);
        bool IsIt(ExpectedDial dial) => dial.Protocol == protocol || dial.Protocol.Length == 0;
    }

    private void NoteExpected(PeerState peer) => _events.Enqueue(new DialsExpected(peer.Id, peer.Expected.Count));
}
