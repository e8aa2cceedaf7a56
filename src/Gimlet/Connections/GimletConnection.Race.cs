using Gimlet.Connections;
using Gimlet.Quic;

namespace Gimlet;

/// <content>The race: both sides tell each other what they found before either settles on a path.</content>
public sealed partial class GimletConnection
{
    // The peer's check was answered, and ours is a round trip behind at most; half of the grace that the peer gives us by default.
    private static readonly TimeSpan BehindPeer = TimeSpan.FromMilliseconds(500);

    private readonly TaskCompletionSource _directFound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<RaceFinding> _peerFinding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _findingSent;

    /// <summary>What the race came to; null without <see cref="ConnectOptions.Race"/>.</summary>
    public RaceReport? Race { get; private set; }

    /// <inheritdoc/>
    void IControlEvents.FindingReceived(ReadOnlySpan<byte> payload)
    {
        if (RaceFinding.TryRead(payload, out RaceFinding finding))
        {
            bool first = _peerFinding.TrySetResult(finding);
            if (first && IsIncoming)
            {
                _ = UnlessDisposedAsync(AnswerRaceAsync(finding));
            }
        }
    }

    /// <summary>A direct path to the peer works.</summary>
    internal void NoteDirectFound() => _ = _directFound.TrySetResult();

    /// <summary>Tells the peer what this side found, hears its findings, and settles on what both can use.</summary>
    internal async Task AgreeAsync(RaceLeg direct, RaceLeg relay, IReadOnlyList<CandidateCheck> candidates, TimeSpan timeout, CancellationToken cancellationToken)
    {
        PathKind local = direct.Outcome == RaceOutcome.Works ? PathKind.Direct : PathKind.Relay;
        RaceFinding? peer = null;
        try
        {
            await SendFindingAsync(new RaceFinding(direct.Outcome, relay.Outcome, direct.Elapsed, relay.Elapsed, local), cancellationToken).ConfigureAwait(false);
            peer = await _peerFinding.Task.WaitAsync(timeout, _table.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A peer that does not say what it found is not agreed with: the relay.
        }
        catch (Exception e) when (e is QuicException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw Ended(e);
        }

        PathKind winner = local == PathKind.Direct && peer?.Winner == PathKind.Direct ? PathKind.Direct : PathKind.Relay;
        Race = new RaceReport { Winner = winner, LocalWinner = local, PeerWinner = peer?.Winner, Direct = direct, Relay = relay, Candidates = candidates };
        _table.Settle(this, winner);
    }

    private async Task AnswerRaceAsync(RaceFinding peer)
    {
        if (peer.Winner == PathKind.Direct && UsesDirect && !_table.HasDirectPath(RemotePeer))
        {
            using var ended = new CancellationTokenSource();
            _ = await Task.WhenAny(_directFound.Task, _quic.Closed, Task.Delay(BehindPeer, _table.Time, ended.Token)).ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
        }

        bool works = _table.HasDirectPath(RemotePeer);
        PathKind local = works ? PathKind.Direct : PathKind.Relay;
        var own = new RaceFinding(works ? RaceOutcome.Works : RaceOutcome.Failed, RaceOutcome.Works, Elapsed, ConnectTime, local);
        PathKind winner = works && peer.Winner == PathKind.Direct ? PathKind.Direct : PathKind.Relay;
        Race = new RaceReport
        {
            Winner = winner,
            LocalWinner = local,
            PeerWinner = peer.Winner,
            Direct = new RaceLeg(own.Direct, own.ToDirect),
            Relay = new RaceLeg(own.Relay, own.ToRelay),
            Candidates = _table.ChecksWith(RemotePeer),
        };
        try
        {
            await SendFindingAsync(own, CancellationToken.None).ConfigureAwait(false);
            _table.Settle(this, winner);
        }
        catch (Exception e) when (e is QuicException or GimletException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection has ended, as everybody is told.
        }
    }

    private Task SendFindingAsync(RaceFinding finding, CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref _findingSent, 1) == 0 ? _control.SendAsync(ControlMessages.Finding, finding.Write(), cancellationToken) : Task.CompletedTask;
}
