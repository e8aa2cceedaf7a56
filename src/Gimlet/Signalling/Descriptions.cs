namespace Gimlet.Signalling;

/// <summary>A P-256 point (65 bytes, uncompressed) and its owner's signature (64 bytes, P1363) under the label of its use.</summary>
internal sealed record SignedKey
{
    public byte[]? Key { get; init; }

    public byte[]? Signature { get; init; }
}

/// <summary>A candidate on the wire.</summary>
internal sealed record CandidateDescription
{
    /// <summary><c>host</c>, <c>srflx</c>, <c>prflx</c>, <c>mapped</c> or <c>relay</c>.</summary>
    public string? Kind { get; init; }

    /// <summary><c>ip:port</c>, IPv6 in brackets.</summary>
    public string? Address { get; init; }

    /// <summary>GIMLET-PROOF of the server's own STUN answer; goes to the server only.</summary>
    public byte[]? Proof { get; init; }

    /// <summary>Set by the server: a public address that it did not observe itself.</summary>
    public bool? Unverified { get; init; }
}

/// <summary>What a node knows of its NAT, with the evidence in words.</summary>
internal sealed record NatDescription
{
    public string? Mapping { get; init; }

    public string? Filtering { get; init; }

    public string? Evidence { get; init; }
}

/// <summary>What the server allows, so that a node can stay below it.</summary>
internal sealed record LimitsDescription
{
    public int MessageBytes { get; init; }

    public int MessagesPerSecond { get; init; }

    public int CallsPerMinute { get; init; }

    /// <summary>The largest binary frame; null at a server that does not relay.</summary>
    public int? RelayFrameBytes { get; init; }

    /// <summary>What this node may have relayed, in bytes; null for no limit.</summary>
    public long? RelayBytesPerSecond { get; init; }
}
