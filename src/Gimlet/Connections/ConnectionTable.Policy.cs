using Gimlet.Node;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Which paths one connection may use: what its own side wants, what the peer's hello says, and what a race came to.</content>
internal sealed partial class ConnectionTable
{
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
}
