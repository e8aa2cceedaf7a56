using Gimlet.Sockets;

namespace Gimlet.Worker.Session;

/// <summary>How a <see cref="WorkerSession"/> behaves.</summary>
internal sealed record WorkerSessionOptions
{
    /// <summary>The worker's name.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The rendezvous, for news.</summary>
    public required Uri Rendezvous { get; init; }

    /// <summary>What the proof is made out to: the host and port that were dialled.</summary>
    public required string Authority { get; init; }

    /// <summary>The key.</summary>
    public required NodeIdentity Identity { get; init; }

    /// <summary>Proves the peer id.</summary>
    public bool Proves { get; init; } = true;

    /// <summary>Whom it connects to; empty for everyone.</summary>
    public IReadOnlyList<PeerId> Allowed { get; init; } = [];

    /// <summary>Only to proven peers.</summary>
    public bool RequiresProof { get; init; }

    /// <summary>How long an offered peer may take.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// What a worker says to its rendezvous, and whom it connects to (docs/workers.md, "The worker"). It has no socket, no clock and no task: it is told what happens
/// with the time, and after each call <see cref="Poll"/> is drained; <see cref="HandleTimeout"/> is due at <see cref="NextTimeout"/>. Not thread-safe.
/// </summary>
internal sealed partial class WorkerSession(WorkerSessionOptions options)
{
    // A rendezvous that knows proofs answers in a round trip; one that does not never does.
    private static readonly TimeSpan ProofTimeout = TimeSpan.FromSeconds(2);

    private readonly Queue<WorkerAction> _actions = new();
    private LinkState _link;
    private ProofStep _proof;
    private TimeSpan _proofDeadline;
    private TransportAddress _endpoint;
    private string? _seenAddress;

    private enum LinkState
    {
        Down,

        /// <summary>The proof is under way, and its time is not over.</summary>
        Proving,

        /// <summary>Not proven, and no unproven offer is wanted: nobody is offered this worker. A late proof still registers it.</summary>
        Unproven,
        Registered,
    }

    // How far the proof of this link is. It outlives its time: a rendezvous that starts slowly is answered when it answers.
    private enum ProofStep
    {
        /// <summary>Nothing was asked for, or all is said: one proof per link.</summary>
        None,
        Asked,
        Signed,
    }

    private bool WantsProvenOnly => options.RequiresProof || options.Allowed.Count > 0;

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = _link == LinkState.Proving ? _proofDeadline : TimeSpan.MaxValue;
            TimeSpan pairing = NextPairingTimeout;
            return next < pairing ? next : pairing;
        }
    }

    /// <summary>Takes the next thing to do.</summary>
    public bool Poll(out WorkerAction? action) => _actions.TryDequeue(out action);

    /// <summary>The WebSocket is open.</summary>
    public void HandleLinkOpened(TimeSpan now)
    {
        _link = LinkState.Proving;
        _proof = ProofStep.None;

        // A worker that comes back without resume_pairing is unpaired: there is nothing left to end.
        _endAt = TimeSpan.MaxValue;
        if (_seenAddress is not null)
        {
            Send(WorkerMessages.RegisterPublicIp(_seenAddress));
        }

        if (options.Proves)
        {
            _proof = ProofStep.Asked;
            _proofDeadline = now + ProofTimeout;
            Send(WorkerMessages.AskForChallenge());
        }
        else
        {
            Register(null);
        }
    }

    /// <summary>The WebSocket has ended. Peers and attempts to reach them live on.</summary>
    public void HandleLinkClosed()
    {
        _link = LinkState.Down;
        _proof = ProofStep.None;
    }

    /// <summary>A text frame of the rendezvous.</summary>
    public void HandleMessage(ReadOnlyMemory<byte> frame, TimeSpan now)
    {
        switch (WorkerMessages.Read(frame))
        {
            case ProofChallenge challenge when _proof == ProofStep.Asked:
                _proof = ProofStep.Signed;
                _proofDeadline = now + ProofTimeout;
                byte[] statement = Identity.Statement.Worker(options.Authority, options.WorkerId, challenge.Nonce, options.Identity.PublicKey.Span);
                Send(WorkerMessages.ProvePeerId(options.Identity.PublicKey.Span, options.Identity.Sign(statement)));
                break;
            case ProofVerdict verdict when _proof == ProofStep.Signed:
                _proof = ProofStep.None;
                HandleVerdict(verdict);
                break;
            case EndpointAck { IsSuccess: false } ack:
                Tell(GimletErrorKind.RendezvousRejected, $"The rendezvous does not take this worker's address {_endpoint}: {ack.Detail}.", null);
                break;
            case Offer offer:
                HandleOffer(offer, now);
                break;
            case MalformedOffer malformed:
                HandleMalformedOffer(malformed, now);
                break;
            default:
                break;
        }
    }

    /// <summary>The address at which peers can reach this worker.</summary>
    public void SetEndpoint(TransportAddress endpoint)
    {
        if (endpoint == _endpoint)
        {
            return;
        }

        _endpoint = endpoint;
        if (_link == LinkState.Registered)
        {
            ReportEndpoint();
        }
    }

    /// <summary>The address under which HTTP servers see this worker.</summary>
    public void SetSeenAddress(string address)
    {
        if (address != _seenAddress)
        {
            _seenAddress = address;
            if (_link != LinkState.Down)
            {
                Send(WorkerMessages.RegisterPublicIp(address));
            }
        }
    }

    /// <summary>The time has come.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (_link == LinkState.Proving && now >= _proofDeadline)
        {
            if (WantsProvenOnly)
            {
                Tell(
                    GimletErrorKind.Unsupported,
                    "The rendezvous has not answered the proof of this worker's peer id, so it offers no proven peer, and this worker wants no other.",
                    "Use a Gimlet server with --workers.");
            }

            RegisterUnproven();
        }

        HandlePairingTimeout(now);
    }

    private void HandleVerdict(ProofVerdict verdict)
    {
        if (verdict.IsSuccess)
        {
            // Again where this link is registered without it: what is said then changes nothing but the offers to come.
            Register(options.Identity.Id);
            return;
        }

        Tell(GimletErrorKind.RendezvousRejected, $"The rendezvous does not believe this worker's peer id: {verdict.Detail}.", "Use the rendezvous under a name that it knows itself by.");
        if (_link == LinkState.Proving)
        {
            RegisterUnproven();
        }
    }

    private void RegisterUnproven()
    {
        if (WantsProvenOnly)
        {
            // Who reports an address is offered to others, by that address only, and each such offer would be refused here.
            _link = LinkState.Unproven;
        }
        else
        {
            Register(null);
        }
    }

    private void Register(PeerId? proven)
    {
        _link = LinkState.Registered;
        _actions.Enqueue(new TellNews(new WorkerRegistered(options.WorkerId, options.Rendezvous, proven)));
        if (PairedWith is { } peer)
        {
            Send(WorkerMessages.ResumePairing(peer));
        }

        ReportEndpoint();
    }

    private void ReportEndpoint()
    {
        if (!_endpoint.IsEmpty)
        {
            Send(WorkerMessages.UpdateUdpEndpoint(_endpoint));
        }
    }

    private void Send(byte[] frame) => _actions.Enqueue(new SendMessage(frame));

    private void Tell(GimletErrorKind kind, string message, string? hint) => _actions.Enqueue(new TellNews(new WorkerTrouble(new GimletException(kind, message, hint))));
}
