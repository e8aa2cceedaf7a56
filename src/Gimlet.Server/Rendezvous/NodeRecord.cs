using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>What a registered node said of itself, checked. Immutable: an update makes a new one.</summary>
internal sealed record NodeRecord
{
    public required PeerId Id { get; init; }

    /// <summary>The text form, made once: it goes into every introduction.</summary>
    public required string IdText { get; init; }

    public required byte[] PublicKey { get; init; }

    /// <summary>Null when the node did not bring one: it can call, and cannot be called.</summary>
    public required SignedKey? Prekey { get; init; }

    public required string[] Capabilities { get; init; }

    public required bool Open { get; init; }

    public required CandidateSet Candidates { get; init; }

    public required NatDescription? Nat { get; init; }

    /// <summary>Whether it takes relayed datagrams.</summary>
    public required bool TakesRelayed { get; init; }

    public bool Has(string capability) => Array.IndexOf(Capabilities, capability) >= 0;
}
