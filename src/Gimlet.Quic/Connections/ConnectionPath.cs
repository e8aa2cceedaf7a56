using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;

namespace Gimlet.Quic.Connections;

/// <summary>All that a connection knows of one path.</summary>
internal sealed class ConnectionPath
{
    public ConnectionPath(PathRecovery recovery, AntiAmplification amplification, PathValidation validation, MtuDiscovery mtu)
    {
        Recovery = recovery;
        Amplification = amplification;
        Validation = validation;
        Mtu = mtu;
    }

    public PathId Id => Recovery.Path;

    /// <summary>RTT, congestion and pacing.</summary>
    public PathRecovery Recovery { get; }

    /// <summary>How much may go to an address that nobody has proved yet.</summary>
    public AntiAmplification Amplification { get; }

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

    /// <summary>Whether its owner asked for it, as opposed to a packet of the peer that came from there.</summary>
    public bool IsOurs { get; init; }

    /// <summary>Whether a packet of the peer's came from there since the validation began.</summary>
    public bool IsHeard { get; set; }

    /// <summary>How often its validation failed and was begun again all the same.</summary>
    public int Retries { get; set; }

    /// <summary>Whether the result of the validation was told.</summary>
    public bool IsResultTold { get; set; }
}
