using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Connections;

/// <summary>What a <see cref="ConnectionEvent"/> tells. Streams have events of their own (<c>StreamSet.TryPollEvent</c>).</summary>
internal enum ConnectionEventKind
{
    /// <summary>The handshake is complete (RFC 9001 section 4.1.1): protocol and peer are authenticated, streams may be opened.</summary>
    Connected,

    /// <summary>The handshake is confirmed (RFC 9001 section 4.1.2): the client may migrate.</summary>
    Confirmed,

    /// <summary>A DATAGRAM frame came: <c>TryReceiveDatagram</c> gives it.</summary>
    DatagramReceived,

    /// <summary>There is room again for datagrams after <c>TrySendDatagram</c> had none.</summary>
    DatagramsWritable,

    /// <summary>The peer proved to be reachable on <see cref="ConnectionEvent.Path"/> (RFC 9000 section 8.2).</summary>
    PathValidated,

    /// <summary>Nothing came back on <see cref="ConnectionEvent.Path"/>; it is not used.</summary>
    PathFailed,

    /// <summary>We now send on <see cref="ConnectionEvent.Path"/>: the peer migrated, its NAT rebound, or a migration of ours is done.</summary>
    PathChanged,

    /// <summary>
    /// The second probe timeout in a row expired on <see cref="ConnectionEvent.Path"/>, the one in use, without an acknowledgement: once per silence, between
    /// two nodes only.
    /// </summary>
    PathSilent,

    /// <summary>Something that was sent on <see cref="ConnectionEvent.Path"/> was acknowledged after its silence was told.</summary>
    PathHeard,

    /// <summary>The peer's newest packet of its own will came on <see cref="ConnectionEvent.Path"/>, which is not the one in use: once per change, between two nodes only.</summary>
    PeerMoved,

    /// <summary>The server gave a token for the next connection (NEW_TOKEN): <see cref="ConnectionEvent.Token"/>.</summary>
    TokenReceived,

    /// <summary>The connection ended: <see cref="ConnectionEvent.Close"/>. No stream goes on. Datagrams may still have to be sent.</summary>
    Closed,

    /// <summary>Nothing is left to be done; the last event. The connection can be forgotten and disposed of.</summary>
    Drained,
}

/// <summary>One thing that happened, in order.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Path">Of path events.</param>
/// <param name="Close">Of <see cref="ConnectionEventKind.Closed"/>.</param>
/// <param name="Token">Of <see cref="ConnectionEventKind.TokenReceived"/>.</param>
internal readonly record struct ConnectionEvent(
    ConnectionEventKind Kind, PathId Path = default, CloseReason? Close = null, ReadOnlyMemory<byte> Token = default);
