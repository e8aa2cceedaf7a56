using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Hostile;

/// <summary>One thing that a peer must not do, and what must come of it.</summary>
/// <param name="Section">Of RFC 9000, unless another one is named.</param>
/// <param name="What">Which of the section's sentences.</param>
/// <param name="Victim">Who suffers it; null for both roles.</param>
/// <param name="Send">What is sent after the handshake.</param>
/// <param name="Codes">What the CONNECTION_CLOSE may say: the standard leaves a choice here and there.</param>
internal sealed record HostileCase(
    string Section, string What, EndpointRole? Victim, Action<Attack> Send, params TransportErrorCode[] Codes)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Section} {What}";
}

/// <summary>What a case's sender needs to know.</summary>
internal sealed class Attack(HostileWorld world)
{
    /// <summary>What the victim allows of each stream: its <c>StreamWindow</c>.</summary>
    public const int StreamWindow = 20_000;

    /// <summary>What it allows of all of them together.</summary>
    public const int ConnectionWindow = 30_000;

    /// <summary>How many streams of each kind it allows.</summary>
    public const int MaxStreams = 4;

    public HostilePeer Peer => world.Peer;

    public HostileWorld World => world;

    private int PeerBit => Peer.Role == EndpointRole.Client ? 0 : 1;

    /// <summary>A bidirectional stream of the hostile side's.</summary>
    public long Bidi(long n) => (4 * n) + PeerBit;

    /// <summary>A unidirectional stream of the hostile side's: the victim only receives on it.</summary>
    public long Uni(long n) => (4 * n) + 2 + PeerBit;

    /// <summary>A bidirectional stream of the victim's, which it has not opened.</summary>
    public long VictimBidi(long n) => (4 * n) + 1 - PeerBit;

    /// <summary>A unidirectional stream of the victim's: it only sends on it.</summary>
    public long VictimUni(long n) => (4 * n) + 3 - PeerBit;

    /// <summary>Sends frames in a 1-RTT packet.</summary>
    public Attack Frames(params ReadOnlySpan<byte[]> frames)
    {
        Peer.Send(PacketType.OneRtt, frames);
        return this;
    }

    /// <summary>Sends bytes of a stream in packets of 1,000.</summary>
    public Attack Fill(long id, long from, int count)
    {
        for (int i = 0; i < count; i += 1000)
        {
            Frames(RawFrames.Stream(id, from + i, new byte[Math.Min(1000, count - i)]));
        }

        return this;
    }
}
