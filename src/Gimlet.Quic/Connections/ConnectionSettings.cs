using Gimlet.Quic.Protection;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>How a connection behaves, the same for client and server. Validated by whoever makes it from public options.</summary>
internal sealed record ConnectionSettings
{
    /// <summary>Which implementation protects packets.</summary>
    public required IProtectionProvider Protection { get; init; }

    /// <summary>How often keys may be used; smaller only in tests.</summary>
    public AeadLimits AeadLimits { get; init; } = AeadLimits.Gcm;

    /// <summary>RFC 9000 section 10.1; zero: none. 30 s is what quic-go and quinn use.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A handshake that is not complete by then ends. 10 s is quinn's idle timeout before the handshake and what quic-go gives up after.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A PING goes out when nothing was sent that asks for an answer for this long; null: never.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>Flow control for all streams together, in bytes; the window moves with what the application reads.</summary>
    public long ConnectionWindow { get; init; } = 12 * 1024 * 1024;

    /// <summary>Flow control for each stream, in bytes. 40 ms at 1 Gbit/s are 5 MB.</summary>
    public long StreamWindow { get; init; } = 6 * 1024 * 1024;

    /// <summary>Bytes of all streams together that are kept until they are acknowledged; writing waits beyond that, and beyond 64 KiB of its own stream.</summary>
    public int SendBufferBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bidirectional streams that the peer may have open at once. 100 is the usual default.</summary>
    public int MaxBidirectionalStreams { get; init; } = 100;

    /// <summary>Unidirectional streams that the peer may have open at once.</summary>
    public int MaxUnidirectionalStreams { get; init; } = 100;

    /// <summary>Whether DATAGRAM frames are received (RFC 9221), and the most bytes of them that wait for the application or the network.</summary>
    public int DatagramQueueBytes { get; init; } = 1024 * 1024;

    /// <summary>The largest UDP payload that path MTU discovery tries, in bytes. 1452 is Ethernet less IPv6 and UDP headers, what quinn tries.</summary>
    public int MaxUdpPayload { get; init; } = 1452;

    /// <summary>RFC 9000 section 14: 1200 is the least that every path must carry.</summary>
    public int InitialUdpPayload { get; init; } = 1200;

    /// <summary>Whether ECN is tried (RFC 9000 section 13.4).</summary>
    public bool Ecn { get; init; } = true;

    /// <summary>Whether <c>gimlet_paths</c> is offered (docs/protocol.md section 5).</summary>
    public bool GimletPaths { get; init; }

    /// <summary>Opens the trace of a connection, by role and original Destination Connection ID; null: nothing is traced.</summary>
    public Func<EndpointRole, ConnectionId, IConnectionTrace?>? OpenTrace { get; init; }

    /// <summary>Whether the peer is told not to migrate.</summary>
    public bool DisableActiveMigration { get; init; }
}
