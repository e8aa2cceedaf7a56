using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>What is known of ECN on a path (RFC 9000 appendix A.4).</summary>
internal enum EcnState
{
    /// <summary>The owner does not want it, or the sockets cannot.</summary>
    Disabled,

    /// <summary>The first packets are marked.</summary>
    Testing,

    /// <summary>Enough were marked; nothing is marked until the first of them is acknowledged.</summary>
    Unknown,

    /// <summary>Marks arrive and are reported.</summary>
    Capable,

    /// <summary>Marks are removed, changed, or not reported, or what is marked does not arrive.</summary>
    Failed,
}

/// <summary>
/// Whether packets of a path may be marked (RFC 9000 section 13.4.2). The counts in ACK frames are of the whole packet number space, so they are
/// looked at there (<see cref="EcnCountCheck"/>), which tells this what came of it.
/// </summary>
internal sealed class EcnValidation
{
    private readonly RecoverySettings _settings;
    private readonly bool _isWanted;
    private int _sent;
    private int _lost;

    public EcnValidation(RecoverySettings settings, bool isWanted)
    {
        _settings = settings;
        _isWanted = isWanted;
        Reset();
    }

    public EcnState State { get; private set; }

    /// <summary>How to mark the next packet.</summary>
    public EcnCodepoint NextCodepoint => State is EcnState.Testing or EcnState.Capable ? EcnCodepoint.Ect0 : EcnCodepoint.NotEct;

    /// <summary>A packet was sent that is marked.</summary>
    public void OnMarkedSent()
    {
        if (State is EcnState.Testing && ++_sent >= _settings.EcnTestPackets)
        {
            State = EcnState.Unknown;
        }
    }

    /// <summary>A packet that was marked is lost.</summary>
    public void OnMarkedLost()
    {
        // RFC 9000 section 13.4.2: where all that is marked is lost, marking may be what caused it.
        if (State is EcnState.Testing or EcnState.Unknown)
        {
            _lost++;
            State = State is EcnState.Unknown && _lost >= _sent ? EcnState.Failed : State;
        }
    }

    /// <summary>A probe timeout expired, so many in a row: a network that drops what is marked must not hold up a handshake.</summary>
    public void OnProbeTimeout(int ptoCount)
    {
        if (State is EcnState.Testing && ptoCount >= _settings.EcnTestPtoCount)
        {
            State = EcnState.Unknown;
        }
    }

    /// <summary>Marked packets were acknowledged, and the counts are right.</summary>
    public void OnValidated()
    {
        if (State is EcnState.Testing or EcnState.Unknown)
        {
            State = EcnState.Capable;
        }
    }

    /// <summary>The counts are wrong.</summary>
    public void OnFailed()
    {
        if (State is not EcnState.Disabled)
        {
            State = EcnState.Failed;
        }
    }

    /// <summary>Begins anew, for another path.</summary>
    public void Reset()
    {
        State = _isWanted ? EcnState.Testing : EcnState.Disabled;
        _sent = 0;
        _lost = 0;
    }
}
