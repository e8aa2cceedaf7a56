using System.Runtime.InteropServices;
using Gimlet.Sockets;

namespace Gimlet.Stun.Server;

/// <summary>What <see cref="StunResponder"/> made of a datagram; a host counts these.</summary>
public enum StunVerdict
{
    /// <summary>Not a STUN message: dropped.</summary>
    NotStun = 0,

    /// <summary>STUN, but nothing that a server answers (a response, an indication, another method): dropped.</summary>
    NotForUs,

    /// <summary>From an address to which nothing can be sent (port 0, multicast, ...): dropped.</summary>
    BadSource,

    /// <summary>FINGERPRINT is wrong: dropped (RFC 8489 section 6.3).</summary>
    BadFingerprint,

    /// <summary>An RFC 3489 request for what this server cannot do: dropped; see <see cref="StunResponder"/>.</summary>
    LegacyUnsupported,

    /// <summary>The buffer for the answer is too small: dropped.</summary>
    NoRoom,

    /// <summary>Answered with the address.</summary>
    Answered,

    /// <summary>Answered with an error.</summary>
    Refused,
}

/// <summary>An answer to send, or the reason why there is none.</summary>
/// <param name="Verdict">What became of the datagram.</param>
/// <param name="Length">The length of the answer in bytes; 0: send nothing.</param>
/// <param name="Source">The local address and port that the answer must leave from.</param>
/// <param name="Destination">Where it must go.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct StunAnswer(StunVerdict Verdict, int Length, TransportAddress Source, TransportAddress Destination)
{
    internal static StunAnswer Drop(StunVerdict verdict) => new(verdict, 0, default, default);
}
