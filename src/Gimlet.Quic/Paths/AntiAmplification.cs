namespace Gimlet.Quic.Paths;

/// <summary>
/// How much may be sent to an address that has not proved to be the peer's (RFC 9000 section 8.1), so that nobody can have us flood a third
/// one. Counts whole UDP payloads, whatever is in them.
/// </summary>
internal sealed class AntiAmplification
{
    /// <summary>
    /// RFC 9000 section 8.1: "an endpoint MUST limit the amount of data it sends to the unvalidated address to three times the amount of data
    /// received from that address."
    /// </summary>
    public const int Factor = 3;

    private long _received;
    private long _sent;

    /// <summary>Begins a path.</summary>
    /// <param name="isLifted">Whether the address is proved already: by a token, or because we dialled it.</param>
    public AntiAmplification(bool isLifted) => IsLifted = isLifted;

    /// <summary>Whether there is no limit any more.</summary>
    public bool IsLifted { get; private set; }

    /// <summary>How many bytes may be sent now; <see cref="long.MaxValue"/> without a limit.</summary>
    public long Allowance => IsLifted ? long.MaxValue : Math.Max(0, (Factor * _received) - _sent);

    /// <summary>A datagram came from the address.</summary>
    /// <param name="bytes">Its UDP payload in bytes.</param>
    public void OnReceived(int bytes) => _received += bytes;

    /// <summary>A datagram went to the address.</summary>
    /// <param name="bytes">Its UDP payload in bytes.</param>
    public void OnSent(int bytes) => _sent += bytes;

    /// <summary>The address is proved. For good.</summary>
    public void Lift() => IsLifted = true;
}
