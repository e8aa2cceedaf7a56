namespace Gimlet.Quic.Streams;

/// <summary>Who may send on a stream (RFC 9000 section 2.1).</summary>
internal enum StreamDirection
{
    /// <summary>Both sides.</summary>
    Bidirectional,

    /// <summary>Only the side that opened it.</summary>
    Unidirectional,
}
