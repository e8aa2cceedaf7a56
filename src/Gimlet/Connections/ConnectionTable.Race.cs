using Gimlet.Node;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Races between the direct path and the relay, for programs that want to decide themselves.</content>
internal sealed partial class ConnectionTable
{
    /// <summary>Whether a direct path to the peer works now.</summary>
    public bool HasDirectPath(PeerId peer) => _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), peer) is not null;

    /// <summary>What the checks of the calls with a peer have shown so far.</summary>
    public IReadOnlyList<CandidateCheck> ChecksWith(PeerId peer) => _host.Run(static (host, _, p) => host.Peers.ChecksWith(p), peer);

    /// <summary>Both sides have agreed: the connection stays on the relay, or goes on as its policy says.</summary>
    public void Settle(GimletConnection connection, PathKind winner)
    {
        if (MembersOf(connection.RemotePeer).FirstOrDefault(m => m.Connection == connection) is not { } member)
        {
            return;
        }

        if (winner == PathKind.Relay)
        {
            // The loser is let go: nothing of this connection goes there any more, and the checks end with the last connection that wants them.
            connection.NotePathReason("both sides agreed on the relay");
            bool counted = member.Policy.AllowsDirect;
            member.Policy = PathPolicy.RelayOnly;
            _ = member.Quic.TryUsePath(_host.Paths.ToRelay(connection.RemotePeer, session: -1));
            if (counted)
            {
                connection.LeaveDirect();
                _host.TryRun(static (host, now, p) => host.Peers.LeaveDirect(p, now), connection.RemotePeer);
            }
        }
        else
        {
            connection.NotePathReason("both sides agreed on the direct path");
            UseChosenPath(connection.RemotePeer, member);
        }
    }

    private async Task RaceAsync(Dial dial, GimletConnection connection, RaceOptions race, CancellationToken cancellationToken)
    {
        TimeSpan relayAfter = connection.ConnectTime;
        bool byRelay = connection.Path is not { Kind: PathKind.Direct };
        var relay = byRelay ? new RaceLeg(RaceOutcome.Works, relayAfter) : new RaceLeg(RaceOutcome.NotTried, relayAfter, "the direct path was there first");
        RaceLeg direct;
        if (!dial.Policy.AllowsDirect)
        {
            direct = new RaceLeg(RaceOutcome.NotTried, TimeSpan.Zero, "the policy allows the relay only");
        }
        else
        {
            TimeSpan left = race.DirectTimeout - connection.Elapsed;
            left = left < race.Grace ? left : race.Grace;
            try
            {
                await dial.Direct.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, Time, cancellationToken).ConfigureAwait(false);
                direct = new RaceLeg(RaceOutcome.Works, connection.Elapsed);
            }
            catch (TimeoutException)
            {
                direct = new RaceLeg(RaceOutcome.TimedOut, connection.Elapsed, $"no direct path within {race.DirectTimeout.TotalSeconds:0.#} s");
            }
            catch (GimletException e)
            {
                direct = new RaceLeg(RaceOutcome.Failed, connection.Elapsed, e.Message);
            }
        }

        await connection.AgreeAsync(direct, relay, ChecksWith(dial.Peer), race.Grace, cancellationToken).ConfigureAwait(false);
    }
}
