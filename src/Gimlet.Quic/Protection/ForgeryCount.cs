namespace Gimlet.Quic.Protection;

/// <summary>Counts the packets of one connection that did not authenticate, whatever the key.</summary>
internal sealed class ForgeryCount
{
    private readonly AeadLimits _limits;

    public ForgeryCount(AeadLimits limits) => _limits = limits;

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>
    /// RFC 9001 section 6.6: "the endpoint MUST immediately close the connection with a connection error of type AEAD_LIMIT_REACHED and not
    /// process any more packets."
    /// </summary>
    public bool IsLimitReached => Count >= _limits.Integrity;

    public void Add() => Count++;
}
