namespace Gimlet.Quic.Connections;

/// <summary>When a connection is given up because nothing happens, and when it must say something so that it is not (RFC 9000 section 10.1).</summary>
internal sealed class IdleTimer
{
    // Where neither side has one: what most implementations have.
    private static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(30);

    private readonly TimeSpan? _keepAlive;
    private TimeSpan _timeout;
    private TimeSpan _restartedAt;
    private TimeSpan _lastActivity;
    private bool _sentSinceReceived;

    /// <summary>Starts with our own timeout, until the peer's is known.</summary>
    public IdleTimer(TimeSpan now, TimeSpan timeout, TimeSpan? keepAlive)
    {
        _timeout = timeout;
        _keepAlive = keepAlive;
        _restartedAt = now;
        _lastActivity = now;
    }

    /// <summary>
    /// When a sender that flow control holds back says so again: four times within the idle timeout, so that one lost packet does not end the connection.
    /// </summary>
    public TimeSpan BlockedAt => _lastActivity + (_timeout == TimeSpan.Zero ? UsualTimeout : _timeout) / 4;

    /// <summary>When a PING is wanted, or null.</summary>
    public TimeSpan? KeepAliveAt => _keepAlive is { } period ? _lastActivity + period : null;

    /// <summary>RFC 9000 section 10.1: "Each endpoint advertises a max_idle_timeout, but the effective value at an endpoint is computed as the minimum of the two advertised values".</summary>
    /// <param name="peer">The peer's; zero where it has none.</param>
    public void Negotiate(TimeSpan peer)
    {
        if (peer > TimeSpan.Zero && (_timeout == TimeSpan.Zero || peer < _timeout))
        {
            _timeout = peer;
        }
    }

    /// <summary>
    /// When the connection ends, or null. RFC 9000 section 10.1: "To avoid excessively small idle timeout periods, endpoints MUST increase the idle
    /// timeout period to be at least three times the current Probe Timeout (PTO)."
    /// </summary>
    /// <param name="pto">The current probe timeout.</param>
    public TimeSpan? ExpiresAt(TimeSpan pto)
    {
        if (_timeout == TimeSpan.Zero)
        {
            return null;
        }

        TimeSpan least = pto * 3;
        return _restartedAt + (least > _timeout ? least : _timeout);
    }

    /// <summary>The PING was asked for; the next one is due a period later, whether it can be sent or not.</summary>
    public void OnKeepAlive(TimeSpan now) => _lastActivity = now;

    /// <summary>A packet was received and processed.</summary>
    public void OnReceived(TimeSpan now)
    {
        _restartedAt = now;
        _lastActivity = now;
        _sentSinceReceived = false;
    }

    /// <summary>
    /// RFC 9000 section 10.1: "An endpoint also restarts its idle timer when sending an ack-eliciting packet if no other ack-eliciting packets have
    /// been sent since last receiving and processing a packet."
    /// </summary>
    public void OnAckElicitingSent(TimeSpan now)
    {
        _lastActivity = now;
        if (!_sentSinceReceived)
        {
            _sentSinceReceived = true;
            _restartedAt = now;
        }
    }
}
