namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Why a datagram was dropped without an answer. The names, in kebab case, are values of the counter <c>gimlet.quic.datagrams.dropped</c>.
/// </summary>
internal enum DropReason
{
    /// <summary>It was not dropped.</summary>
    None,

    /// <summary>No header can be read from it, or version 1 forbids it.</summary>
    Malformed,

    /// <summary>It is of no connection, and nothing that begins one.</summary>
    NoConnection,

    /// <summary>It begins a connection, and this endpoint does not serve.</summary>
    NotServing,

    /// <summary>It begins a connection, and may not from where it came.</summary>
    NotInvited,

    /// <summary>It begins a connection in less than 1200 bytes (RFC 9000 section 14.1).</summary>
    TooSmall,

    /// <summary>It has another version, and nothing can be answered to that.</summary>
    UnknownVersion,

    /// <summary>Its token is not valid.</summary>
    InvalidToken,

    /// <summary>Too many handshakes are under way.</summary>
    HalfOpenLimit,

    /// <summary>It deserved an answer, and there were too many of them in this second.</summary>
    AnswerLimit,

    /// <summary>It begins a connection with a packet that was not protected with its keys.</summary>
    NotAuthentic,
}
