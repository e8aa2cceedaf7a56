using Gimlet.Node;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Races between the direct path and the relay, for programs that want to decide themselves.</content>
internal sealed partial class ConnectionTable
{
    private const string DirectWasFirst = "the direct path was there first";

    /// <summary>A direct path carries the connection, or could.</summary>
    public bool IsDirect(GimletConnection connection) =>
        connection.Quic.CurrentPath.Value > 0 || HasDirectPath(connection.RemotePeer);

    /// <summary>What a side that made no race of its own says of a connection.</summary>
    public RaceSide DescribeRace(GimletConnection connection) => new(
        IsUsingDirect(connection, out string? problem)
            ? new RaceLeg(RaceOutcome.Works, connection.Elapsed)
            : new RaceLeg(connection.Policy.AllowsDirect ? RaceOutcome.Failed : RaceOutcome.NotTried, connection.Elapsed, problem),
        RelayLeg(connection, Timeout.InfiniteTimeSpan),
        ChecksWith(connection.RemotePeer));

    private bool IsUsingDirect(GimletConnection connection, out string? problem)
    {
        problem = !connection.Policy.AllowsDirect ? "the policy allows the relay only"
            : !connection.PeerUsesDirect ? "the peer uses no direct path for this connection"
            : !IsDirect(connection) ? "no direct path works"
            : null;
        return problem is null;
    }

    private bool HasDirectPath(PeerId peer) => _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), peer) is not null;

    private IReadOnlyList<CandidateCheck> ChecksWith(PeerId peer) => _host.Run(static (host, _, p) => host.Peers.ChecksWith(p), peer);

    private bool CanRelayTo(PeerId peer) => _host.Run(static (host, _, p) => host.CanRelayTo(p), peer);

    private async Task RaceAsync(Dial dial, GimletConnection connection, RaceOptions race, CancellationToken cancellationToken)
    {
        RaceLeg direct = await DirectLegAsync(dial, connection, race, cancellationToken).ConfigureAwait(false);
        var side = new RaceSide(direct, RelayLeg(connection, race.RelayTimeout), ChecksWith(dial.Peer));
        await connection.AgreeAsync(side, race.Grace, cancellationToken).ConfigureAwait(false);
    }

    private async Task<RaceLeg> DirectLegAsync(Dial dial, GimletConnection connection, RaceOptions race, CancellationToken cancellationToken)
    {
        if (IsUsingDirect(connection, out string? problem))
        {
            return new RaceLeg(RaceOutcome.Works, connection.Elapsed);
        }

        if (!dial.Policy.AllowsDirect)
        {
            return new RaceLeg(RaceOutcome.NotTried, TimeSpan.Zero, problem);
        }

        TimeSpan left = race.DirectTimeout - Time.GetElapsedTime(dial.BegunAt);
        left = left < race.Grace ? left : race.Grace;
        try
        {
            await dial.Direct.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            string times = $"within {race.DirectTimeout.TotalSeconds:0.#} s, or {race.Grace.TotalSeconds:0.#} s after the relay";
            return new RaceLeg(RaceOutcome.TimedOut, connection.Elapsed, $"no direct path {times}");
        }
        catch (GimletException e)
        {
            return new RaceLeg(RaceOutcome.Failed, connection.Elapsed, e.Message);
        }

        return IsUsingDirect(connection, out problem)
            ? new RaceLeg(RaceOutcome.Works, connection.Elapsed)
            : new RaceLeg(RaceOutcome.Failed, connection.Elapsed, problem);
    }

    private RaceLeg RelayLeg(GimletConnection connection, TimeSpan timeout)
    {
        TimeSpan after = connection.ConnectTime;
        return connection.Quic.GetPathStatistics().Any(static p => p.Path.Value < 0 && p.BytesReceived > 0) ? new RaceLeg(RaceOutcome.Works, after)
            : !connection.Policy.AllowsRelay ? new RaceLeg(RaceOutcome.NotTried, TimeSpan.Zero, "the policy allows direct paths only")
            : !CanRelayTo(connection.RemotePeer) ? new RaceLeg(RaceOutcome.Failed, after, $"no server relays to {connection.RemotePeer}")
            : connection.Quic.InitialPath.Value > 0 ? new RaceLeg(RaceOutcome.NotTried, TimeSpan.Zero, DirectWasFirst)
            : timeout > TimeSpan.Zero && after > timeout ? new RaceLeg(RaceOutcome.TimedOut, after, $"no answer by the relay within {timeout.TotalSeconds:0.#} s")
            : new RaceLeg(RaceOutcome.NotTried, after, DirectWasFirst);
    }
}
