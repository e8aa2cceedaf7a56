using Gimlet.Connections;
using Gimlet.Quic;

namespace Gimlet;

/// <content>The race: both sides tell each other what they found before either settles on a path.</content>
public sealed partial class GimletConnection
{
    // The peer's check was answered, and ours is a round trip behind at most; half of the grace that the peer gives us by default.
    private static readonly TimeSpan BehindPeer = TimeSpan.FromMilliseconds(500);

    private readonly TaskCompletionSource _directFound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _agreed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _raceGate = new();
    private readonly RaceAgreement _agreement;
    private Task _telling = Task.CompletedTask;
    private RaceSide? _raceSide;
    private bool _dialRaces;
    private bool _answersRace;

    /// <summary>
    /// What the race came to; null where neither side made one (<see cref="ConnectOptions.Race"/>), and until it is over. Where the peer says, after its own time, that it is
    /// on the relay, a race that the direct path had won becomes the relay's.
    /// </summary>
    public RaceReport? Race { get; private set; }

    /// <inheritdoc/>
    void IControlEvents.FindingReceived(ReadOnlySpan<byte> payload)
    {
        if (!RaceFinding.TryRead(payload, out RaceFinding finding))
        {
            return;
        }

        bool answers;
        lock (_raceGate)
        {
            PathKind? decision = _agreement.HearFinding(finding);
            answers = TakeAnswer();
            Tell(decision);
        }

        if (answers)
        {
            _ = UnlessDisposedAsync(AnswerRaceAsync(finding));
        }
    }

    /// <inheritdoc/>
    void IControlEvents.DecisionReceived(ReadOnlySpan<byte> payload)
    {
        if (RaceDecision.TryRead(payload, out PathKind winner))
        {
            lock (_raceGate)
            {
                if (_agreement.HearDecision(winner))
                {
                    Settle(winner);
                }
            }
        }
    }

    /// <summary>A direct path to the peer works.</summary>
    internal void NoteDirectFound() => _ = _directFound.TrySetResult();

    /// <summary>The dial that makes a race of it was given up: whatever the peer asks is answered as for any other connection.</summary>
    internal void ForgoRace()
    {
        RaceFinding? waiting;
        lock (_raceGate)
        {
            _dialRaces = false;
            waiting = TakeAnswer() ? _agreement.Peer : null;
        }

        if (waiting is { } finding)
        {
            _ = UnlessDisposedAsync(AnswerRaceAsync(finding));
        }
    }

    /// <summary>Tells the peer what this side found, hears its findings, and settles on what both can use.</summary>
    /// <param name="side">What this side found.</param>
    /// <param name="grace">How long the peer's word is waited for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task AgreeAsync(RaceSide side, TimeSpan grace, CancellationToken cancellationToken)
    {
        try
        {
            TellOwn(side);
            await _agreed.Task.WaitAsync(grace, _table.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A peer that does not say what it found is not agreed with.
            lock (_raceGate)
            {
                Tell(_agreement.EndWait());
            }
        }
        catch (QuicException e)
        {
            throw Ended(e);
        }
    }

    private async Task AnswerRaceAsync(RaceFinding peer)
    {
        if (peer.Winner == PathKind.Direct && UsesDirect && !_table.IsDirect(this))
        {
            using var ended = new CancellationTokenSource();
            _ = await Task.WhenAny(_directFound.Task, _quic.Closed, Task.Delay(BehindPeer, _table.Time, ended.Token)).ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
        }

        try
        {
            TellOwn(_table.DescribeRace(this));
        }
        catch (ObjectDisposedException)
        {
            // The node is being disposed, and the connection with it.
        }
    }

    // With the lock held. One answer at most, and none where a dial makes its own race of the connection.
    private bool TakeAnswer()
    {
        bool answers = _agreement.Peer is not null && !_dialRaces && !_answersRace;
        _answersRace |= answers;
        return answers;
    }

    private void TellOwn(RaceSide side)
    {
        PathKind local = side.Direct.Outcome == RaceOutcome.Works || !Policy.AllowsRelay ? PathKind.Direct : PathKind.Relay;
        var finding = new RaceFinding(side.Direct.Outcome, side.Relay.Outcome, side.Direct.Elapsed, side.Relay.Elapsed, local);
        lock (_raceGate)
        {
            _raceSide = side;
            Send(ControlMessages.Finding, finding.Write());
            Tell(_agreement.FindOwn(finding));
            Report();
        }
    }

    // With the lock held.
    private void Tell(PathKind? decision)
    {
        if (decision is { } winner)
        {
            Send(ControlMessages.Decision, RaceDecision.Write(winner));
            Settle(winner);
        }
    }

    // With the lock held, which keeps what is settled in the order of what was agreed.
    private void Settle(PathKind winner)
    {
        _table.Settle(this, winner);
        Report();
    }

    // With the lock held. The peer may decide before this side has found anything.
    private void Report()
    {
        if (_raceSide is { } side && _agreement is { Winner: { } winner, Own: { } own })
        {
            Race = new RaceReport
            {
                Winner = winner,
                LocalWinner = own.Winner ?? winner,
                PeerWinner = _agreement.Peer?.Winner,
                Direct = side.Direct,
                Relay = side.Relay,
                Candidates = side.Candidates,
            };
            _ = _agreed.TrySetResult();
        }
    }

    // With the lock held: a decision goes behind the finding that it follows.
    private void Send(byte type, byte[] payload) => _telling = SendAsync(_telling, type, payload);

    private async Task SendAsync(Task before, byte type, byte[] payload)
    {
        await before.ConfigureAwait(false);
        try
        {
            await _control.SendAsync(type, payload, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QuicException or GimletException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection has ended, as everybody is told.
        }
    }
}

/// <summary>What one side of a race found.</summary>
/// <param name="Direct">The direct path.</param>
/// <param name="Relay">The relay.</param>
/// <param name="Candidates">The peer's addresses.</param>
internal sealed record RaceSide(RaceLeg Direct, RaceLeg Relay, IReadOnlyList<CandidateCheck> Candidates);
