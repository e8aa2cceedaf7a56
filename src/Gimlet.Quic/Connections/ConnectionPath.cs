using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>All that a connection knows of one path.</summary>
internal sealed class ConnectionPath
{
    // What a server's first flight comes in, and what a path that the peer came by needs at least for a probe.
    private const int FullSize = (int)TransportParameters.MinMaxUdpPayloadSize;

    // Counts of what was sent, received and lost here; never reset. The connection writes them.
    public long BytesSent;
    public long BytesReceived;
    public long PacketsSent;
    public long PacketsLost;

    private readonly AntiAmplification _amplification;

    public ConnectionPath(PathRecovery recovery, AntiAmplification amplification, PathValidation validation, MtuDiscovery mtu)
    {
        Recovery = recovery;
        _amplification = amplification;
        NoteLimit();
        Validation = validation;
        Mtu = mtu;
    }

    public PathId Id => Recovery.Path;

    /// <summary>RTT, congestion and pacing.</summary>
    public PathRecovery Recovery { get; }

    /// <summary>Bytes that may go to an address that nobody has proved yet (RFC 9000 section 8.1).</summary>
    public long Allowance => _amplification.Allowance;

    /// <summary>Our challenges.</summary>
    public PathValidation Validation { get; }

    /// <summary>The peer's challenges.</summary>
    public ChallengeResponses Responses { get; } = new();

    /// <summary>How large datagrams may be.</summary>
    public MtuDiscovery Mtu { get; }

    /// <summary>Whether the peer is known to be reachable here: by the handshake, or by a challenge.</summary>
    public bool IsValidated { get; set; }

    /// <summary>Packets that a probe timeout asks for on this path.</summary>
    public int Probes { get; set; }

    /// <summary>Whether its owner vouches for it, as opposed to a packet of the peer that came from there.</summary>
    public bool IsOurs { get; set; }

    /// <summary>Whether its owner gave it up; it is challenged until it answers, or is used again.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>When a packet that was sent here was acknowledged last.</summary>
    public TimeSpan AcknowledgedAt { get; set; } = TimeSpan.MinValue;

    /// <summary>Whether its silence was told.</summary>
    public bool IsSilenceTold { get; set; }

    /// <summary>Whether a packet of the peer's came from there since the validation began.</summary>
    public bool IsHeard { get; set; }

    /// <summary>How often its validation failed and was begun again all the same.</summary>
    public int Retries { get; set; }

    /// <summary>Whether the result of the validation was told.</summary>
    public bool IsResultTold { get; set; }

    /// <summary>A datagram came this way.</summary>
    public void OnReceived(int bytes)
    {
        BytesReceived += bytes;
        _amplification.OnReceived(bytes);
        NoteLimit();
    }

    /// <summary>Datagrams went this way.</summary>
    public void OnSent(int bytes)
    {
        BytesSent += bytes;
        _amplification.OnSent(bytes);
        NoteLimit();
    }

    /// <summary>The address is the peer's.</summary>
    public void Lift()
    {
        _amplification.Lift();
        NoteLimit();
    }

    // RFC 9002 section 6.2.2.1: "If no additional data can be sent, the server's PTO timer MUST NOT be armed until datagrams have been received from
    // the client". Of this path alone: others are not limited by it.
    private void NoteLimit() => Recovery.IsAmplificationLimited = Allowance < FullSize;
}
