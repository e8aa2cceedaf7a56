using System.Collections.Concurrent;
using Gimlet.Server.Observability;
using Gimlet.Server.Relay;
using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// The rendezvous without sockets, tasks, timers or a clock: sessions and text frames go in, text frames and closes come out through each
/// session's <see cref="ISessionOutput"/>. <c>now</c> is a time since any fixed origin, and never runs backwards by more than a moment.
/// <para>
/// Order per session: <see cref="Connect"/> once, <see cref="Handle"/> as frames come, never two at the same time,
/// <see cref="Disconnected"/> once, last. Different sessions may be handled on different threads at once; there is no lock that all
/// introductions share. <see cref="Tick"/> is called from one thread at a time, about every second: its period is the precision of
/// all timeouts. Driven from one thread with seeded nonces, the core repeats itself exactly.
/// </para>
/// </summary>
internal sealed class RendezvousCore
{
    private readonly RendezvousOptions _options;
    private readonly AddressCensus _census;
    private readonly Registrar _registrar;
    private readonly Switchboard _switchboard;
    private readonly RelayCore _relay;
    private readonly ConcurrentDictionary<long, RendezvousSession> _sessions = new();
    private readonly byte[] _instance = new byte[SignalProtocol.ServerInstanceLength];
    private long _numbers;
    private long _pings;
    private volatile bool _closing;

    public RendezvousCore(RendezvousOptions options)
    {
        _options = options;
        options.Nonces(_instance);
        _census = new AddressCensus(options.Limits);
        var filter = new CandidateFilter(options.Observations);
        _registrar = new Registrar(options, _census, filter);
        _switchboard = new Switchboard(options, filter, _registrar.Find);
        _relay = new RelayCore(options, _registrar.Find);
    }

    /// <summary>WebSockets, registered or not.</summary>
    public int SessionCount => _sessions.Count;

    /// <summary>Registered nodes.</summary>
    public int NodeCount => _census.Registered;

    /// <summary>Calls that are not over.</summary>
    public int CallCount => _switchboard.Count;

    /// <summary>A new WebSocket. The challenge is queued, or the refusal and the close, before this returns.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="info">Who it is.</param>
    /// <returns>The session; it <see cref="RendezvousSession.IsClosed"/> when it was refused. Either way <see cref="Disconnected"/> is owed for it.</returns>
    public RendezvousSession Connect(ISessionOutput output, ConnectionInfo info)
    {
        var session = new RendezvousSession(Interlocked.Increment(ref _numbers), output, info, _options)
        {
            Relay = _options.Relays ? new RelaySession(_options.Limits, _relay.Memory, _options.Metrics, info.Now) : null,
        };
        string? full = _census.TryEnter(session.Group);
        session.HasPlace = full is null;

        // In the table before the look at _closing: CloseAll finds this session, or this session finds out.
        _sessions[session.Number] = session;
        _options.Metrics.SessionOpened();
        ServerLog.Connected(_options.Logger, session.Number, info.Remote, info.Authority);
        if (_closing)
        {
            Refuse(session, ErrorCode.ShuttingDown, "this server is shutting down", info.Now);
        }
        else if (full is not null)
        {
            Refuse(session, full, "too many connections that have not registered", info.Now);
        }
        else if (!_options.Names.Serves(info.Authority))
        {
            Refuse(session, ErrorCode.WrongHost, $"this server does not answer for '{info.Authority}'; {_options.Names.Remedy}", info.Now);
        }
        else
        {
            byte[] nonce = new byte[SignalProtocol.NonceLength];
            _options.Nonces(nonce);
            session.Nonce = nonce;
            _ = session.Send(new ChallengeMessage { Nonce = nonce, Stun = [.. _options.Stun], Observed = info.Remote.ToString(), Server = _instance });
        }

        return session;
    }

    /// <summary>A text frame. Never throws for anything a node can send.</summary>
    /// <param name="session">The session it came on.</param>
    /// <param name="textFrame">The whole message.</param>
    /// <param name="now">The time.</param>
    public void Handle(RendezvousSession session, ReadOnlySpan<byte> textFrame, TimeSpan now)
    {
        if (!Arrived(session, textFrame.Length, now))
        {
            return;
        }

        if (!SignalCodec.TryRead(textFrame, out SignalMessage? message, out string? problem))
        {
            Complain(session, ErrorCode.BadMessage, problem);
            return;
        }

        if (session.Node is { } node)
        {
            HandleRegistered(session, node, message, now);
        }
        else
        {
            HandleStranger(session, message, now);
        }
    }

    /// <summary>
    /// A binary frame: relayed datagrams. It counts as a sign of life and against the relay's own limits, not as a message. Where this server does not
    /// relay, or the node has not registered, it is dropped and the session is told once.
    /// </summary>
    /// <param name="session">The session it came on.</param>
    /// <param name="buffer">A buffer of <see cref="RelayBuffers"/> with the frame at its beginning.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="now">The time.</param>
    /// <returns>True when the buffer went on with the frame; false when it is still the caller's.</returns>
    public bool HandleBinary(RendezvousSession session, byte[] buffer, int length, TimeSpan now)
    {
        if (session is { Relay: { } relay, Node: { } node })
        {
            if (session.IsClosed)
            {
                return false;
            }

            session.Heard(now);
            return _relay.Handle(session, relay, node.Id, buffer, length, now);
        }

        if (!Arrived(session, length, now))
        {
            return false;
        }

        _options.Metrics.Dropped(DropKind.BinaryFrame);
        if (!session.ToldAboutBinary)
        {
            session.ToldAboutBinary = true;
            Complain(
                session,
                ErrorCode.BadMessage,
                session.Relay is null ? "binary frames are relayed datagrams, and this server does not relay; they are dropped" : "register first");
        }

        return false;
    }

    /// <summary>The host saw a message that is longer than it reads: the session ends.</summary>
    public void HandleTooLarge(RendezvousSession session, TimeSpan now) => Refuse(
        session,
        ErrorCode.MessageTooLarge,
        session.Relay is null
            ? $"a message has at most {_options.Limits.MessageBytes} bytes"
            : $"a message has at most {_options.Limits.MessageBytes} bytes, a binary frame {RelayFrame.MaxLength}",
        now);

    /// <summary>The WebSocket is gone, whoever ended it. Nothing of the session is touched afterwards.</summary>
    public void Disconnected(RendezvousSession session, TimeSpan now)
    {
        session.MarkGone();
        Release(session, now);
        session.Relay?.Close();
        if (_sessions.TryRemove(session.Number, out _))
        {
            _options.Metrics.SessionClosed();
            ServerLog.Left(_options.Logger, session.Number, session.Node?.Id ?? default, session.Remote);
        }
    }

    /// <summary>Timeouts, pings and the ends of calls.</summary>
    public void Tick(TimeSpan now)
    {
        RendezvousTimers timers = _options.Timers;
        List<RendezvousSession>? due = null;
        foreach ((_, RendezvousSession session) in _sessions)
        {
            if (session.Relay is { } relay)
            {
                RelayCore.Tell(session, relay, now);
            }

            bool late = session.Node is null ? now - session.ConnectedAt >= timers.RegistrationTimeout : now - session.HeardAt >= timers.PingAfter;
            if (late && !session.IsClosed)
            {
                (due ??= []).Add(session);
            }
        }

        // A dictionary has no order of its own; a simulation needs one.
        due?.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        foreach (RendezvousSession session in due ?? [])
        {
            if (session.Node is not { } node)
            {
                Refuse(session, ErrorCode.RegistrationTimeout, $"no registration within {timers.RegistrationTimeout.TotalSeconds:0.#} s", now);
            }
            else if (now - session.HeardAt >= timers.DropAfter)
            {
                _options.Metrics.Dropped(DropKind.SilentSession);
                ServerLog.SilentSession(_options.Logger, session.Number, node.Id, session.Remote, now - session.HeardAt);
                Refuse(session, ErrorCode.KeepAliveTimeout, $"nothing was heard for {timers.DropAfter.TotalSeconds:0.#} s", now);
            }
            else if (session.TakePing(now))
            {
                _ = session.Send(new PingMessage { Id = ++_pings });
            }
        }

        _switchboard.Tick(now);
    }

    /// <summary>Ends the sessions of nodes that a changed list no longer names.</summary>
    public void Reauthorise(TimeSpan now)
    {
        foreach (RendezvousSession session in InOrder())
        {
            if (session.Node is { } node && !_options.Access.StillWelcome(node.Id))
            {
                Refuse(session, ErrorCode.Unauthorised, "this peer id was taken off the server's list", now);
            }
        }
    }

    /// <summary>Tells every node why, and closes; who connects from now on is refused the same way.</summary>
    /// <param name="errorCode">An error code, such as <see cref="ErrorCode.ShuttingDown"/>.</param>
    /// <param name="now">The time.</param>
    public void CloseAll(string errorCode, TimeSpan now)
    {
        _closing = true;
        foreach (RendezvousSession session in InOrder())
        {
            Refuse(session, errorCode, "this server is shutting down; come back in a moment", now);
        }
    }

    private void HandleStranger(RendezvousSession session, SignalMessage message, TimeSpan now)
    {
        switch (message)
        {
            case RegisterMessage register:
                if (_registrar.Register(session, register, now, out RendezvousSession? older) is { } refusal)
                {
                    if (refusal.Code == ErrorCode.BadMessage)
                    {
                        Complain(session, refusal.Code, refusal.Detail);
                    }
                    else
                    {
                        Refuse(session, refusal.Code, refusal.Detail, now);
                    }
                }
                else if (older is not null)
                {
                    ServerLog.Replaced(_options.Logger, older.Number, session.Node!.Id, session.Number, session.Remote);
                    Refuse(older, ErrorCode.Replaced, "another connection registered with this node's key", now);

                    // Where the older one was closing by itself already, its place and its calls still pass on now.
                    Release(older, now);
                }

                break;
            case PingMessage ping:
                _ = session.Send(new PongMessage { Id = ping.Id });
                break;
            case PongMessage:
                break;
            case UpdateMessage or ConnectMessage or AcceptMessage or RejectMessage or HangupMessage or CandidatesMessage:
                Complain(session, ErrorCode.BadMessage, "register first");
                break;
            default:
                _options.Metrics.Dropped(DropKind.UnknownMessage);
                break;
        }
    }

    private void HandleRegistered(RendezvousSession session, NodeRecord node, SignalMessage message, TimeSpan now)
    {
        switch (message)
        {
            case ConnectMessage connect:
                _switchboard.Connect(session, node, connect, now);
                break;
            case AcceptMessage accept:
                _switchboard.Accept(session, node, accept, now);
                break;
            case RejectMessage reject:
                _switchboard.Reject(node, reject);
                break;
            case HangupMessage hangup:
                _switchboard.Hangup(node, hangup);
                break;
            case CandidatesMessage candidates:
                _switchboard.Trickle(session, node, candidates, now);
                break;
            case UpdateMessage update:
                if (_registrar.Update(session, node, update, now) is { } problem)
                {
                    Complain(session, ErrorCode.BadMessage, problem);
                }

                break;
            case PingMessage ping:
                _ = session.Send(new PongMessage { Id = ping.Id });
                break;
            case PongMessage:
                break;
            case RegisterMessage:
                Complain(session, ErrorCode.BadMessage, "this session is registered; 'update' changes what it said");
                break;
            default:
                // "Unknown types are ignored" (docs/protocol.md section 2), and so are those only a server sends.
                _options.Metrics.Dropped(DropKind.UnknownMessage);
                break;
        }
    }

    // What every frame goes through, whatever is in it; false when it goes no further.
    private bool Arrived(RendezvousSession session, int length, TimeSpan now)
    {
        if (session.IsClosed)
        {
            return false;
        }

        _options.Metrics.MessageReceived();
        session.Heard(now);
        if (length > _options.Limits.MessageBytes)
        {
            HandleTooLarge(session, now);
            return false;
        }

        if (!session.TakeMessage(now))
        {
            Refuse(session, ErrorCode.RateLimited, $"more than {_options.Limits.MessagesPerSecond} messages per second", now);
            return false;
        }

        return true;
    }

    // Says what is wrong and goes on.
    private void Complain(RendezvousSession session, string code, string detail)
    {
        string cut = PlainText.Of(detail, code);
        _options.Metrics.ErrorSent(code);
        ServerLog.BadMessage(_options.Logger, session.Number, session.Node?.Id ?? default, cut);
        _ = session.Send(new ErrorMessage { Code = code, Detail = cut });
    }

    // Says what is wrong and ends the session.
    private void Refuse(RendezvousSession session, string code, string detail, TimeSpan now)
    {
        if (session.IsClosed)
        {
            return;
        }

        _options.Metrics.ErrorSent(code);
        ServerLog.Refused(_options.Logger, session.Number, session.Node?.Id ?? default, session.Remote, code, detail);
        _ = session.Send(new ErrorMessage { Code = code, Detail = detail });
        _ = session.Close(code);
        Release(session, now);
    }

    // Gives back what the session held, once, as soon as it is over: its name, its place, its waiting calls.
    private void Release(RendezvousSession session, TimeSpan now)
    {
        if (!session.TakeRelease())
        {
            return;
        }

        bool registered;
        lock (session.Gate)
        {
            registered = session.CountsAsRegistered;
        }

        _registrar.Leave(session);
        if (session.HasPlace)
        {
            _census.Leave(session.Group, registered);
        }

        if (registered)
        {
            _options.Metrics.NodeLeft();
        }

        foreach (Call call in session.TakeWaiting())
        {
            _switchboard.CalleeLeft(call, _registrar.Find(call.Callee), now);
        }
    }

    private List<RendezvousSession> InOrder()
    {
        List<RendezvousSession> sessions = [.. _sessions.Values];
        sessions.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        return sessions;
    }
}
