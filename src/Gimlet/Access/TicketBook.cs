using System.Security.Cryptography;

namespace Gimlet.Access;

/// <summary>
/// The secrets of the tickets that a node has issued, and who has taken the one-time ones. Sans-IO and not thread-safe: the owner brings the time
/// and holds the lock.
/// </summary>
/// <remarks>
/// <para>Call order at the callee: first everything that is free (rate, replay), then the signature of the call's key, then
/// <see cref="TryRedeem"/>. Before the signature is verified nobody knows that the caller is who it says, and a one-time ticket must not be taken by a name.</para>
/// <para>The ticket that is taken stays with its peer for the life of the book, past its own expiry: a lost answer and a new punch come with the same
/// ticket, and nobody else can use it. To take it away, revoke it.</para>
/// </remarks>
internal sealed class TicketBook : IDisposable
{
    /// <summary>
    /// The most tickets of a node. A call with a proof costs one HMAC (about a microsecond) for each, so some 1.5 ms at worst; the rate of incoming
    /// calls is bounded before (<see cref="Node.IncomingGuard"/>).
    /// </summary>
    public const int DefaultCapacity = 1024;

    private readonly List<Entry> _entries = [];
    private readonly Action<Span<byte>> _random;
    private readonly int _capacity;

    /// <summary>Makes an empty book.</summary>
    /// <param name="random">Where secrets come from; cryptographic outside of tests.</param>
    /// <param name="capacity">The most tickets at once.</param>
    public TicketBook(Action<Span<byte>> random, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _random = random;
        _capacity = capacity;
    }

    /// <summary>How many tickets the book holds, good, expired and taken.</summary>
    public int Count => _entries.Count;

    /// <summary>Makes a secret. When the book is full, the ticket that expired first makes room.</summary>
    /// <param name="options">What the ticket allows.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="GimletException">
    /// <see cref="GimletErrorKind.BadUsage"/> for bad options; <see cref="GimletErrorKind.LocalFault"/> when the book is full of tickets that have not expired.
    /// </exception>
    public IssuedTicket Issue(TicketOptions options, DateTimeOffset now)
    {
        options.Validate();
        if (_entries.Count >= _capacity && !TryMakeRoom(now))
        {
            throw new GimletException(
                GimletErrorKind.LocalFault,
                $"This node has {_capacity} tickets that have not expired, and that is the most.",
                "Revoke the tickets that nobody needs any more, or give them a lifetime.");
        }

        // Pinned: no copy of it stays behind where the collector moved it from.
        byte[] secret = GC.AllocateUninitializedArray<byte>(TicketProof.SecretLength, pinned: true);
        _random(secret);
        var entry = new Entry(secret, ExpiryOf(options.Lifetime, now), options.OneTime);
        _entries.Add(entry);
        return new IssuedTicket([.. secret], entry.Expires);
    }

    /// <summary>Looks for the ticket of a proof, and takes it for the caller where it is a one-time one.</summary>
    /// <param name="call">The call.</param>
    /// <param name="caller">Who calls; proven by the signature of the call's key.</param>
    /// <param name="callee">This node.</param>
    /// <param name="ephemeralPoint">The caller's key of the call.</param>
    /// <param name="proof">What the call carried; of any length, also empty.</param>
    /// <param name="now">The time.</param>
    public TicketVerdict TryRedeem(CallId call, PeerId caller, PeerId callee, ReadOnlySpan<byte> ephemeralPoint, ReadOnlySpan<byte> proof, DateTimeOffset now)
    {
        // What cannot be a proof costs nothing.
        if (proof.Length != TicketProof.Length || ephemeralPoint.Length != TicketProof.PointLength)
        {
            return TicketVerdict.Unknown;
        }

        Span<byte> statement = stackalloc byte[TicketProof.StatementLength];
        TicketProof.WriteStatement(call, caller, callee, ephemeralPoint, statement);
        foreach (Entry entry in _entries)
        {
            // That the search ends at the ticket which was proven tells its holder how many are older, and strangers nothing.
            if (TicketProof.Verify(entry.Secret, statement, proof))
            {
                return Redeem(entry, caller, now);
            }
        }

        return TicketVerdict.Unknown;
    }

    /// <summary>Forgets a ticket; whoever has taken it cannot use it again.</summary>
    /// <param name="secret">Its secret.</param>
    /// <returns>False when the book does not hold it.</returns>
    public bool Revoke(ReadOnlySpan<byte> secret)
    {
        for (int i = 0; i < _entries.Count; i++)
        {
            if (CryptographicOperations.FixedTimeEquals(_entries[i].Secret, secret))
            {
                RemoveAt(i);
                return true;
            }
        }

        return false;
    }

    /// <summary>Forgets every ticket and wipes the secrets.</summary>
    public void Dispose()
    {
        while (_entries.Count > 0)
        {
            RemoveAt(_entries.Count - 1);
        }
    }

    private static TicketVerdict Redeem(Entry entry, PeerId caller, DateTimeOffset now)
    {
        if (entry.Holder is { } holder)
        {
            return holder == caller ? TicketVerdict.Accepted : TicketVerdict.Used;
        }

        if (entry.IsExpired(now))
        {
            return TicketVerdict.Expired;
        }

        if (entry.IsOneTime)
        {
            entry.Holder = caller;
        }

        return TicketVerdict.Accepted;
    }

    /// <summary>Tickets have whole seconds (docs/protocol.md section 1), so the book has them too, rounded up: both sides agree on the moment.</summary>
    private static DateTimeOffset? ExpiryOf(TimeSpan? lifetime, DateTimeOffset now)
    {
        if (lifetime is not { } span)
        {
            return null;
        }

        // A lifetime beyond the end of the calendar is one that does not end.
        if (span.Ticks > DateTimeOffset.MaxValue.UtcTicks - now.UtcTicks - TimeSpan.TicksPerSecond)
        {
            return null;
        }

        long ticks = now.UtcTicks + span.Ticks;
        long rest = ticks % TimeSpan.TicksPerSecond;
        return new DateTimeOffset(rest == 0 ? ticks : ticks - rest + TimeSpan.TicksPerSecond, TimeSpan.Zero);
    }

    /// <summary>
    /// Removes one expired ticket: the one that expired first, and those that a peer has taken only where there is no other, because that peer may still
    /// call with it.
    /// </summary>
    private bool TryMakeRoom(DateTimeOffset now)
    {
        int found = -1;
        for (int i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].IsExpired(now) && (found < 0 || GoesBefore(_entries[i], _entries[found])))
            {
                found = i;
            }
        }

        if (found < 0)
        {
            return false;
        }

        RemoveAt(found);
        return true;
    }

    private static bool GoesBefore(Entry one, Entry other) =>
        one.Holder is null == other.Holder is null ? one.Expires < other.Expires : one.Holder is null;

    private void RemoveAt(int index)
    {
        CryptographicOperations.ZeroMemory(_entries[index].Secret);
        _entries.RemoveAt(index);
    }

    private sealed class Entry(byte[] secret, DateTimeOffset? expires, bool isOneTime)
    {
        public byte[] Secret { get; } = secret;

        public DateTimeOffset? Expires { get; } = expires;

        public bool IsOneTime { get; } = isOneTime;

        /// <summary>Who has taken a one-time ticket.</summary>
        public PeerId? Holder { get; set; }

        public bool IsExpired(DateTimeOffset now) => Expires is { } end && now >= end;
    }
}

/// <summary>A new secret, for a <see cref="Ticket"/>. Not a record: one would print the secret.</summary>
/// <param name="secret">16 bytes, the receiver's own copy.</param>
/// <param name="expires">When it ends; null for never.</param>
internal readonly struct IssuedTicket(byte[] secret, DateTimeOffset? expires)
{
    public byte[] Secret { get; } = secret;

    public DateTimeOffset? Expires { get; } = expires;
}
