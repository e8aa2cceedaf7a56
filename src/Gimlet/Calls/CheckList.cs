using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Calls;

/// <summary>
/// The pairs of a call and when each is checked next (RFC 8445 section 6.1.4): the likely ones first, paced, repeated with
/// backoff. Holds no clock: <see cref="TryTakeDue"/> is asked whenever <see cref="NextTimeout"/> has come.
/// </summary>
internal sealed class CheckList(TraversalOptions options)
{
    // A peer behind a NAT that maps per destination shows one new address per pair, and one more per rebind. They have room of their own:
    // a peer with 64 interfaces may still be reachable only where its checks come from.
    private const int MaxPeerReflexive = 16;

    // Addresses that nobody vouched for: a node has a handful at most (another carrier's exit, IPv6 beside an IPv4 WebSocket). Times three checks, one
    // call can make this node send 24 datagrams to strangers.
    private const int MaxUnvouched = 8;

    private readonly List<CandidatePair> _pairs = [];
    private TimeSpan _nextPace;
    private int _checksSent;

    public IReadOnlyList<CandidatePair> Pairs => _pairs;

    /// <summary>Both sides show the same public address: they may share a LAN, whose addresses then go first.</summary>
    public bool SameSite { get; set; }

    /// <summary>Checks sent since the last restart.</summary>
    public int ChecksSent => _checksSent;

    /// <summary>When the next check may go out; <see cref="TimeSpan.MaxValue"/> when none is due any more.</summary>
    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan earliest = TimeSpan.MaxValue;
            if (_checksSent < options.ChecksPerPunch)
            {
                foreach (CandidatePair pair in _pairs)
                {
                    earliest = pair.NextCheck < earliest ? pair.NextCheck : earliest;
                }
            }

            return earliest == TimeSpan.MaxValue ? earliest : earliest < _nextPace ? _nextPace : earliest;
        }
    }

    public CandidatePair? Find(TransportAddress remote)
    {
        foreach (CandidatePair pair in _pairs)
        {
            if (pair.Remote.Address == remote)
            {
                return pair;
            }
        }

        return null;
    }

    /// <summary>
    /// Adds a pair that is checked from now on; null when it is there already or there are too many. A list that is full forgets the oldest
    /// pair of the same sort that it can spare: a connection may live for years and move a thousand times.
    /// </summary>
    public CandidatePair? Add(Candidate remote, TimeSpan now, Predicate<CandidatePair> isInUse)
    {
        if (Find(remote.Address) is { } known)
        {
            if (known.Vouched || remote.Unverified)
            {
                return null;
            }

            // The server has seen the peer there meanwhile.
            known.Vouched = true;
            Schedule(known, now);
            return known;
        }

        // Three checks per address that nobody vouched for, and a list of its ports is no way around that.
        if ((remote.Unverified && IsOneTooMany(remote.Address)) || !MakeRoom(remote.Kind == CandidateKind.PeerReflexive, isInUse))
        {
            return null;
        }

        var pair = new CandidatePair(remote);
        Schedule(pair, now);
        _pairs.Add(pair);
        return pair;
    }

    private bool IsOneTooMany(TransportAddress unverified)
    {
        int unvouched = 0;
        foreach (CandidatePair pair in _pairs)
        {
            if (!pair.Vouched && (pair.Remote.Address.SameAddress(unverified) || ++unvouched == MaxUnvouched))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The peer's check came in on the pair: ours goes back before all others, and some more soon after, for the peer's NAT may still be shut.</summary>
    public static void Trigger(CandidatePair pair, TimeSpan now, TraversalOptions options)
    {
        pair.Triggered = true;
        pair.Vouched = true;
        pair.NextCheck = now;
        pair.Interval = options.CheckRetransmission;
    }

    /// <summary>The pair whose check goes out now, if the pacing, the budget and the schedule allow one.</summary>
    public bool TryTakeDue(TimeSpan now, CheckBudget budget, out CandidatePair? due)
    {
        due = null;
        if (now < _nextPace || _checksSent >= options.ChecksPerPunch)
        {
            return false;
        }

        int best = int.MaxValue;
        foreach (CandidatePair pair in _pairs)
        {
            if (pair.NextCheck > now)
            {
                continue;
            }

            // Among pairs that are due the fresh ones go before repetitions, the likely ones before the rest.
            int rank = pair.Triggered ? -1 : (pair.ChecksSent * 16) + CandidatePriority.FirstCheckRank(pair.Remote, SameSite);
            if (rank < best)
            {
                best = rank;
                due = pair;
            }
        }

        if (due is null)
        {
            return false;
        }

        _nextPace = now + options.CheckPacing;
        if (!budget.TryTake(now))
        {
            due = null;
            return false;
        }

        Advance(due, now);
        return true;
    }

    /// <summary>A path was found: what comes after is another punch, with a budget of its own.</summary>
    public void RenewBudget() => _checksSent = 0;

    /// <summary>No more checks of the pair.</summary>
    public static void Stop(CandidatePair pair)
    {
        pair.NextCheck = TimeSpan.MaxValue;
        pair.Triggered = false;
    }

    /// <summary>No more checks at all: the call has its path.</summary>
    public void StopAll()
    {
        foreach (CandidatePair pair in _pairs)
        {
            Stop(pair);
        }
    }

    /// <summary>All pairs are tried anew, with a fresh budget: the path is in doubt.</summary>
    public void Restart(TimeSpan now)
    {
        RenewBudget();
        foreach (CandidatePair pair in _pairs)
        {
            pair.Valid = false;
            if (pair.Vouched)
            {
                pair.ChecksSent = 0;
                Schedule(pair, now);
            }
            else if (pair.ChecksSent < options.UnverifiedCheckLimit)
            {
                // Three checks in all to an address nobody vouched for, however often the list is restarted, and never two in a hurry.
                TimeSpan next = pair.LastCheck + options.UnverifiedCheckInterval;
                pair.NextCheck = pair.ChecksSent > 0 && next > now ? next : now;
            }
        }
    }

    private bool MakeRoom(bool peerReflexive, Predicate<CandidatePair> isInUse)
    {
        int count = 0;
        CandidatePair? oldest = null;
        foreach (CandidatePair pair in _pairs)
        {
            if ((pair.Remote.Kind == CandidateKind.PeerReflexive) == peerReflexive)
            {
                count++;

                // What nobody vouched for stays on record, or its three checks would begin anew. An address that the peer's check has just
                // come from is worth more than an older one of its sort, even where that is being tried again.
                bool spare = pair.Vouched && (pair.NextCheck == TimeSpan.MaxValue || (peerReflexive && !pair.Valid));
                oldest ??= spare && !isInUse(pair) ? pair : null;
            }
        }

        if (count < (peerReflexive ? MaxPeerReflexive : options.MaxPairs))
        {
            return true;
        }

        if (oldest is null)
        {
            return false;
        }

        oldest.Forgotten = true;
        return _pairs.Remove(oldest);
    }

    private void Schedule(CandidatePair pair, TimeSpan now)
    {
        pair.NextCheck = now;
        pair.Interval = options.CheckRetransmission;
    }

    private void Advance(CandidatePair pair, TimeSpan now)
    {
        _checksSent++;
        pair.ChecksSent++;
        pair.LastCheck = now;
        pair.Triggered = false;
        if (!pair.Vouched)
        {
            pair.NextCheck = pair.ChecksSent < options.UnverifiedCheckLimit ? now + options.UnverifiedCheckInterval : TimeSpan.MaxValue;
            return;
        }

        pair.NextCheck = now + pair.Interval;
        TimeSpan doubled = pair.Interval * 2;
        pair.Interval = doubled < options.MaxCheckRetransmission ? doubled : options.MaxCheckRetransmission;
    }
}
