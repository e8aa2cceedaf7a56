using Gimlet.Server.Rendezvous;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>
/// One WebSocket of a worker. Its messages are handled one at a time; what belongs to the registry is changed under the registry's lock only; what the sweep
/// and other threads look at is atomic.
/// </summary>
internal sealed class WorkerConnection
{
    /// <summary>
    /// Useless messages of one connection that are logged; 8, enough to see what a program does wrong. Beyond it the log belongs to whoever sends the most.
    /// </summary>
    private const int MaxLoggedMistakes = 8;

    private IWorkerOutput? _output;
    private long _heardAt;
    private long _pingedAt;
    private int _closed;
    private int _mistakes;
    private TokenBucket _messages;

    public WorkerConnection(long number, in WorkerInfo info, WorkerLimits limits, TimeSpan now)
    {
        Number = number;
        WorkerId = info.WorkerId;
        Group = info.Group;
        Remote = info.Remote;
        Authority = info.Authority;
        AddressGroup = new AddressGroup(info.Remote);
        OpenedAt = now;
        _heardAt = now.Ticks;
        _messages = new TokenBucket(limits.MessageBurst, limits.MessagesPerSecond, now);
    }

    /// <summary>Grows by one per connection; log lines name it.</summary>
    public long Number { get; }

    public string WorkerId { get; }

    public string? Group { get; }

    public TransportAddress Remote { get; }

    /// <summary>The host and port that the worker dialled.</summary>
    public string Authority { get; }

    /// <summary>What limits per address count by.</summary>
    public AddressGroup AddressGroup { get; }

    public TimeSpan OpenedAt { get; }

    /// <summary>What the worker has to sign; null until it asks, and when it has used it. Touched by its own messages only.</summary>
    public byte[]? Nonce { get; set; }

    /// <summary>Registry: true while it has a place in the census.</summary>
    public bool HasPlace { get; set; }

    /// <summary>Registry: the record that this connection speaks for; null before, and after another took over.</summary>
    public WorkerRecord? Record { get; set; }

    /// <summary>Registry: true while it waits for the proof that opens a worker id which is held.</summary>
    public bool IsNewcomer { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>Registry: the record was paired when this connection came; without <c>resume_pairing</c> its endpoint voids the pairing.</summary>
    public bool MustResume { get; set; }

    /// <summary>True when nothing more is sent to or taken from this connection.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    public TimeSpan HeardAt => new(Volatile.Read(ref _heardAt));

    /// <summary>Anything came, be it a pong.</summary>
    public void Heard(TimeSpan now) => Volatile.Write(ref _heardAt, now.Ticks);

    /// <summary>The WebSocket is there; before anything else is done with the connection.</summary>
    public void Attach(IWorkerOutput output) => _output = output;

    public bool TakeMessage(TimeSpan now) => _messages.TryTake(now);

    /// <summary>How many useless messages there were, this one included; 0 when it is not to be logged any more.</summary>
    public int TakeMistake() => _mistakes < MaxLoggedMistakes ? ++_mistakes : 0;

    /// <summary>Whether a mistake is the last one that is logged.</summary>
    public static bool IsLastLogged(int mistake) => mistake == MaxLoggedMistakes;

    /// <summary>Whether a ping is due: the silence is long enough, and so is the time since the last one. For the sweep only.</summary>
    public bool TakePing(TimeSpan now, TimeSpan after)
    {
        if (now - TimeSpan.FromTicks(Math.Max(Volatile.Read(ref _heardAt), _pingedAt)) < after)
        {
            return false;
        }

        _pingedAt = now.Ticks;
        return true;
    }

    /// <summary>Sends a message; a worker that does not read what it is sent is closed, and nobody waits for it.</summary>
    public void Send(ReadOnlyMemory<byte> utf8)
    {
        if (!IsClosed && _output?.TrySend(utf8) == false)
        {
            _ = Close(WorkerClose.PolicyViolation, WorkerClose.TooSlow);
        }
    }

    public void Ping() => _output?.Ping();

    /// <summary>Ends the connection; true for the one call that did it.</summary>
    public bool Close(int code, string reason)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return false;
        }

        _output?.Close(code, reason);
        return true;
    }

    /// <summary>Nobody is there any more.</summary>
    public void Abort()
    {
        Volatile.Write(ref _closed, 1);
        _output?.Abort();
    }

    /// <summary>The other end is gone.</summary>
    public void MarkGone() => Volatile.Write(ref _closed, 1);
}
