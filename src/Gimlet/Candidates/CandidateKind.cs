namespace Gimlet;

/// <summary>Where a candidate comes from (RFC 8445 section 4, and port mappings).</summary>
public enum CandidateKind
{
    /// <summary>An address of an interface of the machine itself.</summary>
    Host,

    /// <summary>The address that a STUN server saw.</summary>
    ServerReflexive,

    /// <summary>An address that a peer's check revealed.</summary>
    PeerReflexive,

    /// <summary>An address that was configured, told by the cloud, or mapped on the router.</summary>
    Mapped,

    /// <summary>A relay.</summary>
    Relayed,
}
