using System.Text.Json.Serialization;

namespace Gimlet.Signalling;

/// <summary>
/// A text frame of the signalling WebSocket (docs/protocol.md section 2). A message whose <c>type</c> this version does not know
/// is read as this base class and ignored, so that versions can differ.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", IgnoreUnrecognizedTypeDiscriminators = true)]
[JsonDerivedType(typeof(ChallengeMessage), "challenge")]
[JsonDerivedType(typeof(RegisterMessage), "register")]
[JsonDerivedType(typeof(RegisteredMessage), "registered")]
[JsonDerivedType(typeof(UpdateMessage), "update")]
[JsonDerivedType(typeof(ConnectMessage), "connect")]
[JsonDerivedType(typeof(IntroduceMessage), "introduce")]
[JsonDerivedType(typeof(IncomingMessage), "incoming")]
[JsonDerivedType(typeof(AcceptMessage), "accept")]
[JsonDerivedType(typeof(RejectMessage), "reject")]
[JsonDerivedType(typeof(HangupMessage), "hangup")]
[JsonDerivedType(typeof(CandidatesMessage), "candidates")]
[JsonDerivedType(typeof(ObservedMessage), "observed")]
[JsonDerivedType(typeof(PingMessage), "ping")]
[JsonDerivedType(typeof(PongMessage), "pong")]
[JsonDerivedType(typeof(LimitedMessage), "limited")]
[JsonDerivedType(typeof(UnreachableMessage), "unreachable")]
[JsonDerivedType(typeof(ErrorMessage), "error")]
internal record SignalMessage;

/// <summary>Server, at once after the upgrade: what the registration must sign, and where STUN is.</summary>
internal sealed record ChallengeMessage : SignalMessage
{
    public byte[]? Nonce { get; init; }

    /// <summary><c>host:port</c>; an empty host is the host that was dialled.</summary>
    public string[]? Stun { get; init; }

    public string? Observed { get; init; }

    /// <summary>The number of the server's process, 16 bytes: a node that dials one server by two names can tell.</summary>
    public byte[]? Server { get; init; }
}

/// <summary>Node: who it is, proven by a signature over the challenge, and where it may be reached.</summary>
internal sealed record RegisterMessage : SignalMessage
{
    public byte[]? PublicKey { get; init; }

    public byte[]? Signature { get; init; }

    public string? Accept { get; init; }

    public string[]? Capabilities { get; init; }

    public SignedKey? Prekey { get; init; }

    public CandidateDescription[]? Candidates { get; init; }

    public NatDescription? Nat { get; init; }

    public string? Token { get; init; }

    public string? Agent { get; init; }
}

/// <summary>Server: the registration stands.</summary>
internal sealed record RegisteredMessage : SignalMessage
{
    public string? Peer { get; init; }

    public string? Observed { get; init; }

    public int KeepAliveMs { get; init; }

    public LimitsDescription? Limits { get; init; }
}

/// <summary>Node: what changed since the registration; what is null stays as it was.</summary>
internal sealed record UpdateMessage : SignalMessage
{
    public CandidateDescription[]? Candidates { get; init; }

    public NatDescription? Nat { get; init; }

    public string? Accept { get; init; }
}

/// <summary>Caller: a call to a peer.</summary>
internal sealed record ConnectMessage : SignalMessage
{
    public string? Call { get; init; }

    public string? Target { get; init; }

    public CandidateDescription[]? Candidates { get; init; }

    public NatDescription? Nat { get; init; }

    public SignedKey? Ephemeral { get; init; }

    /// <summary>The application protocol (ALPN) that will be dialled; null in a call that only looks for paths.</summary>
    public string? Protocol { get; init; }

    /// <summary>The proof of a ticket's secret (docs/protocol.md section 1).</summary>
    public byte[]? Proof { get; init; }
}

/// <summary>Server to the caller: the callee, its pre-key and where it may be reached.</summary>
internal sealed record IntroduceMessage : SignalMessage
{
    public string? Call { get; init; }

    public string? Peer { get; init; }

    public byte[]? PublicKey { get; init; }

    public SignedKey? Prekey { get; init; }

    public CandidateDescription[]? Candidates { get; init; }

    public NatDescription? Nat { get; init; }

    public string[]? Capabilities { get; init; }
}

/// <summary>Server to the callee: somebody calls.</summary>
internal sealed record IncomingMessage : SignalMessage
{
    public string? Call { get; init; }

    public string? Peer { get; init; }

    public byte[]? PublicKey { get; init; }

    public SignedKey? Ephemeral { get; init; }

    public CandidateDescription[]? Candidates { get; init; }

    public NatDescription? Nat { get; init; }

    public string[]? Capabilities { get; init; }

    /// <summary>As in <see cref="ConnectMessage.Protocol"/>.</summary>
    public string? Protocol { get; init; }

    /// <summary>As in <see cref="ConnectMessage.Proof"/>.</summary>
    public byte[]? Proof { get; init; }
}

/// <summary>Callee that registered as <c>on-accept</c>: introduce me.</summary>
internal sealed record AcceptMessage : SignalMessage
{
    public string? Call { get; init; }

    public CandidateDescription[]? Candidates { get; init; }
}

/// <summary>Callee or server: no, and why (<see cref="RejectReason"/>).</summary>
internal sealed record RejectMessage : SignalMessage
{
    public string? Call { get; init; }

    public string? Reason { get; init; }

    public string? Detail { get; init; }
}

/// <summary>Caller, forwarded by the server to the callee: nothing more comes of this call.</summary>
internal sealed record HangupMessage : SignalMessage
{
    public string? Call { get; init; }
}

/// <summary>Either side of a call, through the server: more candidates (trickle), or news of its NAT.</summary>
internal sealed record CandidatesMessage : SignalMessage
{
    public string? Call { get; init; }

    public CandidateDescription[]? Candidates { get; init; }

    /// <summary>What the sender has learned of its NAT since the call began.</summary>
    public NatDescription? Nat { get; init; }
}

/// <summary>Server: the address it sees this WebSocket come from has become another.</summary>
internal sealed record ObservedMessage : SignalMessage
{
    public string? Address { get; init; }
}

/// <summary>Server: relayed datagrams of this node were dropped (docs/protocol.md section 6).</summary>
internal sealed record LimitedMessage : SignalMessage
{
    /// <summary>Which limit (<see cref="RelayLimit"/>).</summary>
    public string? Limit { get; init; }

    /// <summary>What it is, in the unit of its name.</summary>
    public long Value { get; init; }

    /// <summary>Datagrams that were dropped since the last message of this kind.</summary>
    public long Dropped { get; init; }
}

/// <summary>Server: a relayed datagram could not be delivered.</summary>
internal sealed record UnreachableMessage : SignalMessage
{
    public string? Peer { get; init; }

    /// <summary><see cref="RejectReason.Offline"/> or <see cref="RejectReason.NoCall"/>.</summary>
    public string? Reason { get; init; }
}

/// <summary>Either: are you there.</summary>
internal sealed record PingMessage : SignalMessage
{
    public long Id { get; init; }
}

/// <summary>Either: yes.</summary>
internal sealed record PongMessage : SignalMessage
{
    public long Id { get; init; }
}

/// <summary>Server: something is wrong (<see cref="ErrorCode"/>); fatal codes are followed by a close frame.</summary>
internal sealed record ErrorMessage : SignalMessage
{
    public string? Code { get; init; }

    public string? Detail { get; init; }
}
