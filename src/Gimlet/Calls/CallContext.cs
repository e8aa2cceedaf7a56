using Gimlet.Stun;

namespace Gimlet.Calls;

/// <summary>What all calls of a node share.</summary>
internal sealed class CallContext(TraversalOptions options, PeerId self, TransmitQueue transmits, Action<Span<byte>> random, bool allowLoopback)
{
    public TraversalOptions Options { get; } = options;

    public PeerId Self { get; } = self;

    public TransmitQueue Transmits { get; } = transmits;

    public CheckTransactions Transactions { get; } = new();

    public CheckBudget Budget { get; } = new(options.NodeChecksPerSecond);

    public bool AllowLoopback { get; } = allowLoopback;

    public StunTransactionId NewTransactionId() => StunTransactionId.Create(random);
}
