using Gimlet.Server.Relay;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// One WebSocket as the core sees it. Its own frames are handled one at a time; what other sessions' threads touch is behind
/// <see cref="Gate"/> or atomic. Lock order: a call's gate, then a session's; never two of a
/// kind, except that a session which registers holds its own and takes, for a moment, that of the one it replaces.
/// </summary>
internal sealed class RendezvousSession
{
    private readonly ISessionOutput _output;
    private readonly RendezvousOptions _options;
    private long _heardAt;
    private long _pingedAt;
    private int _closed;
    private int _released;
    private TokenBucket _messages;
    private TokenBucket _calls;
    private TokenBucket _incoming;
    private List<Call>? _waiting;

    public RendezvousSession(long number, ISessionOutput output, in ConnectionInfo info, RendezvousOptions options)
    {
        Number = number;
        _output = output;
        _options = options;
        Remote = info.Remote;
        Group = new AddressGroup(info.Remote);
        Authority = info.Authority;
        ConnectedAt = info.Now;
        _heardAt = info.Now.Ticks;
        SeesLoopback = options.AllowLoopback || info.Remote.IsLoopback;
        RendezvousLimits limits = options.Limits;
        _messages = new TokenBucket(limits.MessageBurst, limits.MessagesPerSecond, info.Now);
        _calls = TokenBucket.PerMinute(limits.CallsPerMinute, info.Now);
        _incoming = TokenBucket.PerMinute(limits.IncomingCallsPerMinute, info.Now);
    }

    /// <summary>Guards the waiting calls and the buckets, and the moment of registration.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Grows by one per session: the order in which a tick treats them, so that a simulation repeats.</summary>
    public long Number { get; }

    public TransportAddress Remote { get; }

    public AddressGroup Group { get; }

    public string Authority { get; }

    public TimeSpan ConnectedAt { get; }

    public bool SeesLoopback { get; }

    /// <summary>What the registration must sign; null once it is used.</summary>
    public byte[]? Nonce { get; set; }

    /// <summary>Null until registered.</summary>
    public NodeRecord? Node
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>Its part in relaying; null where the server does not relay.</summary>
    public RelaySession? Relay { get; init; }

    /// <summary>True once the typed answer to a binary frame that is not relayed was sent.</summary>
    public bool ToldAboutBinary { get; set; }

    /// <summary>True when nothing more is sent to or taken from this session.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>True while the place of this session in the census counts as registered.</summary>
    public bool CountsAsRegistered { get; set; }

    /// <summary>True while it has a place in the census at all.</summary>
    public bool HasPlace { get; set; }

    /// <summary>True when what the session held was given back.</summary>
    public bool IsReleased => Volatile.Read(ref _released) != 0;

    /// <summary>The group in whose census this session counts as registered, if any.</summary>
    public AddressGroup? HeldGroup => CountsAsRegistered && !IsReleased ? Group : null;

    public TimeSpan HeardAt => new(Volatile.Read(ref _heardAt));

    public void Heard(TimeSpan now) => Volatile.Write(ref _heardAt, now.Ticks);

    /// <summary>Whether a ping is due: the silence is long enough, and so is the time since the last one.</summary>
    public bool TakePing(TimeSpan now)
    {
        TimeSpan since = TimeSpan.FromTicks(Math.Max(_heardAt, _pingedAt));
        if (now - since < _options.Timers.PingAfter)
        {
            return false;
        }

        _pingedAt = now.Ticks;
        return true;
    }

    /// <summary>Sends a message; a session that does not keep up is closed, and nobody waits for it.</summary>
    public bool Send(SignalMessage message)
    {
        if (IsClosed)
        {
            return false;
        }

        if (_output.TrySend(SignalCodec.Write(message)))
        {
            return true;
        }

        if (Close(ErrorCode.TooSlow))
        {
            _options.Metrics.Dropped(Observability.DropKind.SlowSession);
            Observability.ServerLog.SlowSession(_options.Logger, Number, Node?.Id ?? default, Remote);
        }

        return false;
    }

    /// <summary>Relayed frames wait for this session.</summary>
    public void RelayReady(RelayQueue queue)
    {
        if (!IsClosed)
        {
            _output.RelayReady(queue);
        }
    }

    /// <summary>Ends the session; true for the one call that did it.</summary>
    public bool Close(string errorCode)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return false;
        }

        _output.Close(ErrorTable.CloseCode(errorCode), errorCode);
        return true;
    }

    /// <summary>The other end is gone; nothing needs to be told to it.</summary>
    public void MarkGone() => Volatile.Write(ref _closed, 1);

    /// <summary>True for the one caller that gives back what the session held.</summary>
    public bool TakeRelease() => Interlocked.Exchange(ref _released, 1) == 0;

    public bool TakeMessage(TimeSpan now) => _messages.TryTake(now);

    public bool TakeCall(TimeSpan now)
    {
        lock (Gate)
        {
            return _calls.TryTake(now);
        }
    }

    /// <summary>
    /// Lets a call in. Returns null when it may be told to the node, a <see cref="RejectReason"/> when not, and
    /// <see cref="RejectReason.Offline"/> when the session ended in the meantime (another may have taken its place).
    /// </summary>
    /// <param name="call">The call; it joins the waiting ones when the node decides first.</param>
    /// <param name="counts">False for a call that was let in before, by the session this one replaces.</param>
    /// <param name="now">The time.</param>
    public string? Admit(Call call, bool counts, TimeSpan now)
    {
        lock (Gate)
        {
            if (IsClosed || IsReleased)
            {
                return RejectReason.Offline;
            }

            if (call.NeedsAccept && _waiting?.Count >= _options.Limits.WaitingCallsPerNode)
            {
                return RejectReason.Busy;
            }

            if (counts && !_incoming.TryTake(now))
            {
                return RejectReason.RateLimited;
            }

            if (call.NeedsAccept)
            {
                (_waiting ??= []).Add(call);
            }

            return null;
        }
    }

    public void Forget(Call call)
    {
        lock (Gate)
        {
            _ = _waiting?.Remove(call);
        }
    }

    /// <summary>The calls that wait for this node's accept; afterwards there are none.</summary>
    public Call[] TakeWaiting()
    {
        lock (Gate)
        {
            Call[] waiting = _waiting is null ? [] : [.. _waiting];
            _waiting = null;
            return waiting;
        }
    }

    /// <summary>Takes over the rates of the session this one replaces: coming back does not refill them.</summary>
    public void Inherit(RendezvousSession older)
    {
        TokenBucket calls;
        TokenBucket incoming;
        lock (older.Gate)
        {
            calls = older._calls;
            incoming = older._incoming;
        }

        lock (Gate)
        {
            _calls = calls;
            _incoming = incoming;
        }

        if (older.Relay is { } relay)
        {
            Relay?.Meter.Inherit(relay.Meter);
        }
    }
}
