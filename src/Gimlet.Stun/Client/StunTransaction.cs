using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Client;

/// <summary>
/// One question to one address: its sends, its timer, and which responses belong to it. Every send is a transaction of its own,
/// with its own
/// id (RFC 8489 section 6.2 lets a client have several outstanding with a server), so a response says which send it answers and the
/// round trip
/// is true after losses too.
/// </summary>
internal sealed class StunTransaction
{
    private readonly StunQueryOptions _options;
    private readonly Action<Span<byte>> _random;
    private readonly StunTransactionId[] _ids;
    private readonly TimeSpan[] _sentAt;
    private readonly TimeSpan _deadline;
    private TimeSpan _nextSend;
    private TimeSpan _wait;
    private int _failuresInARow;
    private int _lastFailedSend;

    public StunTransaction(
        TimeSpan now,
        TimeSpan deadline,
        TransportAddress destination,
        ChangeRequest change,
        StunQueryOptions options,
        Action<Span<byte>> random)
    {
        _options = options;
        _random = random;
        _ids = new StunTransactionId[options.MaxSends];
        _sentAt = new TimeSpan[options.MaxSends];
        _deadline = deadline;
        _wait = options.InitialRetransmission;
        Destination = destination;
        Change = change;
        StartedAt = now;
        _nextSend = now;
        IsDue = true;
    }

    public TransportAddress Destination { get; }

    public ChangeRequest Change { get; }

    public TimeSpan StartedAt { get; }

    public int Sends { get; private set; }

    /// <summary>True while a send is due and not yet taken.</summary>
    public bool IsDue { get; private set; }

    /// <summary>What was wrong with a response; the outcome if nothing better comes.</summary>
    public string? Fault { get; private set; }

    /// <summary>Why this machine could not send, if the last send failed.</summary>
    public string? SendFailure { get; private set; }

    public bool IsUnreachable => _failuresInARow >= _options.SendFailuresForUnreachable;

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public TimeSpan NextTimeout => Sends < _options.MaxSends && _nextSend < _deadline ? _nextSend : _deadline;

    public bool IsExpired(TimeSpan now) => now >= _deadline;

    public void HandleTimeout(TimeSpan now)
    {
        if (!IsDue && now >= _nextSend && now < _deadline && Sends < _options.MaxSends)
        {
            // A host that was late sends once, not once for each timer it missed.
            _nextSend = now;
            IsDue = true;
        }
    }

    /// <summary>Writes the request that is due. Returns 0, and stays due, when the buffer is too small.</summary>
    public int Write(Span<byte> buffer)
    {
        var id = StunTransactionId.Create(_random);
        var builder = new StunMessageBuilder(buffer, StunClass.Request, StunMethod.Binding, id);
        if (Change != ChangeRequest.None)
        {
            builder.AddChangeRequest(Change);
        }

        if (_options.RequestProof)
        {
            builder.AddGimletObserve();
        }

        if (_options.AddFingerprint)
        {
            builder.AddFingerprint();
        }

        if (builder.Overflowed)
        {
            return 0;
        }

        _ids[Sends] = id;
        _sentAt[Sends] = _nextSend;
        Sends++;
        IsDue = false;
        _nextSend += _wait;
        _wait *= 2;
        return builder.Length;
    }

    /// <summary>True when the response answers one of the sends.</summary>
    public bool Matches(StunTransactionId id, out TimeSpan sentAt)
    {
        int index = Array.IndexOf(_ids, id, 0, Sends);
        sentAt = index >= 0 ? _sentAt[index] : default;
        return index >= 0;
    }

    public void NoteFault(string fault) => Fault = fault;

    public void NoteSendFailure(string reason)
    {
        SendFailure = reason;
        if (Sends == _lastFailedSend)
        {
            // One send can fail twice: at once, and by an ICMP error that the socket reports later.
            return;
        }

        _failuresInARow = Sends == _lastFailedSend + 1 ? _failuresInARow + 1 : 1;
        _lastFailedSend = Sends;
    }
}
