namespace Gimlet.Quic;

/// <summary>
/// A connection or a stream came to an end that the caller did not ask for. An <see cref="IOException"/>, as users of <see cref="Stream"/>
/// expect.
/// </summary>
public sealed class QuicException : IOException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="kind">What went wrong.</param>
    /// <param name="message">What happened, in one sentence.</param>
    /// <param name="innerException">What caused it, where something was thrown.</param>
    public QuicException(QuicErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
    }

    /// <summary>What went wrong; stable.</summary>
    public QuicErrorKind Kind { get; }

    /// <summary>The application's code (RFC 9000 section 20.2), where an application closed or aborted.</summary>
    public long? ApplicationErrorCode { get; init; }

    /// <summary>The code of RFC 9000 section 20.1, where QUIC or TLS closed; 0x100 to 0x1ff are TLS alerts.</summary>
    public long? TransportErrorCode { get; init; }

    /// <summary>The words that came with the close, or empty. From the peer where it closed: not to be trusted, at most one datagram long.</summary>
    public string Reason { get; init; } = string.Empty;
}
