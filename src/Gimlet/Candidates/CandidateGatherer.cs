using System.Net;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Candidates;

/// <summary>
/// Collects a node's own candidates: host addresses, what STUN servers see, the configured or fallen-back public address; and keeps the
/// mapping alive while the node is idle. Sans-IO. <see cref="Revision"/> grows whenever <see cref="Candidates"/> has changed.
/// </summary>
internal sealed class CandidateGatherer(TraversalOptions options, bool allowLoopback, Action<Span<byte>> random)
{
    // Four servers that a person or a rendezvous names, with two addresses of each family, and one such set more.
    private const int MaxTargets = 32;

    private static readonly PublicAddress Unknown = new(default, PublicAddressSource.Local, "nothing is known yet");

    private readonly List<Candidate> _candidates = [];
    private readonly List<StunTarget> _targets = [];
    private readonly Dictionary<TransportAddress, StunServerResult> _answers = [];
    private readonly List<StunServerResult> _failures = [];
    private IReadOnlyList<IPAddress> _hosts = [];
    private StunQuery? _query;
    private TransportAddress _configured;
    private PublicAddress? _fallback;
    private bool _isRefresh;
    private bool _anyTargetEver;
    private bool _announce;
    private TimeSpan _askedAt;
    private TimeSpan _refreshAt = TimeSpan.MaxValue;

    /// <summary>The ports of the node's sockets; 0 where a family has none.</summary>
    public (int IPv4, int IPv6) LocalPorts { get; set; }

    public int Revision { get; private set; }

    /// <summary>What peers are told, best known first.</summary>
    public IReadOnlyList<Candidate> Candidates => _candidates;

    /// <summary>Every server that was named.</summary>
    public IReadOnlyList<StunTarget> Targets => _targets;

    /// <summary>Grows whenever servers are asked for more than a refresh: what was concluded from earlier answers may not hold any more.</summary>
    public int Generation { get; private set; }

    /// <summary>Every server that answered, in the order in which it was named.</summary>
    public IEnumerable<StunServerResult> Answers => _targets.Where(t => _answers.ContainsKey(t.Address)).Select(t => _answers[t.Address]);

    /// <summary>What the servers that did not answer came to.</summary>
    public IReadOnlyList<StunServerResult> Failures => _failures;

    /// <summary>Every server that was named has answered or failed.</summary>
    public bool IsComplete => _anyTargetEver && (_query is null || _query.IsComplete || _isRefresh);

    /// <summary>STUN answered nothing and nothing was configured: the host should look elsewhere and call <see cref="SetFallback"/>.</summary>
    public bool NeedsFallback => IsComplete && _answers.Count == 0 && _configured.IsEmpty && _fallback is null;

    /// <summary>Every server has answered or failed, and where none answered the fallback was looked for, found or not.</summary>
    public bool IsSettled => IsComplete && !NeedsFallback;

    /// <summary>The address peers are told first, and where it comes from.</summary>
    public PublicAddress Public { get; private set; } = Unknown;

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan query = _query?.NextTimeout ?? TimeSpan.MaxValue;
            return query < _refreshAt ? query : _refreshAt;
        }
    }

    /// <summary>The interfaces have these addresses now.</summary>
    public void SetHosts(IReadOnlyList<IPAddress> hosts, TimeSpan now)
    {
        bool changed = !hosts.SequenceEqual(_hosts);
        _hosts = hosts;
        if (changed && _anyTargetEver)
        {
            // Another network may have another NAT: what was seen before says nothing about it.
            _answers.Clear();
            _fallback = null;
            Rebuild();
            Ask(_targets, isRefresh: false, now);
        }
        else
        {
            Rebuild();
        }
    }

    /// <summary>Asks these servers, besides those asked already; all of them again when they are known.</summary>
    public void AddTargets(IEnumerable<StunTarget> targets, TimeSpan now)
    {
        List<StunTarget> named = [.. targets];
        List<StunTarget> fresh = named.FindAll(t => !_targets.Exists(k => IsSame(k, t)));
        bool known = _anyTargetEver && (fresh.Count == 0 || named.Exists(t => !t.Address.IsEmpty && _targets.Exists(k => IsSame(k, t))));
        _anyTargetEver = true;
        _targets.AddRange(fresh);
        ForgetOldTargets(fresh);
        if (known && !_announce)
        {
            // The server came back, with a new key for its proofs: it gets new ones even where the addresses are the same.
            Renew(now);
        }
        else if (_query is { IsComplete: false } && !_isRefresh)
        {
            Generation++;
            fresh.ForEach(t => _query.Add(now, t));
            Take(now);
        }
        else
        {
            Ask(fresh, isRefresh: false, now);
        }
    }

    // A server that names others at each connection, or a name whose addresses change for years, must not make the list grow for ever.
    private void ForgetOldTargets(List<StunTarget> fresh)
    {
        for (int i = 0; i < _targets.Count && _targets.Count > MaxTargets;)
        {
            StunTarget old = _targets[i];
            if (fresh.Contains(old) || (_answers.ContainsKey(old.Address) && _targets.Exists(t => !fresh.Contains(t) && !_answers.ContainsKey(t.Address))))
            {
                i++;
                continue;
            }

            _targets.RemoveAt(i);
            _ = _answers.Remove(old.Address);
            i = 0;
        }
    }

    // A name without an address is the same as before when the name is; otherwise the address decides.
    private static bool IsSame(StunTarget a, StunTarget b) => a.Address == b.Address && (!a.Address.IsEmpty || a.Server == b.Server);

    /// <summary>Asks all servers anew, and announces what they see even where it is the same as before.</summary>
    public void Renew(TimeSpan now)
    {
        if (_targets.Count > 0 && !_announce)
        {
            _announce = true;
            Ask(_targets, isRefresh: false, now);
        }
    }

    /// <summary>Overrides what STUN says; an empty address ends the override. Port 0 means the local port.</summary>
    public void SetConfigured(TransportAddress address)
    {
        _configured = address;
        Rebuild();
    }

    /// <summary>What the host found where STUN found nothing; an empty address when it found nothing either.</summary>
    public void SetFallback(TransportAddress address, PublicAddressSource source, string explanation)
    {
        _fallback = new PublicAddress(address, source, explanation);
        Rebuild();
    }

    public bool PollTransmit(out TransportAddress destination, Span<byte> buffer, out int length)
    {
        destination = default;
        length = 0;
        return _query is not null && _query.PollTransmit(out destination, buffer, out length);
    }

    public bool HandleDatagram(TimeSpan now, TransportAddress from, TransportAddress local, ReadOnlySpan<byte> datagram)
    {
        if (_query is null || !_query.HandleDatagram(now, from, local, datagram))
        {
            return false;
        }

        Take(now);
        return true;
    }

    public void HandleSendFailure(TimeSpan now, TransportAddress destination, string reason)
    {
        _query?.HandleSendFailure(now, destination, reason);
        Take(now);
    }

    public void HandleTimeout(TimeSpan now)
    {
        _query?.HandleTimeout(now);
        Take(now);
        if (now >= _refreshAt)
        {
            _refreshAt = TimeSpan.MaxValue;

            // One server per family keeps the mapping alive; all of them again when none has answered, for the network may be back.
            List<StunTarget> refresh = [.. FirstAnswered()];
            Ask(refresh.Count > 0 ? refresh : _targets, isRefresh: refresh.Count > 0, now);
        }
    }

    private IEnumerable<StunTarget> FirstAnswered()
    {
        var answered = Answers.ToList();
        StunServerResult? v4 = answered.Find(a => a.Target.Address.IsIPv4);
        StunServerResult? v6 = answered.Find(a => a.Target.Address.IsIPv6);
        return new[] { v4, v6 }.OfType<StunServerResult>().Select(a => a.Target);
    }

    private void Ask(IEnumerable<StunTarget> targets, bool isRefresh, TimeSpan now)
    {
        _isRefresh = isRefresh;
        _askedAt = now;
        if (!isRefresh)
        {
            _failures.Clear();
            Generation++;
        }

        _query = new StunQuery(new StunQueryOptions { Deadline = options.ReflexTimeout, RequestProof = true }, random);
        foreach (StunTarget target in targets)
        {
            _query.Add(now, target);
        }

        _query.Start(now);
        Take(now);
    }

    private void Take(TimeSpan now)
    {
        if (_query is null)
        {
            return;
        }

        bool news = false;
        while (_query.PollResult(out StunServerResult? result))
        {
            news = true;
            if (result.Outcome != StunOutcome.Answered)
            {
                _failures.Add(result);
                _ = _answers.Remove(result.Target.Address);
                continue;
            }

            if (_isRefresh && _answers.TryGetValue(result.Target.Address, out StunServerResult? before) && before.MappedAddress != result.MappedAddress)
            {
                // The mapping has become another one: what the other servers saw is as old.
                _answers.Clear();
            }

            if (_targets.Exists(t => t.Address == result.Target.Address))
            {
                _answers[result.Target.Address] = result;
            }
        }

        if (_query.IsComplete && _refreshAt == TimeSpan.MaxValue && _targets.Count > 0)
        {
            // Reckoned from the question: a server that is dead holds the end of the query up, and a mapping does not wait for it.
            _refreshAt = _askedAt + NextRefresh();
        }

        // Also where nothing is new but a proof: the server believes one for ten minutes only.
        if (news)
        {
            Rebuild();
        }

        if (_announce && _query.IsComplete)
        {
            _announce = false;
            Revision++;
        }
    }

    private TimeSpan NextRefresh()
    {
        Span<byte> draw = stackalloc byte[2];
        random(draw);
        double part = (draw[0] | (draw[1] << 8)) / 65536.0;
        return options.MappingRefreshMin + ((options.MappingRefreshMax - options.MappingRefreshMin) * part);
    }

    private void Rebuild()
    {
        var next = new List<Candidate>();
        void Add(Candidate candidate)
        {
            if (CandidatePolicy.MayAdvertise(candidate.Address, allowLoopback) && !next.Exists(c => c.Address == candidate.Address))
            {
                next.Add(candidate);
            }
        }

        if (!_configured.IsEmpty)
        {
            Add(new Candidate(CandidateKind.Mapped, FindPublic([]).Address));
        }

        // What a host address and a server saw alike is a host address: no NAT. It keeps the proof.
        var seen = Answers.ToList();
        foreach (IPAddress host in _hosts)
        {
            var address = new TransportAddress(host, 1);
            int port = LocalPort(address);
            if (port != 0)
            {
                address = address.WithPort(port);
                Add(new Candidate(CandidateKind.Host, address, Proof: ProofOf(seen.Find(a => a.MappedAddress == address))));
            }
        }

        foreach (StunServerResult answer in seen)
        {
            Add(new Candidate(CandidateKind.ServerReflexive, answer.MappedAddress, Proof: ProofOf(answer)));
        }

        if (seen.Count > 0)
        {
            _fallback = null;
        }
        else if (_fallback is { Address.IsEmpty: false })
        {
            Add(new Candidate(CandidateKind.Mapped, _fallback.Address));
        }

        // Of too many the interfaces at the end are left out, never the address that a peer elsewhere can reach.
        while (next.Count > SignalProtocol.MaxCandidates && next.FindLastIndex(c => c.Kind == CandidateKind.Host) is >= 0 and int last)
        {
            next.RemoveAt(last);
        }

        PublicAddress known = FindPublic(seen);
        bool changed = !Same(next) || known != Public;
        Public = known;
        _candidates.Clear();
        _candidates.AddRange(next);
        Revision += changed ? 1 : 0;
    }

    private PublicAddress FindPublic(List<StunServerResult> seen)
    {
        if (!_configured.IsEmpty)
        {
            TransportAddress address = _configured.Port != 0 ? _configured : _configured.WithPort(LocalPort(_configured));
            return new PublicAddress(address, PublicAddressSource.Configured, "configured by hand");
        }

        StunServerResult? best = seen.Find(a => a.MappedAddress.IsIPv4) ?? (seen.Count > 0 ? seen[0] : null);
        return best is not null
            ? new PublicAddress(best.MappedAddress, PublicAddressSource.Stun, $"seen by {best.Target.Server}")
            : _fallback ?? Unknown;
    }

    private bool Same(List<Candidate> next)
    {
        if (next.Count != _candidates.Count)
        {
            return false;
        }

        for (int i = 0; i < next.Count; i++)
        {
            if (next[i].Kind != _candidates[i].Kind || next[i].Address != _candidates[i].Address)
            {
                return false;
            }
        }

        return true;
    }

    private int LocalPort(TransportAddress address) => address.IsIPv4 ? LocalPorts.IPv4 : LocalPorts.IPv6;

    private static byte[]? ProofOf(StunServerResult? answer) => answer is { Proof.IsEmpty: false } ? answer.Proof.ToArray() : null;
}
