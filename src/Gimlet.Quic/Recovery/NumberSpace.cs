using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>What is remembered of a packet number space on all paths together.</summary>
internal sealed class NumberSpace
{
    /// <summary>The peer's ECN counts.</summary>
    public EcnCountCheck Ecn;

    private readonly SkippedNumbers? _skipped;

    public NumberSpace(SkippedNumbers? skipped) => _skipped = skipped;

    /// <summary>The number of the next packet.</summary>
    public long Next { get; private set; }

    /// <summary>The largest number that was acknowledged.</summary>
    public long LargestAcknowledged { get; set; } = PacketNumber.None;

    /// <summary>The keys are gone: whatever comes for it is ignored.</summary>
    public bool IsDiscarded { get; set; }

    /// <summary>The next number was used.</summary>
    public void Advance()
    {
        Next++;
        if (_skipped is not null && _skipped.ShouldSkip(Next))
        {
            Next++;
        }
    }

    /// <summary>Whether the range has a number that was left out.</summary>
    public bool IsSkippedIn(in Frames.AckRange range) => _skipped is not null && _skipped.IsIn(range);
}
