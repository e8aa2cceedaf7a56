using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Client;
using Gimlet.Stun.Discovery;

namespace Gimlet.Node;

/// <content>What the node knows of its NAT: the classification, its words on the wire, and the verdict on a failed punch.</content>
internal sealed partial class NodeCore
{
    // The wire's words; docs/protocol.md section 2, "nat".
    private const int MaxEvidenceLength = 300;

    private bool _gatheringNoted;
    private bool _probeAsked;
    private int _classifiedTargets;
    private MappingBehavior _announcedMapping;

    private NatBehavior? KnownNat => Nat ?? _classifier?.Behavior;

    private void NoteGathering()
    {
        if (_gatherer.IsComplete && !_gatheringNoted)
        {
            _events.Enqueue(new GatheringEnded());
        }

        _gatheringNoted = _gatherer.IsComplete;
    }

    /// <summary>
    /// Classifies beside the gathering, so that the mapping is known as soon as the reflexive address is, and whoever is introduced to this
    /// node hears of it; again when the servers or the addresses have changed.
    /// </summary>
    private void MaybeClassify(TimeSpan now)
    {
        List<TransportAddress> servers = [.. _gatherer.Targets.Where(t => t.Address.IsIPv4).Select(t => t.Address)];
        if (_classifiedTargets == _gatherer.Generation || _options.NoHolepunch || servers.Count == 0 || _gatherer.LocalPorts.IPv4 == 0)
        {
            return;
        }

        _classifiedTargets = _gatherer.Generation;
        if (!_probeAsked)
        {
            _probeAsked = true;
            _events.Enqueue(new ProbeSocketNeeded());
        }

        TransportAddress[] own = [.. _gatherer.Candidates.Where(c => c.Kind == CandidateKind.Host && c.Address.IsIPv4).Select(c => c.Address)];
        _announcedMapping = MappingBehavior.Unknown;
        _classifier = new NatClassifier(servers, own, new NatClassifierOptions { Deadline = _options.Traversal.ClassificationDeadline }, _options.Random);
        _classifier.Start(now, new TransportAddress([0, 0, 0, 0], _gatherer.LocalPorts.IPv4));
        DrainClassifier(now);
    }

    private bool HandleClassifierDatagram(TimeSpan now, TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram, NodeSocketKind socket)
    {
        if (_classifier is null || !_classifier.HandleDatagram(now, socket == NodeSocketKind.Probe ? ProbeSocket.Filtering : ProbeSocket.Mapping, remote, local, datagram))
        {
            return false;
        }

        if (_announcedMapping == MappingBehavior.Unknown && _classifier.Behavior.Mapping != MappingBehavior.Unknown)
        {
            _announcedMapping = _classifier.Behavior.Mapping;
            AnnounceNat();
        }

        DrainClassifier(now);
        return true;
    }

    private void DrainClassifier(TimeSpan now)
    {
        if (_classifier is null)
        {
            return;
        }

        if (now >= (_classifier.NextTimeout ?? TimeSpan.MaxValue))
        {
            _classifier.HandleTimeout(now);
        }

        while (true)
        {
            byte[] buffer = _transmits.Rent();
            if (!_classifier.PollTransmit(out ProbeSocket socket, out TransportAddress destination, buffer, out int length))
            {
                _transmits.Return(buffer);
                break;
            }

            _transmits.Enqueue(destination, default, socket == ProbeSocket.Filtering ? NodeSocketKind.Probe : NodeSocketKind.Main, buffer, length);
        }

        if (_classifier.IsComplete)
        {
            Nat = _classifier.Behavior;
            _classifier = null;
            _events.Enqueue(new NatClassified(Nat));
            AnnounceNat();
        }
    }

    private void AnnounceNat()
    {
        NatDescription? nat = DescribeNat();
        foreach (SignallingSession session in _sessions)
        {
            if (session.State == SignallingState.Registered)
            {
                _signals.Enqueue((session.Index, new UpdateMessage { Nat = nat }));
            }
        }

        TellPeers([], nat);
    }

    private NatDescription? DescribeNat() => KnownNat is not { } nat ? null : new NatDescription
    {
        Mapping = MappingText(nat.Mapping),
        Filtering = FilteringText(nat.Filtering),
        Evidence = nat.Evidence.Length <= MaxEvidenceLength ? nat.Evidence : nat.Evidence[..MaxEvidenceLength],
    };

    private CallFailed ExplainPunchFailure(NodeCall call, TimeSpan now)
    {
        NatDescription? peer = call.PeerNat;
        string evidence = peer?.Evidence is { Length: <= MaxEvidenceLength } words ? new string([.. words.Where(c => !char.IsControl(c))]) : string.Empty;
        var verdict = new PunchVerdict(
            KnownNat,
            ReadMapping(peer?.Mapping),
            ReadFiltering(peer?.Filtering),
            evidence,
            call.Agent.Pairs.Count,
            call.Agent.ChecksSent,
            call.Agent.RequestsReceived,
            call.Agent.AnswersReceived);
        return new CallFailed(call.Handle, GimletErrorKind.PunchFailed, verdict.Message(call.Agent.Remote, _options.Traversal.PunchDeadline), verdict.Hint)
        {
            Verdict = verdict.ToRelayVerdict(),
            Checks = [.. call.Agent.DescribePairs()],
            LeavesRelay = RelaysAt(call.Session),
            Elapsed = now - call.StartedAt,
            Nats = (KnownNat is null ? null : $"{MappingText(KnownNat.Mapping)}/{FilteringText(KnownNat.Filtering)}", peer is null ? null : $"{peer.Mapping}/{peer.Filtering}"),
        };
    }

    private static string MappingText(MappingBehavior mapping) => mapping switch
    {
        MappingBehavior.EndpointIndependent => "endpoint-independent",
        MappingBehavior.AddressDependent => "address-dependent",
        MappingBehavior.AddressAndPortDependent => "address-and-port-dependent",
        _ => "unknown",
    };

    private static string FilteringText(FilteringBehavior filtering) => MappingText((MappingBehavior)filtering);

    private static MappingBehavior ReadMapping(string? text) => text switch
    {
        "endpoint-independent" => MappingBehavior.EndpointIndependent,
        "address-dependent" => MappingBehavior.AddressDependent,
        "address-and-port-dependent" => MappingBehavior.AddressAndPortDependent,
        _ => MappingBehavior.Unknown,
    };

    private static FilteringBehavior ReadFiltering(string? text) => (FilteringBehavior)ReadMapping(text);
}
