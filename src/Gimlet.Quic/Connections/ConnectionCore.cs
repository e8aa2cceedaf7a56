using System.Net.Security;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>
/// One QUIC connection without a socket, a clock or a lock. <c>Handle…</c> and the application's methods feed it; then <see cref="TryPollTransmit"/>,
/// <see cref="TryPollEvent"/> and <c>Streams.TryPollEvent</c> are drained until they are false, and <see cref="NextTimeout"/> is read.
/// Not thread-safe. <c>now</c> never goes back.
/// </summary>
internal sealed class ConnectionCore : IDisposable
{
    /// <summary>Begins a connection; the first flight is ready to be polled.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Where the first flight goes.</param>
    /// <param name="settings">How it behaves.</param>
    /// <param name="tls">TLS; its <see cref="TlsOptions.TransportParameters"/> are ignored, the connection makes them.</param>
    /// <param name="routes">The endpoint's table.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="token">What a NEW_TOKEN frame of the server brought, or empty.</param>
    public static ConnectionCore Connect(
        TimeSpan now, PathId path, ConnectionSettings settings, TlsClientOptions tls, IConnectionRoutes routes, Action<Span<byte>> random, ReadOnlyMemory<byte> token = default)
        => throw new NotImplementedException();

    /// <summary>Accepts a connection. The datagram with the client's Initial is then given to <see cref="HandleDatagram"/>.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="path">Where the Initial came from.</param>
    /// <param name="settings">How it behaves.</param>
    /// <param name="tls">TLS; its <see cref="TlsOptions.TransportParameters"/> are ignored.</param>
    /// <param name="routes">The endpoint's table.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="start">What the endpoint knows of the client's Initial.</param>
    public static ConnectionCore Accept(
        TimeSpan now, PathId path, ConnectionSettings settings, TlsServerOptions tls, IConnectionRoutes routes, Action<Span<byte>> random, in ServerStart start)
        => throw new NotImplementedException();

    /// <summary>Which side this is.</summary>
    public EndpointRole Role => throw new NotImplementedException();

    /// <summary>Both Finished are there.</summary>
    public bool IsConnected => throw new NotImplementedException();

    /// <summary>Why it ended, or null.</summary>
    public CloseReason? Closed => throw new NotImplementedException();

    /// <summary>After <see cref="ConnectionEventKind.Connected"/>.</summary>
    public SslApplicationProtocol ApplicationProtocol => throw new NotImplementedException();

    /// <summary>After <see cref="ConnectionEventKind.Connected"/>; null for a client that showed nothing.</summary>
    public PeerCertificate? Peer => throw new NotImplementedException();

    /// <summary>The path that data goes out on.</summary>
    public PathId CurrentPath => throw new NotImplementedException();

    /// <summary>Takes a UDP datagram: one or more coalesced packets. They are decrypted in place.</summary>
    public void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram) => throw new NotImplementedException();

    /// <summary>Does what is due; harmless when nothing is.</summary>
    public void HandleTimeout(TimeSpan now) => throw new NotImplementedException();

    /// <summary>Writes datagrams of one path into a buffer.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="buffer">At least <see cref="ConnectionSettings.MaxUdpPayload"/> bytes; the more, the more datagrams in one call.</param>
    /// <param name="maxDatagrams">At most so many: what one call of the system takes (64 for UDP GSO).</param>
    /// <param name="transmit">Where they go.</param>
    /// <returns>False when there is nothing to send now.</returns>
    public bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit) => throw new NotImplementedException();

    /// <summary>When <see cref="HandleTimeout"/> is wanted, or null. May be in the past: then at once.</summary>
    public TimeSpan? NextTimeout => throw new NotImplementedException();

    /// <summary>Takes the next event.</summary>
    public bool TryPollEvent(out ConnectionEvent next) => throw new NotImplementedException();

    /// <summary>The most bytes <see cref="TrySendDatagram"/> takes now; 0 where the peer does not want datagrams or it is not known yet.</summary>
    public int MaxDatagramLength => throw new NotImplementedException();

    /// <summary>Queues a DATAGRAM frame (RFC 9221).</summary>
    /// <returns>False when the queue is full; <see cref="ConnectionEventKind.DatagramsWritable"/> tells of room.</returns>
    public bool TrySendDatagram(ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>Takes the oldest datagram that came.</summary>
    /// <param name="destination">Room; a longer datagram is cut, its <paramref name="length"/> tells.</param>
    /// <param name="length">Its length in bytes.</param>
    public bool TryReceiveDatagram(Span<byte> destination, out int length) => throw new NotImplementedException();

    /// <summary>Closes with a code of the application; streams end at once. Does nothing when it is closed already.</summary>
    public void Close(TimeSpan now, long errorCode, string reason) => throw new NotImplementedException();

    /// <summary>Asks for an acknowledgement.</summary>
    public void Ping() => throw new NotImplementedException();

    /// <summary>Begins a key update, where one is permitted (RFC 9001 section 6.1).</summary>
    public bool TryUpdateKeys() => throw new NotImplementedException();

    /// <summary>Probes a path and moves to it once it is validated (RFC 9000 section 9.2). A client's, after confirmation.</summary>
    /// <returns>False when it is not permitted, or no connection id is left for the path.</returns>
    public bool TryMigrate(TimeSpan now, PathId path) => throw new NotImplementedException();

    /// <summary>
    /// Sends on a path from now on, which its owner vouches for; needs <c>gimlet_paths</c> of both sides and a complete handshake. Until
    /// it is validated, all that goes there goes out on the last validated path as well, as packets of their own.
    /// </summary>
    public bool TryUsePath(TimeSpan now, PathId path) => throw new NotImplementedException();

    /// <summary>The path is gone: what was sent there counts as lost, and the best other path takes over.</summary>
    public void RemovePath(TimeSpan now, PathId path) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
