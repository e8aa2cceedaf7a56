using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Discovery;

/// <summary>
/// Finds out how the NATs in front of a socket map and filter (RFC 5780, RFC 4787), with whatever servers there are: one with two
/// addresses tells everything, one with two ports or several plain ones tell part of it, and the result says which part.
/// It owns no socket, clock or random source.
/// </summary>
/// <remarks>
/// <para>Order: <see cref="Start"/> once; then, after each call of a <c>Handle</c> method, drain <see cref="PollTransmit"/> until
/// it returns false and
/// wait for a datagram or for <see cref="NextTimeout"/>, until <see cref="IsComplete"/>. <see cref="Behavior"/> may be read at any
/// time and says what is known
/// so far. Not thread-safe.</para>
/// <para>All servers are asked at once. The first that names a second address is asked at its other addresses as well, and answers
/// from elsewhere
/// are asked of it for a second socket, because what the first socket has sent would have opened the filter.</para>
/// </remarks>
public sealed class NatClassifier
{
    /// <summary>
    /// The most servers that are asked. 8: more evidence adds nothing, and each server costs up to five packets.
    /// </summary>
    public const int MaxServers = 8;

    private readonly NatClassifierOptions _options;
    private readonly Action<Span<byte>> _random;
    private readonly List<TransportAddress> _servers;
    private readonly List<TransportAddress> _ownAddresses;
    private readonly List<Probe> _probes = [];
    private readonly FilteringTest _filtering;
    private readonly HairpinTest _hairpin;
    private TransportAddress _local;
    private TimeSpan _deadline;
    private TimeSpan _patienceEnds = TimeSpan.MaxValue;
    private bool _started;
    private bool _expired;
    private bool _followedUp;

    /// <summary>Makes a classifier.</summary>
    /// <param name="servers">
    /// The servers, all of one address family: the best first; two ports of one server are two entries. More than
    /// <see cref="MaxServers"/> are not asked.
    /// </param>
    /// <param name="ownAddresses">The addresses of this machine's interfaces (ports are ignored), to tell whether there is a NAT at
    /// all.</param>
    /// <param name="options">How to test.</param>
    /// <param name="random">Fills a span with random bytes for transaction ids; in production <c>RandomNumberGenerator.Fill</c>.</param>
    /// <exception cref="ArgumentException">The servers are of both families, or one is empty.</exception>
    public NatClassifier(
        IReadOnlyList<TransportAddress> servers,
        IReadOnlyList<TransportAddress> ownAddresses,
        NatClassifierOptions options,
        Action<Span<byte>> random)
    {
        ArgumentNullException.ThrowIfNull(servers);
        ArgumentNullException.ThrowIfNull(ownAddresses);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        options.Validate();
        if (servers.Any(server => server.IsEmpty || server.IsIPv4 != servers[0].IsIPv4))
        {
            throw new ArgumentException("The servers of one classification are of one address family.", nameof(servers));
        }

        _options = options;
        _random = random;
        _servers = [.. servers.Distinct().Take(MaxServers)];
        _ownAddresses = [.. ownAddresses];
        _filtering = new FilteringTest(options, random);
        _hairpin = new HairpinTest(options, random);
    }

    /// <summary>True when all is known that will be, or the deadline has passed.</summary>
    public bool IsComplete => _expired || (_started && !IsWaiting());

    /// <summary>When <see cref="HandleTimeout"/> is due; <see langword="null"/> when the classifier is complete or not started.</summary>
    public TimeSpan? NextTimeout
    {
        get
        {
            if (!_started || IsComplete)
            {
                return null;
            }

            TimeSpan next = _filtering.HasStarted || _patienceEnds > _deadline ? _deadline : _patienceEnds;
            foreach (Probe probe in AllProbes().Where(static probe => probe.IsOpen))
            {
                next = probe.Transaction.NextTimeout < next ? probe.Transaction.NextTimeout : next;
            }

            return next;
        }
    }

    /// <summary>What is known so far.</summary>
    public NatBehavior Behavior
    {
        get
        {
            List<MappingObservation> observations = Observations();
            bool? natted = IsNatted(observations);
            return NatVerdict.Give(new NatVerdict.Facts
            {
                Observations = observations,
                LocalPort = _local.Port,
                IsNatted = natted,
                Mapping = MappingEvidence.Judge(observations, natted),
                ChangeBoth = _filtering.ChangeBoth,
                ChangePort = _filtering.ChangePort,
                Hairpinning = _hairpin.Result,
                WasHeard = AllProbes().Any(static probe => probe.WasHeard),
                IsOver = IsComplete,
                Servers = _servers.Count,
                SendFailure = _probes.Find(static probe => probe.Transaction.SendFailure is not null)?.Transaction.SendFailure,
            });
        }
    }

    /// <summary>Begins.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="local">The local address of the mapping socket as far as it is known; its port matters most.</param>
    /// <exception cref="InvalidOperationException">The classifier was started before.</exception>
    public void Start(TimeSpan now, TransportAddress local)
    {
        if (_started)
        {
            throw new InvalidOperationException("A classifier starts once.");
        }

        _started = true;
        _local = local;
        _deadline = now + _options.Deadline;
        foreach (TransportAddress server in _servers)
        {
            AskForMapping(now, server);
        }
    }

    /// <summary>Takes the next datagram to send.</summary>
    /// <param name="socket">The socket it must leave from.</param>
    /// <param name="destination">Where to send it.</param>
    /// <param name="buffer">Where to write it; 64 bytes are enough. A request that does not fit stays due.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>False when nothing is due.</returns>
    public bool PollTransmit(out ProbeSocket socket, out TransportAddress destination, Span<byte> buffer, out int length)
    {
        if (!IsComplete)
        {
            foreach (Probe probe in AllProbes())
            {
                if (probe.IsOpen && probe.Transaction.IsDue)
                {
                    socket = probe.Socket;
                    destination = probe.Server;
                    length = probe.Transaction.Write(buffer);
                    return length > 0;
                }
            }
        }

        socket = default;
        destination = default;
        length = 0;
        return false;
    }

    /// <summary>Looks at a datagram.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="socket">The socket it came to.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="local">The local address it came to; may be empty.</param>
    /// <param name="datagram">Its bytes.</param>
    /// <returns>True when it was meant for this classifier, whether or not it counted; false when it is somebody else's.</returns>
    public bool HandleDatagram(
        TimeSpan now, ProbeSocket socket, TransportAddress from, TransportAddress local, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryParse(datagram, out StunMessage message))
        {
            return false;
        }

        if (message.Class is StunClass.Request or StunClass.Indication)
        {
            return _hairpin.HandleRequest(socket, message.TransactionId);
        }

        foreach (Probe probe in AllProbes())
        {
            if (probe.Socket == socket && probe.Transaction.Matches(message.TransactionId, out TimeSpan sentAt))
            {
                if (StunAnswerReader.FindFault(message) is not null)
                {
                    // It changes nothing but this: UDP comes back.
                    probe.WasHeard |= from == probe.Server;
                }
                else if (probe.IsOpen && !IsComplete)
                {
                    HandleResponse(probe, message, from, local, now, now - sentAt);
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Reports that a datagram could not be sent, or that the kernel reported its destination as unreachable.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="socket">The socket it was to leave from.</param>
    /// <param name="destination">Where it was to go.</param>
    /// <param name="reason">Why, for people.</param>
    public void HandleSendFailure(TimeSpan now, ProbeSocket socket, TransportAddress destination, string reason)
    {
        foreach (Probe probe in AllProbes())
        {
            if (probe.IsOpen && probe.Socket == socket && probe.Server == destination && probe.Transaction.Sends > 0)
            {
                probe.Transaction.NoteSendFailure(reason);
                if (probe.Transaction.IsUnreachable)
                {
                    probe.Close();
                }
            }
        }

        Advance(now);
    }

    /// <summary>Makes due what is due, and gives up on what is late. May be called at any time.</summary>
    /// <param name="now">The time since the host's origin.</param>
    public void HandleTimeout(TimeSpan now)
    {
        if (!_started)
        {
            return;
        }

        foreach (Probe probe in AllProbes().Where(static probe => probe.IsOpen))
        {
            if (probe.Transaction.IsExpired(now))
            {
                probe.Close();
            }
            else
            {
                probe.Transaction.HandleTimeout(now);
            }
        }

        Advance(now);
        _expired |= now >= _deadline;
    }

    private void HandleResponse(
        Probe probe, StunMessage response, TransportAddress from, TransportAddress local, TimeSpan now, TimeSpan roundTrip)
    {
        if (probe.Change != ChangeRequest.None)
        {
            _filtering.HandleChanged(probe, response, from);
        }
        else if (from != probe.Server)
        {
            // Not the address that was asked: forged, or a server that answers from the wrong address. Nothing is concluded from it.
            return;
        }
        else if (response.Class == StunClass.Error)
        {
            probe.Hear();
        }
        else
        {
            probe.Answer(response, roundTrip);
            if (probe.Socket == ProbeSocket.Mapping)
            {
                LearnLocal(local);
                FollowUp(now, probe);
                _patienceEnds = _patienceEnds < now + _options.Patience ? _patienceEnds : now + _options.Patience;
            }
        }

        Advance(now);
    }

    /// <summary>Starts what has become possible, and draws conclusions from what has ended.</summary>
    private void Advance(TimeSpan now)
    {
        if (!_started)
        {
            return;
        }

        if (_options.TestFiltering && !_filtering.HasStarted)
        {
            Probe? best = _probes.Find(static probe => !probe.Mapped.IsEmpty && !probe.Other.IsEmpty);
            bool settled = now >= _patienceEnds || _probes.TrueForAll(static probe => !probe.IsOpen);
            best ??= settled ? _probes.Find(static probe => !probe.Mapped.IsEmpty) : null;
            if (best is not null)
            {
                _filtering.Start(now, best.Server, _deadline);
            }
        }

        // The answer from the other port names that port, which a server with one address has no other way to tell.
        if (_filtering.Conclude() && _filtering.OtherPort is { IsEmpty: false } other)
        {
            AskForMapping(now, other);
        }

        if (_options.TestHairpinning && !_hairpin.HasStarted && !_filtering.Mapped.IsEmpty)
        {
            List<MappingObservation> observations = Observations();
            if (observations.Count > 0 && IsNatted(observations) != false)
            {
                _hairpin.Start(now, observations[0].Mapped, _filtering.Mapped, _deadline);
            }
        }

        _hairpin.Conclude();
    }

    // RFC 5780 section 4.3 asks the alternate address at the primary port, then at the alternate port. Asked at once, they take one
    // round trip.
    private void FollowUp(TimeSpan now, Probe probe)
    {
        if (_followedUp || !IsWorthAsking(probe.Other, probe.Server))
        {
            return;
        }

        _followedUp = true;
        AskForMapping(now, probe.Other.WithPort(probe.Server.Port));
        AskForMapping(now, probe.Other);
        AskForMapping(now, probe.Server.WithPort(probe.Other.Port));
    }

    /// <summary>True when a server may send us to an address: nothing that would let it aim at this machine or its network.</summary>
    private static bool IsWorthAsking(TransportAddress other, TransportAddress server) =>
        !other.IsEmpty && other.IsIPv4 == server.IsIPv4 && other.Port != 0 && !other.SameAddress(server)
        && !other.IsUnspecified && !other.IsMulticast && !other.IsBroadcast && !other.IsLinkLocal
        && other.IsLoopback == server.IsLoopback && (!other.IsPrivate || server.IsPrivate);

    private void AskForMapping(TimeSpan now, TransportAddress server)
    {
        if (_probes.Exists(probe => probe.Server == server))
        {
            return;
        }

        TimeSpan end = now + _options.Probe.Deadline;
        var transaction = new StunTransaction(now, end < _deadline ? end : _deadline, server, ChangeRequest.None, _options.Probe, _random);
        _probes.Add(new Probe(ProbeSocket.Mapping, transaction));
    }

    private void LearnLocal(TransportAddress local)
    {
        if (!local.IsEmpty && !local.IsUnspecified && (_local.IsEmpty || _local.IsUnspecified))
        {
            _local = local.Port != 0 ? local : local.WithPort(_local.Port);
        }
    }

    private bool IsWaiting()
    {
        if (_probes.Exists(static probe => probe.IsOpen) && !IsMappingKnown())
        {
            return true;
        }

        bool filteringComes = _options.TestFiltering
            && !_filtering.HasStarted
            && _probes.Exists(static probe => probe.IsOpen || !probe.Mapped.IsEmpty);
        return filteringComes || _filtering.IsRunning || _hairpin.IsRunning;
    }

    private bool IsMappingKnown()
    {
        // What servers inside this network saw is not the last word while one outside may still answer.
        List<MappingObservation> observations = Observations();
        return observations.Count > 0
            && (IsOutside(observations[0].Server) || !_probes.Exists(static probe => probe.IsOpen && IsOutside(probe.Server)))
            && MappingEvidence.Judge(observations, IsNatted(observations)).IsExact;
    }

    private IEnumerable<Probe> AllProbes() => [.. _probes, .. _filtering.Probes, .. _hairpin.Probes];

    private List<MappingObservation> Observations()
    {
        List<Probe> answered = _probes.FindAll(static probe => !probe.Mapped.IsEmpty);

        // A server inside this network sees an inside address; where servers outside answered too, it says nothing about the NAT.
        if (answered.Exists(static probe => IsOutside(probe.Server)))
        {
            answered = answered.FindAll(static probe => IsOutside(probe.Server));
        }

        return answered.ConvertAll(static probe => new MappingObservation(probe.Server, probe.Mapped, probe.RoundTrip));
    }

    private static bool IsOutside(TransportAddress server) => !server.IsPrivate && !server.IsLoopback && !server.IsLinkLocal;

    private bool? IsNatted(List<MappingObservation> observations)
    {
        bool localKnown = !_local.IsEmpty && !_local.IsUnspecified;
        if (observations.Count == 0 || (!localKnown && _ownAddresses.Count == 0))
        {
            return null;
        }

        return !observations.TrueForAll(observation => IsOwn(observation.Mapped));
    }

    private bool IsOwn(TransportAddress mapped) =>
        (_local.Port == 0 || mapped.Port == _local.Port)
        && (mapped.SameAddress(_local) || _ownAddresses.Exists(own => own.SameAddress(mapped)));
}
