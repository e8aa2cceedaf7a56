namespace Gimlet.Quic;

/// <summary>What a <see cref="QuicPathEvent"/> tells.</summary>
public enum QuicPathEventKind
{
    /// <summary>The peer proved to be reachable there (RFC 9000 section 8.2).</summary>
    Validated,

    /// <summary>Nothing came back; the path is not used.</summary>
    Failed,

    /// <summary>This side sends there now: a migration of its own is done, the peer migrated, or its NAT gave it another address.</summary>
    InUse,

    /// <summary>
    /// The second probe timeout in a row expired on the path in use without an acknowledgement of anything that was sent there (RFC 9002 section 6.2). Told once
    /// per silence; only with <see cref="QuicConnectionOptions.GimletPaths"/> of both sides.
    /// </summary>
    Silent,

    /// <summary>
    /// The peer's newest packet came on this path, and not on the one in use. Nothing is sent there for that alone. Told once for each path that the peer changes
    /// to, and not more often than once per round trip; only with <see cref="QuicConnectionOptions.GimletPaths"/> of both sides.
    /// </summary>
    PeerMoved,

    /// <summary>A path whose <see cref="Silent"/> was told is not silent any more: something that was sent there has been acknowledged.</summary>
    Heard,
}

/// <summary>Something happened to a path of a connection.</summary>
/// <param name="Kind">What.</param>
/// <param name="Path">Which path.</param>
public readonly record struct QuicPathEvent(QuicPathEventKind Kind, QuicPath Path);
