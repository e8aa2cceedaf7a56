using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Paths;

/// <summary>
/// The connection ids that we gave the peer (RFC 9000 section 5.1.1). An id is drawn only when its frame is written, so that what a peer
/// retires costs it a round trip each, and us no more than congestion control lets out.
/// </summary>
internal sealed class LocalConnectionIds
{
    /// <summary>
    /// How many ids a peer gets, whatever it would store: two for each of four paths at once. quic-go gives 4, quinn 5 or more.
    /// </summary>
    public const int MaxActive = 8;

    private readonly IConnectionRoutes _routes;
    private readonly Entry[] _entries = new Entry[MaxActive];
    private readonly bool _isEmptyId;
    private int _count;
    private int _target = 1;
    private int _lost;
    private long _nextSequenceNumber = 1;

    /// <summary>Begins with the id of the handshake.</summary>
    /// <param name="routes">Where ids come from.</param>
    /// <param name="first">Sequence number 0. It was issued by the routes, and leads here.</param>
    public LocalConnectionIds(IConnectionRoutes routes, in ConnectionId first)
    {
        _routes = routes;
        _isEmptyId = first.IsEmpty;
        _entries[_count++] = new Entry(SequenceNumber: 0, first, Token: default);
    }

    /// <summary>How many ids lead here.</summary>
    public int Count => _count;

    /// <summary>Whether a NEW_CONNECTION_ID frame is to be sent.</summary>
    public bool HasFramesToSend => _lost > 0 || _count < _target;

    /// <summary>The peer's active_connection_id_limit: from now on it is given more ids.</summary>
    public void SetPeerLimit(long activeConnectionIdLimit)
    {
        // RFC 9000 section 5.1.1: "An endpoint MUST NOT provide more connection IDs than the peer's limit." "An endpoint
        // that selects a zero-length connection ID during the handshake cannot issue a new connection ID."
        _target = _isEmptyId ? 1 : (int)Math.Min(activeConnectionIdLimit, MaxActive);
    }

    /// <summary>Writes one NEW_CONNECTION_ID frame, if there is one to write and it fits.</summary>
    public bool TryWrite(ref WireWriter writer, SentFrameList sent)
    {
        if (_lost > 0)
        {
            return TryWriteLost(ref writer, sent);
        }

        // The longest frame there is: an id is not drawn to find that it has no room.
        if (_count >= _target || writer.Remaining < LongestFrame(_nextSequenceNumber))
        {
            return false;
        }

        ConnectionId id = _routes.Issue(out StatelessResetToken token);
        var entry = new Entry(_nextSequenceNumber++, id, token);
        _entries[_count++] = entry;
        return TryWrite(ref writer, sent, entry);
    }

    /// <summary>The packet with a NEW_CONNECTION_ID frame was lost.</summary>
    public void OnFrameLost(long sequenceNumber)
    {
        // RFC 9000 section 13.3: "Retransmissions of this frame carry the same sequence number value." None is sent once the id is retired.
        int index = IndexOf(sequenceNumber);
        if (index >= 0 && !_entries[index].IsLost && !_entries[index].IsAcknowledged)
        {
            _entries[index].IsLost = true;
            _lost++;
        }
    }

    /// <summary>The peer has the id.</summary>
    public void OnFrameAcknowledged(long sequenceNumber)
    {
        int index = IndexOf(sequenceNumber);
        if (index >= 0)
        {
            _lost -= _entries[index].IsLost ? 1 : 0;
            _entries[index].IsLost = false;
            _entries[index].IsAcknowledged = true;
        }
    }

    /// <summary>The peer does not use an id any more. It will get another one.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="carrierDestination">The id that the frame's packet was sent to.</param>
    public QuicError OnRetire(in RetireConnectionIdFrame frame, in ConnectionId carrierDestination)
    {
        // RFC 9000 section 19.16: "An endpoint cannot send this frame if it was provided with a zero-length connection ID by its peer. An endpoint
        // that provides a zero-length connection ID MUST treat receipt of a RETIRE_CONNECTION_ID frame as a connection error of type
        // PROTOCOL_VIOLATION."
        if (_isEmptyId)
        {
            return Violation("an id was retired where none is in use");
        }

        // RFC 9000 section 19.16: "Receipt of a RETIRE_CONNECTION_ID frame containing a sequence number greater than any previously sent to the
        // peer MUST be treated as a connection error of type PROTOCOL_VIOLATION."
        if (frame.SequenceNumber >= _nextSequenceNumber)
        {
            return Violation("an id was retired that was never issued");
        }

        int index = IndexOf(frame.SequenceNumber);
        if (index < 0)
        {
            return QuicError.None;
        }

        // RFC 9000 section 19.16: "The sequence number specified in a RETIRE_CONNECTION_ID frame MUST NOT refer to the Destination Connection ID
        // field of the packet in which the frame is contained. The peer MAY treat this as a connection error of type PROTOCOL_VIOLATION."
        if (_entries[index].Id == carrierDestination)
        {
            return Violation("an id was retired in a packet that was sent to it");
        }

        _routes.Retire(_entries[index].Id);
        _lost -= _entries[index].IsLost ? 1 : 0;
        _entries[index] = _entries[--_count];
        return QuicError.None;
    }

    /// <summary>The connection is over: no id leads here any more, and none is issued.</summary>
    public void RetireAll()
    {
        for (int i = 0; i < _count; i++)
        {
            if (!_entries[i].Id.IsEmpty)
            {
                _routes.Retire(_entries[i].Id);
            }
        }

        _count = 0;
        _target = 0;
        _lost = 0;
    }

    private static QuicError Violation(string reason) => new(TransportErrorCode.ProtocolViolation, FrameType.RetireConnectionId, reason);

    private static int LongestFrame(long sequenceNumber) =>
        1 + VariableLengthInteger.LengthOf(sequenceNumber) + VariableLengthInteger.LengthOf(0)
        + 1 + ConnectionId.MaxLength + StatelessResetToken.Length;

    private static bool TryWrite(ref WireWriter writer, SentFrameList sent, Entry entry)
    {
        // Retire Prior To stays 0: we never take an id back.
        if (!new NewConnectionIdFrame(entry.SequenceNumber, RetirePriorTo: 0, entry.Id, entry.Token).TryWrite(ref writer))
        {
            return false;
        }

        sent.Add(new SentFrame(FrameType.NewConnectionId, Offset: entry.SequenceNumber));
        return true;
    }

    private bool TryWriteLost(ref WireWriter writer, SentFrameList sent)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].IsLost)
            {
                if (!TryWrite(ref writer, sent, _entries[i]))
                {
                    return false;
                }

                _entries[i].IsLost = false;
                _lost--;
                return true;
            }
        }

        return false;
    }

    private int IndexOf(long sequenceNumber)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].SequenceNumber == sequenceNumber)
            {
                return i;
            }
        }

        return -1;
    }

    private record struct Entry(
        long SequenceNumber, ConnectionId Id, StatelessResetToken Token, bool IsLost = false, bool IsAcknowledged = false);
}
