namespace Gimlet.Worker.Session;

/// <content>One peer at a time: offers, attempts, the connection, and its end.</content>
internal sealed partial class WorkerSession
{
    // A peer that is not registered with its server yet is there a moment later.
    private static readonly TimeSpan RedialPause = TimeSpan.FromMilliseconds(300);

    // A pairing that fails at once is offered again at once where there is nobody else: the pause before this worker says so grows to this.
    private static readonly TimeSpan MaxFailurePause = TimeSpan.FromSeconds(10);

    // A peer's dial may overtake the offer that announces it.
    private readonly ParkedConnections _parked = new();
    private Pairing? _pairing;
    private Offer? _next;
    private TimeSpan _endAt = TimeSpan.MaxValue;
    private int _attempts;
    private int _failures;
    private bool _isNodeReady;
    private bool _isOver;

    // Of the peer after which there is no other.
    private int _lastConnection;

    private enum Phase
    {
        /// <summary>The node is not there yet.</summary>
        WaitingForNode,

        /// <summary>A dial is under way.</summary>
        Dialling,

        /// <summary>A dial has failed and is about to be tried again.</summary>
        BetweenDials,

        /// <summary>The peer, which has the smaller id, dials.</summary>
        Accepting,

        /// <summary>Connected.</summary>
        Connected,

        /// <summary>Connected, and the same worker is offered again: the host finds out whether this one still lives.</summary>
        Probing,
    }

    private string? PairedWith => _pairing?.Offer.WorkerId;

    private TimeSpan NextPairingTimeout
    {
        get
        {
            TimeSpan next = _endAt;
            if (_pairing is { IsConnected: false, Phase: not Phase.WaitingForNode } attempt)
            {
                next = Min(next, attempt.Phase == Phase.BetweenDials ? Min(attempt.Deadline, attempt.RedialAt) : attempt.Deadline);
            }

            return Min(next, _parked.NextTimeout);
        }
    }

    /// <summary>The node can dial.</summary>
    public void HandleNodeReady(TimeSpan now)
    {
        _isNodeReady = true;
        if (_pairing is { Phase: Phase.WaitingForNode } waiting)
        {
            Start(waiting, now);
        }
    }

    /// <summary>The application has this connection: the pairing has done what it is for, however soon the connection ends.</summary>
    public void HandleHandedOver(int connection)
    {
        if (_pairing is { IsConnected: true } current && current.Connection == connection)
        {
            current.IsHandedOver = true;
            _failures = 0;
        }
    }

    /// <summary>The peer of this connection is the last that is wanted.</summary>
    public void HandleLastPeer(int connection)
    {
        if (_pairing is { IsConnected: true } current && current.Connection == connection)
        {
            _lastConnection = connection;
        }
        else
        {
            // It has ended in this very moment.
            _isOver = true;
            _actions.Enqueue(new LeaveRendezvous());
        }
    }

    /// <summary>A peer has connected by its id.</summary>
    public void HandleAccepted(int connection, PeerId peer, TimeSpan now)
    {
        if (_isOver)
        {
            Close(connection, "this worker is about to end");
            return;
        }

        if (_pairing is { IsConnected: false, Phase: not Phase.WaitingForNode } attempt && attempt.Offer.PeerId == peer)
        {
            Adopt(attempt, connection, now);
            return;
        }

        if (_pairing is { Phase: Phase.Connected } current && current.Offer.PeerId != peer)
        {
            Close(connection, "this worker is connected to another one");
            return;
        }

        if (_parked.Park(connection, peer, now + options.PeerTimeout) is { } gone)
        {
            Close(gone, "another connection takes its place");
        }
    }

    /// <summary>A dial has brought a connection.</summary>
    public void HandleDialled(int attempt, int connection, TimeSpan now)
    {
        if (_pairing is { Phase: Phase.Dialling } current && current.Attempt == attempt)
        {
            Adopt(current, connection, now);
        }
        else
        {
            Close(connection, "nobody waits for it any more");
        }
    }

    /// <summary>A dial has failed.</summary>
    public void HandleDialFailed(int attempt, GimletException error, TimeSpan now)
    {
        if (_pairing is not { Phase: Phase.Dialling } current || current.Attempt != attempt)
        {
            return;
        }

        current.LastError = error;
        bool mayComeYet = error.Kind is GimletErrorKind.PeerOffline or GimletErrorKind.ServerUnreachable or GimletErrorKind.TimedOut or GimletErrorKind.Transport;
        if (current.Offer.PeerId is not null && mayComeYet && now + RedialPause < current.Deadline)
        {
            current.Phase = Phase.BetweenDials;
            current.RedialAt = now + RedialPause;
        }
        else
        {
            Fail(error.Kind, $"Worker '{current.Offer.WorkerId}' could not be reached: {error.Message}", error.Hint, now);
        }
    }

    /// <summary>A connection has ended.</summary>
    public void HandleConnectionClosed(int connection, TimeSpan now)
    {
        if (_pairing is not { IsConnected: true } current || current.Connection != connection)
        {
            _parked.Remove(connection);
            return;
        }

        _pairing = null;
        if (connection == _lastConnection)
        {
            _next = null;
            _isOver = true;
            _actions.Enqueue(new LeaveRendezvous());
            return;
        }

        if (_next is { } next)
        {
            _next = null;
            Begin(next, now);
            return;
        }

        if (!current.IsHandedOver)
        {
            // It went, or was refused, before it was of use to anybody.
            _failures++;
        }

        EndPairing(now);
    }

    /// <summary>Whether the other end of a connection answers is known.</summary>
    public void HandleProbed(int connection, bool isAlive, TimeSpan now)
    {
        if (_pairing is not { Phase: Phase.Probing } current || current.Connection != connection)
        {
            return;
        }

        Offer next = _next!;
        _next = null;
        if (isAlive)
        {
            current.Phase = Phase.Connected;
            Resume(current);
        }
        else
        {
            Close(connection, "the peer has started again");
            _pairing = null;
            Begin(next, now);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void HandleOffer(Offer offer, TimeSpan now)
    {
        if (_isOver)
        {
            return;
        }

        if (_pairing is { IsConnected: true } current)
        {
            if (current.Offer.WorkerId != offer.WorkerId)
            {
                Resume(current);
            }
            else if (current.Connection == _lastConnection)
            {
                Resume(current);
            }
            else
            {
                // Its process may be another one, or the rendezvous has forgotten the two: the connection itself knows.
                _next = offer;
                if (current.Phase == Phase.Connected)
                {
                    current.Phase = Phase.Probing;
                    _actions.Enqueue(new ProbeConnection(current.Connection));
                }
            }

            return;
        }

        // The newest offer is the one that the rendezvous believes in.
        Abandon();
        _endAt = TimeSpan.MaxValue;
        Begin(offer, now);
    }

    private void HandleMalformedOffer(MalformedOffer malformed, TimeSpan now)
    {
        if (_pairing is { IsConnected: true } current)
        {
            Resume(current);
            return;
        }

        Abandon();
        Fail(GimletErrorKind.Unsupported, $"The rendezvous offers what cannot be connected to: {malformed.Detail}.", null, now);
    }

    private void Begin(Offer offer, TimeSpan now)
    {
        _actions.Enqueue(new TellNews(new WorkerOffered(offer.WorkerId, offer.PeerId)));
        if (Refusal(offer) is { } refusal)
        {
            Fail(GimletErrorKind.Refused, refusal, null, now);
            return;
        }

        _pairing = new Pairing(offer, ++_attempts);
        if (_isNodeReady)
        {
            Start(_pairing, now);
        }
    }

    private string? Refusal(Offer offer) => offer.PeerId switch
    {
        { } self when self == options.Identity.Id => $"Worker '{offer.WorkerId}' has this worker's own key; each worker needs one of its own.",
        null when options.RequiresProof || options.Allowed.Count > 0 =>
            $"Worker '{offer.WorkerId}' has not proven its peer id to the rendezvous, and this worker connects to proven peers only.",
        { } peer when options.Allowed.Count > 0 && !options.Allowed.Contains(peer) => $"Worker '{offer.WorkerId}' is {peer}, which is not allowed here.",
        _ => null,
    };

    private void Start(Pairing pairing, TimeSpan now)
    {
        pairing.Deadline = now + options.PeerTimeout;
        if (pairing.Offer.PeerId is not { } peer)
        {
            pairing.Phase = Phase.Dialling;
            _actions.Enqueue(new DialAddress(pairing.Attempt, pairing.Offer.Address));
            return;
        }

        if (_parked.Take(peer) is { } early)
        {
            Adopt(pairing, early, now);
        }
        else if (options.Identity.Id < peer)
        {
            pairing.Phase = Phase.Dialling;
            _actions.Enqueue(new DialPeer(pairing.Attempt, peer));
        }
        else
        {
            pairing.Phase = Phase.Accepting;
        }
    }

    private void Adopt(Pairing pairing, int connection, TimeSpan now)
    {
        CancelDialOf(pairing);
        pairing.Phase = Phase.Connected;
        pairing.Connection = connection;
        _actions.Enqueue(new AdoptConnection(connection, pairing.Offer.WorkerId, pairing.Offer.PeerId));
    }

    private void HandlePairingTimeout(TimeSpan now)
    {
        if (_pairing is { IsConnected: false, Phase: not Phase.WaitingForNode } attempt)
        {
            if (now >= attempt.Deadline)
            {
                Abandon();
                string why = attempt.LastError is { } error ? $" ({error.Message})" : string.Empty;
                Fail(GimletErrorKind.TimedOut, $"Worker '{attempt.Offer.WorkerId}' did not connect within {options.PeerTimeout.TotalSeconds:0.#} s{why}.", null, now);
            }
            else if (attempt.Phase == Phase.BetweenDials && now >= attempt.RedialAt)
            {
                attempt.Phase = Phase.Dialling;
                attempt.Attempt = ++_attempts;
                _actions.Enqueue(new DialPeer(attempt.Attempt, attempt.Offer.PeerId!.Value));
            }
        }

        while (_parked.TakeExpired(now) is { } late)
        {
            Close(late, "nobody offered it");
        }

        if (now >= _endAt)
        {
            _endAt = TimeSpan.MaxValue;
            if (_link == LinkState.Registered)
            {
                Send(WorkerMessages.EndPairing());
            }
        }
    }

    // The attempt is over, without a word to the rendezvous.
    private void Abandon()
    {
        if (_pairing is { } pairing)
        {
            CancelDialOf(pairing);
            _pairing = null;
        }
    }

    private void CancelDialOf(Pairing pairing)
    {
        if (pairing.Phase == Phase.Dialling)
        {
            _actions.Enqueue(new CancelDial(pairing.Attempt));
        }
    }

    private void Fail(GimletErrorKind kind, string message, string? hint, TimeSpan now)
    {
        _pairing = null;
        _failures++;
        Tell(kind, message, hint);
        EndPairing(now);
    }

    // At once after a connection that was one; later and later where pairings fail one after the other.
    private void EndPairing(TimeSpan now)
    {
        double seconds = _failures <= 1 ? 0 : Math.Min(MaxFailurePause.TotalSeconds, Math.Pow(2, Math.Min(_failures - 2, 10)));
        _endAt = now + TimeSpan.FromSeconds(seconds);
        if (seconds == 0)
        {
            HandlePairingTimeout(now);
        }
    }

    private void Resume(Pairing current)
    {
        if (_link == LinkState.Registered)
        {
            Send(WorkerMessages.ResumePairing(current.Offer.WorkerId));
        }
    }

    private void Close(int connection, string reason) => _actions.Enqueue(new CloseConnection(connection, reason));

    private sealed class Pairing(Offer offer, int attempt)
    {
        public Offer Offer { get; } = offer;

        public int Attempt { get; set; } = attempt;

        public Phase Phase { get; set; }

        public TimeSpan Deadline { get; set; }

        public TimeSpan RedialAt { get; set; }

        public GimletException? LastError { get; set; }

        public int Connection { get; set; }

        public bool IsHandedOver { get; set; }

        public bool IsConnected => Phase is Phase.Connected or Phase.Probing;
    }
}
