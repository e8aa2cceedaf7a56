namespace Gimlet;

/// <summary>What went wrong, for programs. Each kind has a stable string (<see cref="GimletErrorKindExtensions.ToKindString"/>) that scripts may rely on.</summary>
public enum GimletErrorKind
{
    /// <summary>An argument or option is wrong; the message names it and the remedy. <c>bad-usage</c></summary>
    BadUsage,

    /// <summary>No rendezvous server could be reached or none answered. <c>server-unreachable</c></summary>
    ServerUnreachable,

    /// <summary>The server refused this node; the message carries the server's reason. <c>rendezvous-rejected</c></summary>
    RendezvousRejected,

    /// <summary>No server that both sides use relays, and no direct path opened. <c>rendezvous-no-relay</c></summary>
    RendezvousNoRelay,

    /// <summary>No node with that id is registered with the server. <c>peer-offline</c></summary>
    PeerOffline,

    /// <summary>The peer did not answer at the address that was given. <c>peer-not-reachable</c></summary>
    PeerNotReachable,

    /// <summary>The peer, or its policy, refused the call. <c>refused</c></summary>
    Refused,

    /// <summary>No STUN server answered in time. <c>reflex-timeout</c></summary>
    ReflexTimeout,

    /// <summary>No direct path could be opened; the message says why, with the evidence. <c>punch-failed</c></summary>
    PunchFailed,

    /// <summary>The router gave no port mapping: it speaks none of the protocols for it, or has them switched off. <c>port-map-unavailable</c></summary>
    PortMapUnavailable,

    /// <summary>The peer cannot do what was asked. <c>unsupported</c></summary>
    Unsupported,

    /// <summary>The time allowed for the whole operation is over. <c>timed-out</c></summary>
    TimedOut,

    /// <summary>A connection that worked has ended: its path died and no other was found, or the peer closed it. <c>transport</c></summary>
    Transport,

    /// <summary>Something on this machine: a port in use, a key file that cannot be read. <c>local-fault</c></summary>
    LocalFault,
}
