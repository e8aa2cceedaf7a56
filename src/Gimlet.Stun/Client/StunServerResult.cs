using Gimlet.Sockets;

namespace Gimlet.Stun.Client;

/// <summary>What became of the question to one server.</summary>
public enum StunOutcome
{
    /// <summary>It answered with an address.</summary>
    Answered,

    /// <summary>Nothing came back before the deadline.</summary>
    TimedOut,

    /// <summary>It answered with an error.</summary>
    Refused,

    /// <summary>This machine could not send to it.</summary>
    Unreachable,

    /// <summary>Something came back from it before the deadline, and nothing of it was a valid answer.</summary>
    Malformed,

    /// <summary>Its name has no address.</summary>
    NameNotResolved,
}

/// <summary>What became of the question to one server, with everything it said.</summary>
public sealed record StunServerResult
{
    /// <summary>Who was asked.</summary>
    public required StunTarget Target { get; init; }

    /// <summary>What became of it.</summary>
    public required StunOutcome Outcome { get; init; }

    /// <summary>The outcome as a sentence for people, such as "no answer after 5 sends in 3 s".</summary>
    public required string Detail { get; init; }

    /// <summary>How many requests were sent.</summary>
    public int Sends { get; init; }

    /// <summary>The address that the server saw; empty unless it answered.</summary>
    public TransportAddress MappedAddress { get; init; }

    /// <summary>The local address that the answer came to, as the socket reported it; empty unless it answered.</summary>
    public TransportAddress LocalAddress { get; init; }

    /// <summary>
    /// The round trip of exactly the request that was answered; each send has its own transaction id, so it is true even after losses.
    /// </summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>Where the server says it answered from (RFC 5780); empty if it does not say.</summary>
    public TransportAddress ResponseOrigin { get; init; }

    /// <summary>The server's second address (RFC 5780, or CHANGED-ADDRESS of RFC 3489); empty if it names none.</summary>
    public TransportAddress OtherAddress { get; init; }

    /// <summary>GIMLET-PROOF, to hand to the rendezvous; empty if the server gave none.</summary>
    public ReadOnlyMemory<byte> Proof { get; init; }

    /// <summary>The error of a refusal.</summary>
    public StunErrorCode? ErrorCode { get; init; }

    /// <summary>
    /// The server that a refusal with code 300 points to; empty otherwise. It is reported, not followed: without authentication, following
    /// would let anyone who can answer in the server's place choose where this machine sends (RFC 8489 section 10).
    /// </summary>
    public TransportAddress AlternateServer { get; init; }
}
