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
}

/// <summary>Something happened to a path of a connection.</summary>
/// <param name="Kind">What.</param>
/// <param name="Path">Which path.</param>
public readonly record struct QuicPathEvent(QuicPathEventKind Kind, QuicPath Path);
