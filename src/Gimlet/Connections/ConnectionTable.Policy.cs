using Gimlet.Node;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Which paths one connection may use: what its own side wants, what the peer's hello says, and what a race came to.</content>
internal sealed partial class ConnectionTable
{
    private const string NoCommonPath = "there is no path that both sides may use";

    /// <summary>Both sides of a race have agreed, or one of them uses no direct path: the connection stays on the relay, or goes on as its policy says.</summary>
    public void Settle(GimletConnection connection, PathKind winner)
    {
        Member? member;
        lock (_gate)
        {
            member = _members.TryGetValue(connection.RemotePeer, out List<Member>? members) ? members.Find(m => m.Connection == connection) : null;
            if (member is not null && winner == PathKind.Relay)
            {
                member.Policy = PathPolicy.RelayOnly;
            }
        }

        if (member is null)
        {
            return;
        }

        if (winner == PathKind.Relay)
        {
            // The loser is let go: nothing of this connection goes there any more, and the checks end with the last connection that wants them.
            connection.NotePathReason("both sides agreed on the relay");
            _ = member.Quic.TryUsePath(_host.Paths.ToRelay(connection.RemotePeer, session: -1));
            if (connection.TryLeaveDirect())
            {
                _host.TryRun(static (host, now, p) => host.Peers.LeaveDirect(p, now), connection.RemotePeer);
            }
        }
        else
        {
            connection.NotePathReason("both sides agreed on the direct path");
            UseChosenPath(connection.RemotePeer, member);
        }
    }

    // The peer has said which paths it uses for this connection: the rest neither side uses.
    private void Heed(GimletConnection connection)
    {
        bool direct = connection.Policy.AllowsDirect && connection.PeerUsesDirect;
        bool relay = connection.Policy.AllowsRelay && connection.PeerUsesRelay;
        if (!direct && !relay)
        {
            _ = connection.CloseAsync(CloseCodes.NoCommonPath, NoCommonPath);
            return;
        }

        if (!direct)
        {
            if (connection.UsesDirect)
            {
                Settle(connection, PathKind.Relay);
            }

            return;
        }

        Member? member;
        lock (_gate)
        {
            member = _members.TryGetValue(connection.RemotePeer, out List<Member>? members) ? members.Find(m => m.Connection == connection) : null;
            if (member is not null)
            {
                // Where there is no direct path yet, the relay carries it until there is one.
                member.Policy = relay || !member.Policy.AllowsDirect ? member.Policy : PathPolicy.DirectOnly;
                member.AwaitsHello = false;
            }
        }

        if (member is not null)
        {
            UseChosenPath(connection.RemotePeer, member);
        }
    }

    private void UseChosenPath(PeerId peer, Member member)
    {
        if (member.MayGoDirect && _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), peer) is { } direct)
        {
            _ = member.Quic.TryUsePath(_host.Paths.To(direct.Remote));
        }
        else if (!member.Policy.AllowsDirect && member.Quic.CurrentPath.Value > 0)
        {
            // The peer began it on a direct path that other connections have.
            _ = member.Quic.TryUsePath(_host.Paths.ToRelay(peer, session: -1));
        }
    }

    // A direct path that works already carries the handshake's end, which saves half a round trip of the relay. Not where either side may want no direct path for it:
    // the peer, which then has named no address, or a dial of this side that it becomes.
    private void Begun(QuicConnection quic)
    {
        PeerId peer = _host.Paths.PeerOf(quic.InitialPath);
        if (!_options.EffectivePolicy.AllowsDirect
            || FindDials(peer).Any(static d => !d.Policy.AllowsDirect)
            || (quic.InitialPath.Value < 0 && !_host.Run(static (host, _, p) => host.Peers.AreExpectedDirect(p), peer)))
        {
            return;
        }

        if (_host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), peer) is { } direct)
        {
            _ = quic.TryUsePath(_host.Paths.To(direct.Remote));
        }
    }

    // A dial that is to be direct or not at all has become a connection that the peer began, perhaps by the relay.
    private async Task RequireDirectAsync(Dial dial, GimletConnection connection)
    {
        if (connection.Quic.CurrentPath.Value <= 0 && !HasDirectPath(dial.Peer))
        {
            _ = await IsInTimeAsync(Task.WhenAny(dial.Direct, connection.Quic.Closed), JoinWait).ConfigureAwait(false);
        }

        // The peer table may have chosen a path whose news has not come here yet.
        if (MembersOf(dial.Peer).FirstOrDefault(m => m.Connection == connection) is { } member)
        {
            UseChosenPath(dial.Peer, member);
        }

        if (connection.Quic.CurrentPath.Value > 0 && !connection.Quic.Closed.IsCompleted)
        {
            return;
        }

        await connection.CloseAsync(CloseCodes.NoCommonPath, NoCommonPath).ConfigureAwait(false);
        throw new GimletException(
            GimletErrorKind.PunchFailed,
            $"{dial.Peer} dialled this node at the same time, and no direct path has opened for the connection that both dials became.",
            "Try again, or allow the relay.");
    }
}
