using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>What a connection keeps for one packet number space (RFC 9000 section 12.3): what came, and the handshake's bytes in both directions.</summary>
internal sealed class PacketSpace : IDisposable
{
    public PacketSpace(PacketNumberSpace number, TimeSpan maxAckDelay)
    {
        Number = number;
        Received = new ReceivedPackets(number, maxAckDelay);
    }

    /// <summary>Which space this is.</summary>
    public PacketNumberSpace Number { get; }

    /// <summary>The packets that carry it.</summary>
    public PacketType Type => Number switch
    {
        PacketNumberSpace.Initial => PacketType.Initial,
        PacketNumberSpace.Handshake => PacketType.Handshake,
        _ => PacketType.OneRtt,
    };

    /// <summary>The level of its CRYPTO frames.</summary>
    public EncryptionLevel Level => (EncryptionLevel)Number;

    public ReceivedPackets Received { get; }

    /// <summary>CRYPTO bytes to send.</summary>
    public SendBuffer CryptoOut { get; } = new();

    /// <summary>CRYPTO bytes that came.</summary>
    public ReceiveBuffer CryptoIn { get; } = new();

    /// <summary>Null before there are keys, after the space was discarded, and for 1-RTT packets, which have <see cref="OneRttProtection"/>.</summary>
    public PacketSealer? Sealer { get; set; }

    /// <inheritdoc cref="Sealer"/>
    public PacketOpener? Opener { get; set; }

    /// <summary>Packets that a probe timeout asks for; they go out whatever the congestion window says.</summary>
    public int Probes { get; set; }

    /// <summary>Its keys are gone: nothing is sent or received in it any more (RFC 9001 section 4.9).</summary>
    public bool IsDiscarded { get; private set; }

    /// <summary>Forgets keys and bytes.</summary>
    public void Discard()
    {
        IsDiscarded = true;
        Probes = 0;
        Dispose();
    }

    public void Dispose()
    {
        Sealer?.Dispose();
        Opener?.Dispose();
        Sealer = null;
        Opener = null;
        CryptoOut.Dispose();
        CryptoIn.Dispose();
    }
}
