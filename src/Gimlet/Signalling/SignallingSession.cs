using Gimlet.Identity;

namespace Gimlet.Signalling;

/// <summary>
/// This node's side of the signalling with one server, from the opened WebSocket to its end: answers the challenge, registers,
/// keeps alive. Sans-IO; calls and candidates are the owner's business and pass through.
/// </summary>
/// <param name="index">Which of the node's servers; 0 is the home server.</param>
/// <param name="identity">The key that registers.</param>
/// <param name="token">The server's access token, if it asks for one.</param>
/// <param name="owner">Supplies what is registered, takes what arrives.</param>
internal sealed class SignallingSession(int index, NodeIdentity identity, string? token, ISignallingOwner owner)
{
    // Until the server says otherwise: its own default.
    private static readonly TimeSpan DefaultKeepAlive = TimeSpan.FromSeconds(15);

    // Two unanswered pings: one may be in a queue behind something large.
    private const int SilentKeepAlives = 3;

    // The server's own bound on a registration.
    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(10);

    private string _authority = string.Empty;
    private TimeSpan _keepAlive = DefaultKeepAlive;
    private TimeSpan _openedAt;
    private TimeSpan _lastHeard;
    private TimeSpan _lastPing;
    private long _pingId;

    public int Index { get; } = index;

    /// <summary>A server that the application named: it stays, and serves all calls. The others stay while a peer of a ticket needs them, and serve its calls.</summary>
    public bool IsConfigured { get; init; } = true;

    /// <summary>For whose sake the node speaks with a server that a ticket named.</summary>
    public HashSet<PeerId> Peers { get; } = [];

    /// <summary>Another session of this node was about to register with the same server: that this one is replaced may be its doing.</summary>
    public bool MayBeReplacedByOwn { get; set; }

    /// <summary>When the server was last told of other candidates.</summary>
    public TimeSpan? UpdatedAt { get; set; }

    public SignallingState State { get; private set; } = SignallingState.Down;

    /// <summary>The process of the server behind the present WebSocket; null where it does not say.</summary>
    public byte[]? ServerInstance { get; private set; }

    /// <summary>Limits that the server announced; null before registration.</summary>
    public LimitsDescription? Limits { get; private set; }

    /// <summary>The last fatal error that the server named, for the message of an exception.</summary>
    public ErrorMessage? LastError { get; private set; }

    public TimeSpan NextTimeout => State switch
    {
        SignallingState.Down => TimeSpan.MaxValue,
        SignallingState.Registered => Earlier(Later(_lastHeard, _lastPing) + _keepAlive, _lastHeard + (_keepAlive * SilentKeepAlives)),
        _ => _openedAt + RegistrationTimeout,
    };

    /// <summary>Calls to that peer may go here: a stranger's server has no business with others.</summary>
    public bool Serves(PeerId peer) => IsConfigured || Peers.Contains(peer);

    /// <summary>The WebSocket is open.</summary>
    /// <param name="authority">The host and port that were dialled, as <see cref="Statement.Authority"/> writes them.</param>
    /// <param name="now">The time.</param>
    public void Opened(string authority, TimeSpan now)
    {
        _authority = authority;
        _openedAt = now;
        _lastHeard = now;
        _lastPing = now;
        LastError = null;
        State = SignallingState.AwaitingChallenge;
    }

    /// <summary>The WebSocket is gone.</summary>
    public void Closed() => State = SignallingState.Down;

    public void Handle(ReadOnlySpan<byte> text, TimeSpan now)
    {
        if (State == SignallingState.Down)
        {
            return;
        }

        _lastHeard = now;
        if (!SignalCodec.TryRead(text, out SignalMessage? message, out string? problem))
        {
            owner.SignalIgnored(this, problem);
            return;
        }

        switch (message)
        {
            case ChallengeMessage { Nonce.Length: SignalProtocol.NonceLength } challenge when State == SignallingState.AwaitingChallenge:
                ServerInstance = challenge.Server is { Length: SignalProtocol.ServerInstanceLength } instance ? instance : null;
                if (owner.IsDuplicate(this))
                {
                    break;
                }

                State = SignallingState.AwaitingRegistered;
                byte[] statement = Statement.Registration(_authority, challenge.Nonce, identity.PublicKey.Span);
                RegisterMessage register = owner.DescribeRegistration();
                owner.Send(this, register with { PublicKey = identity.PublicKey.ToArray(), Signature = identity.Sign(statement), Token = token });
                owner.ChallengeReceived(this, challenge, now);
                break;

            case RegisteredMessage registered when State == SignallingState.AwaitingRegistered:
                State = SignallingState.Registered;
                Limits = registered.Limits;
                _keepAlive = registered.KeepAliveMs is > 0 and < 600_000 ? TimeSpan.FromMilliseconds(registered.KeepAliveMs) : DefaultKeepAlive;
                owner.Registered(this, registered, now);
                break;

            case PingMessage ping:
                owner.Send(this, new PongMessage { Id = ping.Id });
                break;

            case PongMessage:
                break;

            case ErrorMessage error:
                LastError = error;
                owner.ErrorReceived(this, error);
                break;

            default:
                if (State == SignallingState.Registered)
                {
                    owner.MessageReceived(this, message, now);
                }

                break;
        }
    }

    /// <summary>Pings a silent server, and gives it up when it stays silent.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (State == SignallingState.Down || now < NextTimeout)
        {
            return;
        }

        if (State != SignallingState.Registered)
        {
            GiveUp("the server did not complete the registration in time");
            return;
        }

        if (now - _lastHeard >= _keepAlive * SilentKeepAlives)
        {
            GiveUp("the server has gone silent");
            return;
        }

        _lastPing = now;
        owner.Send(this, new PingMessage { Id = ++_pingId });
    }

    /// <summary>The WebSocket is of no use any more.</summary>
    public void GiveUp(string reason)
    {
        // Down already, although the WebSocket is still to be closed: a timer that stays due would fire without end until then.
        State = SignallingState.Down;
        owner.GaveUp(this, reason);
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>Where a signalling session stands.</summary>
internal enum SignallingState
{
    /// <summary>No WebSocket.</summary>
    Down,

    /// <summary>Open; the server speaks first.</summary>
    AwaitingChallenge,

    /// <summary>The registration is on its way.</summary>
    AwaitingRegistered,

    /// <summary>The server knows us.</summary>
    Registered,
}

/// <summary>What a session needs of its node. Called from within <see cref="SignallingSession.Handle"/> and <see cref="SignallingSession.HandleTimeout"/> only.</summary>
internal interface ISignallingOwner
{
    /// <summary>The registration without key, signature and token, which the session adds.</summary>
    RegisterMessage DescribeRegistration();

    /// <summary>Queues a message for the server.</summary>
    void Send(SignallingSession session, SignalMessage message);

    /// <summary>
    /// Another session of this node is with the same server process: a registration would replace it, and the server takes the two for two processes with one key. Then
    /// the owner gives this one up, or ends it.
    /// </summary>
    bool IsDuplicate(SignallingSession session);

    /// <summary>The server has named its STUN addresses.</summary>
    void ChallengeReceived(SignallingSession session, ChallengeMessage challenge, TimeSpan now);

    /// <summary>The registration stands.</summary>
    void Registered(SignallingSession session, RegisteredMessage registered, TimeSpan now);

    /// <summary>A message about calls.</summary>
    void MessageReceived(SignallingSession session, SignalMessage message, TimeSpan now);

    /// <summary>The server named an error; a close may follow.</summary>
    void ErrorReceived(SignallingSession session, ErrorMessage error);

    /// <summary>A frame that is not a message; the session goes on.</summary>
    void SignalIgnored(SignallingSession session, string problem);

    /// <summary>The session is of no use any more; the host should close the WebSocket.</summary>
    void GaveUp(SignallingSession session, string reason);
}
