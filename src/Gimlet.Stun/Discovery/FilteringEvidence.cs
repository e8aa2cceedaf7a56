namespace Gimlet.Stun.Discovery;

/// <summary>What became of a request for an answer from elsewhere.</summary>
internal enum ChangeOutcome
{
    /// <summary>Not asked, or not yet known.</summary>
    Unknown = 0,

    /// <summary>The answer came from elsewhere.</summary>
    Heard,

    /// <summary>The server answers from elsewhere, and nothing was heard.</summary>
    Silent,

    /// <summary>The server cannot do it: it refused, ignored the wish, or may have.</summary>
    Unsupported,
}

/// <summary>Draws the conclusion from answers that came from elsewhere, or did not (RFC 5780 section 4.4).</summary>
internal static class FilteringEvidence
{
    /// <summary>What the outcomes leave possible.</summary>
    /// <param name="changeBoth">The answer from the other address and port.</param>
    /// <param name="changePort">The answer from the other port of the same address.</param>
    public static BehaviorRange Judge(ChangeOutcome changeBoth, ChangeOutcome changePort)
    {
        if (changeBoth == ChangeOutcome.Heard)
        {
            return BehaviorRange.Exactly(BehaviorRange.EndpointIndependent);
        }

        // What is shut to another port of an address that was sent to is shut to everyone else as well.
        if (changePort == ChangeOutcome.Silent)
        {
            return BehaviorRange.Exactly(BehaviorRange.AddressAndPortDependent);
        }

        return new BehaviorRange(
            changeBoth == ChangeOutcome.Silent ? BehaviorRange.AddressDependent : BehaviorRange.EndpointIndependent,
            changePort == ChangeOutcome.Heard ? BehaviorRange.AddressDependent : BehaviorRange.AddressAndPortDependent);
    }

    /// <summary>The outcomes in a sentence.</summary>
    public static string Describe(ChangeOutcome changeBoth, ChangeOutcome changePort) => (changeBoth, changePort) switch
    {
        (ChangeOutcome.Heard, _) => "an answer from an address and port that were never sent to came in",
        (ChangeOutcome.Silent, ChangeOutcome.Heard) =>
            "an answer from another port of the server came in, and from its other address none did",
        (_, ChangeOutcome.Heard) =>
            "an answer from another port of the server came in; it has no second address to try",
        (_, ChangeOutcome.Silent) => "no answer from another port of the server came in",
        (ChangeOutcome.Unsupported, ChangeOutcome.Unsupported) => "the server cannot answer from elsewhere, so filtering is not known",
        _ => "filtering is not known",
    };
}
