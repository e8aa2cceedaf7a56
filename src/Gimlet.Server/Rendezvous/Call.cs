using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>Where a call stands.</summary>
internal enum CallState
{
    /// <summary>The callee was told and decides.</summary>
    Waiting,

    /// <summary>Both know of each other; candidates may still follow.</summary>
    Introduced,

    /// <summary>Refused, expired or withdrawn.</summary>
    Ended,
}

/// <summary>
/// One call between two nodes. It names them by id, not by session: a node that comes back within the call's life goes on with it.
/// Everything that changes is behind <see cref="Gate"/>, which is also held while the call's messages are queued, so that no
/// candidates overtake their introduction.
/// </summary>
internal sealed class Call
{
    public required UInt128 Id { get; init; }

    public required string IdText { get; init; }

    public required long Number { get; init; }

    public required NodeRecord Caller { get; init; }

    public required PeerId Callee { get; init; }

    /// <summary>The session that made the call: from another one of the same node, the same call id means "again".</summary>
    public required long CallerSession { get; init; }

    public required bool NeedsAccept { get; init; }

    public required TimeSpan CreatedAt { get; init; }

    /// <summary>What the callee is told, and told again when it comes back before it answered.</summary>
    public required IncomingMessage Incoming { get; init; }

    /// <summary>The caller's candidates, for readers on the server's machine and for all others.</summary>
    public required CandidateSet CallerCandidates { get; init; }

    public Lock Gate { get; } = new();

    public CallState State { get; set; }

    /// <summary>The session where the call waits for an accept.</summary>
    public RendezvousSession? WaitsAt { get; set; }

    public int TrickledByCaller { get; set; }

    public int TrickledByCallee { get; set; }

    /// <summary>Reads 32 hex digits.</summary>
    public static bool TryParseId([NotNullWhen(true)] string? text, out UInt128 id)
    {
        id = default;
        return text?.Length == 2 * SignalProtocol.CallIdLength
            && UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id);
    }

    public static string Format(UInt128 id) => id.ToString("x32", CultureInfo.InvariantCulture);
}
