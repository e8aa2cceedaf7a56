using Gimlet.Stun;

namespace Gimlet.Calls;

/// <summary>A check that waits for its answer.</summary>
internal readonly record struct CheckTransaction(CallAgent Agent, CandidatePair Pair, TimeSpan SentAt, CheckPurpose Purpose, uint Value);

/// <summary>
/// The open checks of all calls, by transaction id, so that an answer finds its call in one look. An entry that nobody answers is
/// forgotten after a while, oldest first.
/// </summary>
internal sealed class CheckTransactions
{
    /// <summary>An answer that is later than this is of no use to any timer. 5 s: the punch deadline.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<StunTransactionId, CheckTransaction> _open = [];
    private readonly Queue<(StunTransactionId Id, TimeSpan SentAt)> _byAge = new();

    public void Add(in StunTransactionId id, in CheckTransaction transaction)
    {
        Forget(transaction.SentAt);
        _open[id] = transaction;
        _byAge.Enqueue((id, transaction.SentAt));
    }

    /// <summary>Takes the transaction: a second answer to it is a duplicate and finds nothing.</summary>
    public bool TryTake(in StunTransactionId id, out CheckTransaction transaction) => _open.Remove(id, out transaction);

    public bool TryPeek(in StunTransactionId id, out CheckTransaction transaction) => _open.TryGetValue(id, out transaction);

    private void Forget(TimeSpan now)
    {
        while (_byAge.TryPeek(out (StunTransactionId Id, TimeSpan SentAt) oldest) && now - oldest.SentAt > Lifetime)
        {
            _ = _byAge.Dequeue();
            _ = _open.Remove(oldest.Id);
        }
    }
}
