using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Calls;

/// <content>What others than the checks know of the paths, and what the checks have shown for others.</content>
internal sealed partial class CallAgent
{
    /// <summary>Somebody has other evidence that the path in use may be dead: it is probed at once, and the other pairs with it.</summary>
    public void Doubt(TimeSpan now)
    {
        if (State == CallState.Connected && Active is not null && !_monitor.IsSuspect)
        {
            _monitor.Suspect(now);
            _settleAt = now + _context.Options.PathLossTimeout;
            _checks.Restart(now);
        }
    }

    /// <summary>Authentic data of the peer came from an address: it is worth a check, and the path in use is in doubt if it is another one.</summary>
    public void Probe(TransportAddress remote, TimeSpan now)
    {
        if (State is CallState.Closing or CallState.Ended || !MaySendTo(remote) || Active?.Remote.Address == remote)
        {
            return;
        }

        CandidatePair? pair = _checks.Find(remote) ?? _checks.Add(new Candidate(CandidateKind.PeerReflexive, remote), now, IsInUse);
        Doubt(now);
        if (pair is not null)
        {
            CheckList.Trigger(pair, now, _context.Options);
            SettleLater(now);
        }
    }

    /// <summary>What became of each address.</summary>
    public IEnumerable<CandidateCheck> DescribePairs() => _checks.Pairs.Select((p, i) => new CandidateCheck(
        i,
        p.Remote.Address.ToIPEndPoint(),
        p.Remote.Kind,
        p.AnsweredAt is not null,
        p.ChecksSent,
        p.AnsweredAt - _startedAt,
        p.AnsweredAt is null ? null : p.RoundTripTime));
}
