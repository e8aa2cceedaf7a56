using System.Net.Security;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Hosting;

namespace Gimlet.Quic;

/// <summary>What connections of either role have in common. Checked where it is used; the message names the value that is wrong.</summary>
public abstract record QuicConnectionOptions
{
    // What RFC 9000 section 16 can carry in a transport parameter, less what nobody means: more than 2^40 bytes is a mistake in the unit.
    private const long MaxWindow = 1L << 40;

    // RFC 9000 section 10.1 sets no bound; a day is where a timeout is no timeout any longer.
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(1);

    /// <summary>Application protocols (ALPN) in order of preference; at least one: QUIC has no connection without (RFC 9001 section 8.1).</summary>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; }

    /// <summary>Decides on the peer's certificate. The default refuses everyone; <see cref="QuicTrust"/> has ready ones.</summary>
    public QuicCertificateDecision DecideCertificate { get; init; } = QuicTrust.RefuseEveryone;

    /// <summary>
    /// The connection ends when nothing comes from the peer for this long; the smaller of both sides' counts. 30 s is what quic-go and quinn use.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Asks for an answer when nothing was sent for this long, so that neither the idle timeout nor a NAT ends the connection; null (default):
    /// never.
    /// </summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>How long the handshake may take; 10 s is what quic-go gives up after.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of all streams together that the peer may send before the application reads.</summary>
    public long ConnectionWindow { get; init; } = 12 * 1024 * 1024;

    /// <summary>Bytes of one stream that the peer may send before the application reads. 40 ms at 1 Gbit/s are 5 MB.</summary>
    public long StreamWindow { get; init; } = 6 * 1024 * 1024;

    /// <summary>
    /// Bytes of all streams together that are kept until the peer has acknowledged them; writing waits beyond that, but each stream has 64 KiB
    /// whatever the others hold. 4 MB are 800 Mbit/s over 40 ms.
    /// </summary>
    public int SendBufferBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bidirectional streams that the peer may have open at once; 100 is the usual default.</summary>
    public int MaxInboundBidirectionalStreams { get; init; } = 100;

    /// <summary>Unidirectional streams that the peer may have open at once.</summary>
    public int MaxInboundUnidirectionalStreams { get; init; } = 100;

    /// <summary>
    /// Bytes of datagrams (RFC 9221) that wait for the application, or for the network; 0: datagrams are not received. As much again where the application takes
    /// them slower than they come: it gets them a queue at a time.
    /// </summary>
    public int DatagramQueueBytes { get; init; } = 1024 * 1024;

    /// <summary>The largest UDP payload that is tried, in bytes, 1200 to 65507, the most that UDP carries over IPv4. 1452 is Ethernet less IPv6 and UDP headers.</summary>
    public int MaxUdpPayload { get; init; } = 1452;

    /// <summary>Whether ECN is tried (RFC 9000 section 13.4).</summary>
    public bool Ecn { get; init; } = true;

    /// <summary>The code that <see cref="QuicConnection.DisposeAsync"/> closes with.</summary>
    public long DefaultCloseErrorCode { get; init; }

    /// <summary>The code that disposing of a <see cref="QuicStream"/> aborts with what was not read.</summary>
    public long DefaultStreamErrorCode { get; init; }

    /// <summary>TLS cipher suites in order of preference; null: all that we have.</summary>
    public IReadOnlyList<TlsCipherSuite>? CipherSuites { get; init; }

    /// <summary>
    /// Whether <c>gimlet_paths</c> is offered (docs/protocol.md section 5): where both sides do, either may send on any path that its owner vouches for
    /// (<see cref="QuicConnection.TryUsePath"/>), from the end of the handshake on. With a peer that does not offer it, RFC 9000 holds and nothing more.
    /// </summary>
    public bool GimletPaths { get; init; }

    /// <summary>
    /// Is given each connection once when it begins, before the handshake is complete: the owner of the paths can say then already which path is to be used from completion on
    /// (<see cref="QuicConnection.TryUsePath"/>); streams and datagrams come later. A client's is called by who dials, a server's by who receives:
    /// it must not block. The connection ends where it throws.
    /// </summary>
    public Action<QuicConnection>? ConnectionBegun { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal virtual void Validate()
    {
        if (ApplicationProtocols is null or { Count: 0 } || ApplicationProtocols.Any(static p => p.Protocol.IsEmpty))
        {
            throw new ArgumentException(
                $"{nameof(ApplicationProtocols)} needs at least one protocol, none of them empty.", nameof(ApplicationProtocols));
        }

        ArgumentNullException.ThrowIfNull(DecideCertificate, nameof(DecideCertificate));
        if (IdleTimeout != Timeout.InfiniteTimeSpan)
        {
            OptionCheck.Range(IdleTimeout, TimeSpan.FromMilliseconds(1), MaxTimeout, nameof(IdleTimeout));
        }

        if (KeepAliveInterval is { } interval)
        {
            OptionCheck.Range(interval, TimeSpan.FromMilliseconds(10), MaxTimeout, nameof(KeepAliveInterval));
        }

        OptionCheck.Range(HandshakeTimeout, TimeSpan.FromMilliseconds(1), MaxTimeout, nameof(HandshakeTimeout));
        OptionCheck.Range(ConnectionWindow, 0, MaxWindow, nameof(ConnectionWindow));
        OptionCheck.Range(StreamWindow, 0, MaxWindow, nameof(StreamWindow));
        OptionCheck.Range(SendBufferBytes, 1, 1 << 30, nameof(SendBufferBytes));
        OptionCheck.Range(MaxInboundBidirectionalStreams, 0, ushort.MaxValue, nameof(MaxInboundBidirectionalStreams));
        OptionCheck.Range(MaxInboundUnidirectionalStreams, 0, ushort.MaxValue, nameof(MaxInboundUnidirectionalStreams));
        OptionCheck.Range(DatagramQueueBytes, 0, 1 << 30, nameof(DatagramQueueBytes));
        OptionCheck.Range(MaxUdpPayload, 1200, 65_507, nameof(MaxUdpPayload));
        OptionCheck.ErrorCode(DefaultCloseErrorCode, nameof(DefaultCloseErrorCode));
        OptionCheck.ErrorCode(DefaultStreamErrorCode, nameof(DefaultStreamErrorCode));
        if (CipherSuites is { } suites
            && (suites.Count == 0 || suites.Distinct().Count() != suites.Count || !suites.All(Tls.Keys.CipherSuites.All.Contains)))
        {
            throw new ArgumentException(
                $"{nameof(CipherSuites)} needs at least one of {string.Join(", ", Tls.Keys.CipherSuites.All)}, each once.", nameof(CipherSuites));
        }
    }

    /// <summary>The core's own settings.</summary>
    internal ConnectionSettings ToSettings(EndpointHost endpoint) => new()
    {
        Protection = endpoint.Protection,
        OpenTrace = endpoint.OpenTrace,
        IdleTimeout = IdleTimeout == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : IdleTimeout,
        HandshakeTimeout = HandshakeTimeout,
        KeepAlive = KeepAliveInterval,
        ConnectionWindow = ConnectionWindow,
        StreamWindow = StreamWindow,
        SendBufferBytes = SendBufferBytes,
        MaxBidirectionalStreams = MaxInboundBidirectionalStreams,
        MaxUnidirectionalStreams = MaxInboundUnidirectionalStreams,
        DatagramQueueBytes = DatagramQueueBytes,
        MaxUdpPayload = MaxUdpPayload,
        Ecn = Ecn,
        GimletPaths = GimletPaths,
    };
}
