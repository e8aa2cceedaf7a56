namespace Gimlet.Quic;

/// <summary>The two kinds of streams (RFC 9000 section 2.1), named as in System.Net.Quic.</summary>
public enum QuicStreamType
{
    /// <summary>Only the side that opened it writes.</summary>
    Unidirectional,

    /// <summary>Both sides write.</summary>
    Bidirectional,
}

/// <summary>Which directions of a stream are aborted.</summary>
[Flags]
public enum QuicAbortDirection
{
    /// <summary>Nothing more is read: STOP_SENDING (RFC 9000 section 19.5).</summary>
    Read = 1,

    /// <summary>Nothing more is written, and what was not sent yet is not: RESET_STREAM (RFC 9000 section 19.4).</summary>
    Write = 2,

    /// <summary>Both.</summary>
    Both = Read | Write,
}
