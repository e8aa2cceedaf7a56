using Gimlet.Signalling;

namespace Gimlet.Errors;

/// <summary>What a <c>limited</c> message means: relayed datagrams of this node were dropped (docs/protocol.md section 6). Nothing has failed by it; QUIC sends again.</summary>
/// <param name="Kind">The kind of error for a dial that runs out of time while this limit is hit.</param>
/// <param name="Message">Which limit, with its figures.</param>
/// <param name="Hint">What would help.</param>
internal readonly record struct RelayLimitNotice(GimletErrorKind Kind, string Message, string Hint)
{
    /// <summary>Explains a <c>limited</c>.</summary>
    /// <param name="limit">Which limit, of any content.</param>
    /// <param name="value">What it is.</param>
    /// <param name="dropped">Datagrams dropped since the last such message.</param>
    public static RelayLimitNotice Of(string? limit, long value, long dropped) => limit switch
    {
        RelayLimit.BytesPerSecond => new(
            GimletErrorKind.RendezvousRejected,
            $"The server relays {value} bytes per second for this node and has dropped {dropped} datagrams beyond that.",
            "A direct path has no such limit; the server's operator can raise it."),
        RelayLimit.FramesPerSecond => new(
            GimletErrorKind.RendezvousRejected,
            $"The server takes {value} frames per second of this node for its peers, however small they are, and has dropped {dropped} datagrams beyond that.",
            "Send fewer and larger datagrams, or to fewer peers at once; a direct path has no such limit."),
        RelayLimit.Queue => new(
            GimletErrorKind.Transport,
            $"The receiver does not read relayed datagrams as fast as they come; the server has dropped the oldest {dropped} of its queue of {value}.",
            "The other side's connection to the server is slow; a direct path avoids it."),
        _ => new(
            GimletErrorKind.RendezvousRejected,
            $"The server has dropped {dropped} relayed datagrams of this node at its limit '{PlainText.Of(limit, "unnamed")}' of {value}.",
            "The server is newer than this node; update this side."),
    };
}
