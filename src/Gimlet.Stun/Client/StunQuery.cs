using System.Diagnostics.CodeAnalysis;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Client;

/// <summary>
/// Asks several STUN servers at once for the address they see (RFC 8489 Binding), from whatever socket its host owns. It owns no
/// socket, clock
/// or random source, and it never fails for a reason of the network: each server ends with a result that says what happened.
/// </summary>
/// <remarks>
/// <para>Order: <see cref="Add"/> what is known; <see cref="Start"/> once; then, after each <see cref="Add"/>, <see cref="Start"/>,
/// <see cref="HandleDatagram"/>, <see cref="HandleSendFailure"/> or <see cref="HandleTimeout"/>: drain <see cref="PollTransmit"/> and
/// <see cref="PollResult"/> until they return false, then wait for a datagram or for <see cref="NextTimeout"/>, until <see
/// cref="IsComplete"/>.
/// <see cref="Add"/> may be called after the start as well, as names resolve. Not thread-safe.</para>
/// <para>An answer counts only from the address that was asked and with the transaction id of a send to it. A malformed,
/// duplicated, late or forged
/// datagram changes nothing else; a malformed one from the right address becomes the outcome if nothing better comes.</para>
/// </remarks>
public sealed class StunQuery
{
    private readonly StunQueryOptions _options;
    private readonly Action<Span<byte>> _random;
    private readonly List<Entry> _entries = [];
    private readonly Queue<StunServerResult> _finished = new();
    private TimeSpan? _deadline;
    private int _open;

    /// <summary>Makes a query.</summary>
    /// <param name="options">How to ask.</param>
    /// <param name="random">Fills a span with random bytes for transaction ids; in production <c>RandomNumberGenerator.Fill</c>.</param>
    public StunQuery(StunQueryOptions options, Action<Span<byte>> random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        options.Validate();
        _options = options;
        _random = random;
    }

    /// <summary>True when each server that was added has a result. A query that was given no server is complete at once.</summary>
    public bool IsComplete => _open == 0;

    /// <summary>When <see cref="HandleTimeout"/> is due; <see langword="null"/> while there is nothing to wait for.</summary>
    public TimeSpan? NextTimeout
    {
        get
        {
            TimeSpan? next = null;
            foreach (Entry entry in _entries)
            {
                if (entry is { Result: null, Transaction: { } transaction } && (next is null || transaction.NextTimeout < next))
                {
                    next = transaction.NextTimeout;
                }
            }

            return next;
        }
    }

    /// <summary>The results so far, in the order in which the servers were added.</summary>
    public IReadOnlyList<StunServerResult> Results => [.. _entries.Select(static entry => entry.Result).OfType<StunServerResult>()];

    /// <summary>Adds a server. After the start it is asked at once, and it has until the deadline of the whole query.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="target">Whom to ask.</param>
    public void Add(TimeSpan now, StunTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var entry = new Entry(target);
        _entries.Add(entry);
        _open++;
        if (target.Address.IsEmpty)
        {
            Finish(entry, new StunServerResult
            {
                Target = target,
                Outcome = StunOutcome.NameNotResolved,
                Detail = target.Problem ?? "the name has no address",
            });
        }
        else if (_deadline is { } deadline)
        {
            Begin(entry, now, deadline);
        }
    }

    /// <summary>Begins: the first request to every server becomes due.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <exception cref="InvalidOperationException">The query was started before.</exception>
    public void Start(TimeSpan now)
    {
        if (_deadline is not null)
        {
            throw new InvalidOperationException("A query starts once.");
        }

        _deadline = now + _options.Deadline;
        foreach (Entry entry in _entries)
        {
            if (entry.Result is null)
            {
                Begin(entry, now, _deadline.Value);
            }
        }
    }

    /// <summary>Takes the next request to send.</summary>
    /// <param name="destination">Where to send it.</param>
    /// <param name="buffer">Where to write it; 64 bytes are enough. A request that does not fit stays due.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>False when nothing is due.</returns>
    public bool PollTransmit(out TransportAddress destination, Span<byte> buffer, out int length)
    {
        foreach (Entry entry in _entries)
        {
            if (entry is { Result: null, Transaction: { IsDue: true } transaction })
            {
                destination = transaction.Destination;
                length = transaction.Write(buffer);
                return length > 0;
            }
        }

        destination = default;
        length = 0;
        return false;
    }

    /// <summary>Takes the next result, in the order in which they came about.</summary>
    /// <param name="result">The result.</param>
    /// <returns>False when there is no new one.</returns>
    public bool PollResult([NotNullWhen(true)] out StunServerResult? result) =>
        _finished.TryDequeue(out result);

    /// <summary>Looks at a datagram.</summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="local">The local address it came to; may be empty.</param>
    /// <param name="datagram">Its bytes.</param>
    /// <returns>True when it was meant for this query, whether or not it counted; false when it is somebody else's.</returns>
    public bool HandleDatagram(TimeSpan now, TransportAddress from, TransportAddress local, ReadOnlySpan<byte> datagram)
    {
        StunFormatError format = StunMessage.Parse(datagram, allowLegacy: false, out StunMessage message);
        if (format != StunFormatError.None)
        {
            return NoteGarbage(from, format);
        }

        if (message.Class is StunClass.Request or StunClass.Indication)
        {
            return false;
        }

        foreach (Entry entry in _entries)
        {
            if (entry.Transaction is not { } transaction || !transaction.Matches(message.TransactionId, out TimeSpan sentAt))
            {
                continue;
            }

            // A duplicate, or an answer from an address that was not asked: ours to swallow, and without effect.
            if (entry.Result is null && from == transaction.Destination)
            {
                HandleResponse(entry, transaction, message, now - sentAt, local);
            }

            return true;
        }

        return false;
    }

    /// <summary>
    /// Reports that a datagram of this query could not be sent, or that the kernel reported its destination as unreachable.
    /// </summary>
    /// <param name="now">The time since the host's origin.</param>
    /// <param name="destination">Where it was to go.</param>
    /// <param name="reason">Why, for people.</param>
    public void HandleSendFailure(TimeSpan now, TransportAddress destination, string reason)
    {
        foreach (Entry entry in _entries)
        {
            if (entry is { Result: null, Transaction: { Sends: > 0 } transaction } && transaction.Destination == destination)
            {
                transaction.NoteSendFailure(reason);
                if (transaction.IsUnreachable)
                {
                    Conclude(entry, transaction, now);
                }
            }
        }
    }

    /// <summary>Makes due what is due, and gives up on what is late. May be called at any time.</summary>
    /// <param name="now">The time since the host's origin.</param>
    public void HandleTimeout(TimeSpan now)
    {
        foreach (Entry entry in _entries)
        {
            if (entry is not { Result: null, Transaction: { } transaction })
            {
                continue;
            }

            if (transaction.IsExpired(now))
            {
                Conclude(entry, transaction, now);
            }
            else
            {
                transaction.HandleTimeout(now);
            }
        }
    }

    private void Begin(Entry entry, TimeSpan now, TimeSpan deadline) =>
        entry.Transaction = new StunTransaction(now, deadline, entry.Target.Address, ChangeRequest.None, _options, _random);

    private bool NoteGarbage(TransportAddress from, StunFormatError format)
    {
        foreach (Entry entry in _entries)
        {
            if (entry is { Result: null, Transaction: { Sends: > 0 } transaction } && transaction.Destination == from)
            {
                transaction.NoteFault($"the answer is no STUN message ({format})");
                return true;
            }
        }

        return false;
    }

    private void HandleResponse(
        Entry entry, StunTransaction transaction, StunMessage response, TimeSpan roundTrip, TransportAddress local)
    {
        string? fault = StunAnswerReader.FindFault(response);
        if (fault is not null)
        {
            transaction.NoteFault(fault);
            return;
        }

        if (response.Class == StunClass.Error)
        {
            _ = response.TryGetErrorCode(out StunErrorCode code, out ReadOnlySpan<byte> reason);
            _ = response.TryGetAlternateServer(out TransportAddress alternate);
            Finish(entry, new StunServerResult
            {
                Target = entry.Target,
                Outcome = StunOutcome.Refused,
                Detail = StunAnswerReader.DescribeRefusal(code, reason, alternate),
                Sends = transaction.Sends,
                RoundTrip = roundTrip,
                LocalAddress = local,
                ErrorCode = code,
                AlternateServer = alternate,
            });
            return;
        }

        _ = StunAnswerReader.TryGetMapped(response, out TransportAddress mapped);
        Finish(entry, new StunServerResult
        {
            Target = entry.Target,
            Outcome = StunOutcome.Answered,
            Detail = $"answered {mapped} in {roundTrip.TotalMilliseconds:0.0} ms",
            Sends = transaction.Sends,
            MappedAddress = mapped,
            LocalAddress = local,
            RoundTrip = roundTrip,
            ResponseOrigin = StunAnswerReader.Origin(response),
            OtherAddress = StunAnswerReader.OtherAddress(response),
            Proof = StunAnswerReader.Proof(response),
        });
    }

    private void Conclude(Entry entry, StunTransaction transaction, TimeSpan now)
    {
        string sends = transaction.Sends == 1 ? "1 send" : $"{transaction.Sends} sends";
        string waited = $"{(now - transaction.StartedAt).TotalSeconds:0.#} s";
        (StunOutcome outcome, string detail) = transaction switch
        {
            { Fault: { } fault } => (StunOutcome.Malformed, fault),
            { IsUnreachable: true, SendFailure: { } failure } => (StunOutcome.Unreachable, $"this machine cannot send there: {failure}"),
            { SendFailure: { } failure } => (StunOutcome.TimedOut, $"no answer after {sends} in {waited}; one send failed: {failure}"),
            _ => (StunOutcome.TimedOut, $"no answer after {sends} in {waited}"),
        };
        Finish(entry, new StunServerResult { Target = entry.Target, Outcome = outcome, Detail = detail, Sends = transaction.Sends });
    }

    private void Finish(Entry entry, StunServerResult result)
    {
        entry.Result = result;
        _open--;
        _finished.Enqueue(result);
    }

    private sealed class Entry(StunTarget target)
    {
        public StunTarget Target { get; } = target;

        public StunTransaction? Transaction { get; set; }

        public StunServerResult? Result { get; set; }
    }
}
