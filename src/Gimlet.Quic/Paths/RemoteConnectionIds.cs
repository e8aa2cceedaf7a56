using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Paths;

/// <summary>
/// The connection ids that the peer gave us, and which path uses which (RFC 9000 sections 5.1.2 and 9.5). A path has an id of its own, so
/// that who watches two paths cannot tell that they are one connection.
/// </summary>
internal sealed class RemoteConnectionIds
{
    private readonly IConnectionRoutes _routes;
    private readonly int _activeLimit;
    private readonly RetirementQueue _retirements = new();
    private readonly SequenceNumberWindow _seen = new();

    // Ordered by sequence number. One more than the limit, while a frame is worked on that brings one and retires others.
    private readonly Entry[] _entries;
    private readonly PathId[] _waiting;
    private int _count;
    private int _waitingCount;
    private long _retirePriorTo;
    private bool _isEmptyId;
    private bool _isOverflowing;

    /// <summary>Begins without an id.</summary>
    /// <param name="routes">Told of the reset tokens of ids in use.</param>
    /// <param name="activeLimit">What our active_connection_id_limit says.</param>
    public RemoteConnectionIds(IConnectionRoutes routes, int activeLimit)
    {
        _routes = routes;
        _activeLimit = activeLimit;
        _entries = new Entry[activeLimit + 1];
        _waiting = new PathId[activeLimit + 1];
    }

    /// <summary>How many ids we have, in use or not.</summary>
    public int Count => _count;

    /// <summary>Whether a RETIRE_CONNECTION_ID frame is to be sent.</summary>
    public bool HasFramesToSend => _retirements.Count > 0;

    /// <summary>
    /// The id of the handshake, sequence number 0. A client calls it with the one it made up, and again with the server's choice of a Retry or Initial
    /// packet; the path that uses it goes on with the new one.
    /// </summary>
    public void SetInitial(in ConnectionId id)
    {
        _isEmptyId = id.IsEmpty;
        if (_seen.TryAdd(0))
        {
            _entries[_count++] = new Entry { Id = id };
        }
        else if (_count > 0 && _entries[0].SequenceNumber == 0)
        {
            _entries[0].Id = id;
        }
    }

    /// <summary>A client's: the stateless_reset_token of the server's transport parameters belongs to the id of the handshake.</summary>
    public void SetInitialToken(in StatelessResetToken token)
    {
        if (_count == 0 || _entries[0].SequenceNumber != 0)
        {
            return;
        }

        _entries[0].Token = token;
        _entries[0].HasToken = true;
        if (_entries[0].IsInUse)
        {
            _routes.AddResetToken(token);
        }
    }

    /// <summary>
    /// A client's: the id of the server's preferred_address. RFC 9000 section 5.1.1: "If the preferred_address transport parameter is sent, the
    /// sequence number of the supplied connection ID is 1."
    /// </summary>
    public QuicError AddPreferred(in ConnectionId id, in StatelessResetToken token) =>
        OnNewConnectionId(new NewConnectionIdFrame(SequenceNumber: 1, RetirePriorTo: 0, id, token));

    /// <summary>The peer gave an id, and may have taken others back.</summary>
    public QuicError OnNewConnectionId(in NewConnectionIdFrame frame)
    {
        // RFC 9000 section 19.15: "An endpoint that is sending packets with a zero-length Destination Connection ID MUST treat receipt of a
        // NEW_CONNECTION_ID frame as a connection error of type PROTOCOL_VIOLATION."
        if (_isEmptyId)
        {
            return Error(TransportErrorCode.ProtocolViolation, "an id where none is in use");
        }

        if (_isOverflowing)
        {
            return TooManyRetirements();
        }

        // RFC 9000 section 19.15: "If an endpoint receives a NEW_CONNECTION_ID frame that repeats a previously issued connection ID with a
        // different Stateless Reset Token field value or a different Sequence Number field value, or if a sequence number is used for different
        // connection IDs, the endpoint MAY treat that receipt as a connection error of type PROTOCOL_VIOLATION."
        for (int i = 0; i < _count; i++)
        {
            ref Entry entry = ref _entries[i];
            bool isSameNumber = entry.SequenceNumber == frame.SequenceNumber;
            bool isSameId = entry.Id == frame.ConnectionId;
            bool isSameToken = entry.HasToken && entry.Token == frame.ResetToken;
            if ((isSameNumber || isSameId || isSameToken) && !(isSameNumber && isSameId && isSameToken))
            {
                return Error(TransportErrorCode.ProtocolViolation, "an id, its number or its token was used for something else before");
            }
        }

        // RFC 9000 section 5.1.2: "Upon receipt of an increased Retire Prior To field, the peer MUST stop using the corresponding connection IDs
        // and retire them with RETIRE_CONNECTION_ID frames before adding the newly provided connection ID to the set of active connection IDs."
        if (!TryRetirePriorTo(frame.RetirePriorTo))
        {
            return TooManyRetirements();
        }

        // RFC 9000 section 19.15: "An endpoint that receives a NEW_CONNECTION_ID frame with a sequence number smaller than the Retire Prior To
        // field of a previously received NEW_CONNECTION_ID frame MUST send a corresponding RETIRE_CONNECTION_ID frame that retires the newly
        // received connection ID, unless it has already done so for that sequence number."
        if (frame.SequenceNumber < _retirePriorTo)
        {
            ServeWaiting();
            return _retirements.TryAdd(frame.SequenceNumber) ? QuicError.None : TooManyRetirements();
        }

        if (_seen.IsTooFar(frame.SequenceNumber))
        {
            return Error(TransportErrorCode.ProtocolViolation, "the number of an id is far from those before");
        }

        if (!_seen.TryAdd(frame.SequenceNumber))
        {
            // It came before, but may retire more than it did then.
            ServeWaiting();
            return QuicError.None;
        }

        Insert(new Entry { SequenceNumber = frame.SequenceNumber, Id = frame.ConnectionId, Token = frame.ResetToken, HasToken = true });

        // RFC 9000 section 5.1.1: "After processing a NEW_CONNECTION_ID frame and adding and retiring active connection IDs, if the number of
        // active connection IDs exceeds the value advertised in its active_connection_id_limit transport parameter, an endpoint MUST close the
        // connection with an error of type CONNECTION_ID_LIMIT_ERROR."
        if (_count > _activeLimit)
        {
            return Error(TransportErrorCode.ConnectionIdLimitError, "more ids than active_connection_id_limit");
        }

        ServeWaiting();
        return QuicError.None;
    }

    /// <summary>Gives a path an id, the oldest that is free; the first path so has that of the handshake. True when it has one already.</summary>
    public bool TryAssign(PathId path)
    {
        if (_isEmptyId || IndexOf(path) >= 0)
        {
            return true;
        }

        int index = IndexOfSpare();
        if (index < 0)
        {
            return false;
        }

        Use(ref _entries[index], path);
        RemoveWaiting(path);
        return true;
    }

    /// <summary>The id that packets on a path carry.</summary>
    /// <returns>False when it has none, or had to give it back and waits for another one.</returns>
    public bool TryGet(PathId path, out ConnectionId id)
    {
        int index = _isEmptyId ? 0 : IndexOf(path);
        id = index >= 0 && !_isEmptyId ? _entries[index].Id : default;
        return index >= 0;
    }

    /// <summary>
    /// A path takes over the id of another one, where there is no spare one: the peer's NAT rebound, or it gave too few. The other path waits for the
    /// next id. RFC 9000 section 9.5 asks for an id of its own for each path, and can be obeyed only by who has them.
    /// </summary>
    public void Hand(PathId from, PathId to)
    {
        int index = _isEmptyId ? -1 : IndexOf(from);
        if (index >= 0 && IndexOf(to) < 0)
        {
            _entries[index].Path = to;
            RemoveWaiting(to);
            RemoveWaiting(from);
            if (_waitingCount < _waiting.Length)
            {
                _waiting[_waitingCount++] = from;
            }
        }
    }

    /// <summary>
    /// The path is not used any more: its id is retired. RFC 9000 section 5.1.2: "When the endpoint wishes to remove a connection ID from use, it
    /// sends a RETIRE_CONNECTION_ID frame to its peer", which then gives another one.
    /// </summary>
    public void Release(PathId path)
    {
        RemoveWaiting(path);
        int index = _isEmptyId ? -1 : IndexOf(path);
        if (index >= 0)
        {
            _isOverflowing |= !TryQueueRetirement(index);
            Remove(index);
        }
    }

    /// <summary>Writes one RETIRE_CONNECTION_ID frame, if there is one to write and it fits.</summary>
    public bool TryWrite(ref WireWriter writer, SentFrameList sent)
    {
        if (_retirements.Count == 0 || !new RetireConnectionIdFrame(_retirements.First).TryWrite(ref writer))
        {
            return false;
        }

        sent.Add(new SentFrame(FrameType.RetireConnectionId, Offset: _retirements.First));
        _retirements.RemoveFirst();
        return true;
    }

    /// <summary>The packet with a RETIRE_CONNECTION_ID frame was lost.</summary>
    // RFC 9000 section 5.1.2: "An endpoint MUST NOT forget a connection ID without retiring it": too many end the connection with the peer's next
    // frame, for only those make so many.
    public void OnFrameLost(long sequenceNumber) => _isOverflowing |= !_retirements.TryAddLost(sequenceNumber);

    /// <summary>Whether 16 bytes are the stateless reset token of an id in use. All are compared, in constant time.</summary>
    /// <param name="last16">The end of a datagram.</param>
    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "It is about the ids of this connection.")]
    public bool IsResetToken(ReadOnlySpan<byte> last16)
    {
        if (last16.Length != StatelessResetToken.Length)
        {
            return false;
        }

        // RFC 9000 section 10.3.1: "An endpoint MUST NOT check for any stateless reset tokens associated with connection IDs it has not used or
        // for connection IDs that have been retired."
        bool isFound = false;
        Span<byte> token = stackalloc byte[StatelessResetToken.Length];
        for (int i = 0; i < _count; i++)
        {
            _entries[i].Token.CopyTo(token);
            isFound |= CryptographicOperations.FixedTimeEquals(token, last16) & _entries[i].IsInUse & _entries[i].HasToken;
        }

        return isFound;
    }

    /// <summary>The connection is over: the routes forget the tokens.</summary>
    public void Clear()
    {
        for (int i = 0; i < _count; i++)
        {
            ForgetToken(_entries[i]);
        }

        _count = 0;
        _waitingCount = 0;
        _retirements.Clear();
    }

    private static QuicError Error(TransportErrorCode code, string reason) => new(code, FrameType.NewConnectionId, reason);

    // RFC 9000 section 5.1.2: "it MAY choose to treat having connection IDs in need of retirement that exceed this limit as a connection error of
    // type CONNECTION_ID_LIMIT_ERROR."
    private static QuicError TooManyRetirements() => Error(TransportErrorCode.ConnectionIdLimitError, "more ids to retire than can be remembered");

    private bool TryRetirePriorTo(long retirePriorTo)
    {
        if (retirePriorTo <= _retirePriorTo)
        {
            return true;
        }

        _retirePriorTo = retirePriorTo;
        _seen.Advance(retirePriorTo);
        while (_count > 0 && _entries[0].SequenceNumber < retirePriorTo)
        {
            if (!TryQueueRetirement(0))
            {
                return false;
            }

            if (_entries[0].IsInUse && _waitingCount < _waiting.Length)
            {
                _waiting[_waitingCount++] = _entries[0].Path;
            }

            Remove(0);
        }

        return true;
    }

    // Paths whose ids were taken back get others before anyone else does, in the order of their old ids: the first path first.
    private void ServeWaiting()
    {
        while (_waitingCount > 0)
        {
            int spare = IndexOfSpare();
            if (spare < 0)
            {
                return;
            }

            Use(ref _entries[spare], _waiting[0]);
            RemoveWaiting(_waiting[0]);
        }
    }

    private void Use(ref Entry entry, PathId path)
    {
        entry.IsInUse = true;
        entry.Path = path;
        if (entry.HasToken)
        {
            _routes.AddResetToken(entry.Token);
        }
    }

    private void ForgetToken(Entry entry)
    {
        if (entry.IsInUse && entry.HasToken)
        {
            _routes.RemoveResetToken(entry.Token);
        }
    }

    private bool TryQueueRetirement(int index) => _retirements.TryAdd(_entries[index].SequenceNumber);

    private void Insert(Entry entry)
    {
        int index = _count;
        while (index > 0 && _entries[index - 1].SequenceNumber > entry.SequenceNumber)
        {
            _entries[index] = _entries[index - 1];
            index--;
        }

        _entries[index] = entry;
        _count++;
    }

    private void Remove(int index)
    {
        ForgetToken(_entries[index]);
        _count--;
        _entries.AsSpan(index + 1, _count - index).CopyTo(_entries.AsSpan(index));
    }

    private void RemoveWaiting(PathId path)
    {
        int index = _waiting.AsSpan(0, _waitingCount).IndexOf(path);
        if (index >= 0)
        {
            _waitingCount--;
            _waiting.AsSpan(index + 1, _waitingCount - index).CopyTo(_waiting.AsSpan(index));
        }
    }

    private int IndexOf(PathId path)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].IsInUse && _entries[i].Path == path)
            {
                return i;
            }
        }

        return -1;
    }

    private int IndexOfSpare()
    {
        for (int i = 0; i < _count; i++)
        {
            if (!_entries[i].IsInUse)
            {
                return i;
            }
        }

        return -1;
    }

    private struct Entry
    {
        public long SequenceNumber;
        public ConnectionId Id;
        public StatelessResetToken Token;
        public PathId Path;
        public bool HasToken;
        public bool IsInUse;
    }
}
