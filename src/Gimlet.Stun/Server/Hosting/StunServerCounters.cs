using System.Runtime.InteropServices;

namespace Gimlet.Stun.Server.Hosting;

/// <summary>What a <see cref="StunServer"/> has done since it started: a snapshot, taken without stopping anything.</summary>
/// <param name="Received">Datagrams that came in.</param>
/// <param name="Answered">Requests answered with an address.</param>
/// <param name="Refused">Requests answered with an error.</param>
/// <param name="NotStun">Dropped: not a STUN message.</param>
/// <param name="NotForUs">Dropped: STUN, but no Binding request.</param>
/// <param name="BadSource">Dropped: nothing can be sent to where it came from.</param>
/// <param name="BadFingerprint">Dropped: FINGERPRINT is wrong.</param>
/// <param name="LegacyUnsupported">Dropped: an RFC 3489 client asked for an address that this server does not have.</param>
/// <param name="TooLong">Dropped: longer than any request this server reads.</param>
/// <param name="NotSent">Answers that the system did not take.</param>
/// <param name="Faults">Dropped: the code that answers threw; see <see cref="StunServer.LastFault"/>.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct StunServerCounters(
    long Received,
    long Answered,
    long Refused,
    long NotStun,
    long NotForUs,
    long BadSource,
    long BadFingerprint,
    long LegacyUnsupported,
    long TooLong,
    long NotSent,
    long Faults);
