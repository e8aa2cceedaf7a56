using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Gimlet.Observability;
using Gimlet.Quic;
using Gimlet.Quic.Udp;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// The ways of a node's QUIC datagrams: addresses, which have positive numbers, and the relay to a peer, which has a negative one and stays the same whichever
/// server carries it. Called from any thread; no lock on the way of a datagram.
/// </summary>
/// <param name="sockets">Sends to addresses.</param>
/// <param name="relay">Sends by a server's WebSocket: session, peer, datagrams, segment size; false where it has none.</param>
/// <param name="statistics">Counts the bytes.</param>
internal sealed class NodePaths(NodeSockets sockets, RelaySender relay, StatisticsCollector statistics) : IDatagramSender
{
    // As many addresses as one call may have pairs; a peer that wanders leaves its oldest behind.
    private const int MaxVouched = 80;

    private readonly UdpPaths _udp = new();
    private readonly ConcurrentDictionary<PeerId, RelayWay> _byPeer = new();
    private readonly ConcurrentDictionary<int, RelayWay> _byNumber = new();
    private readonly ConcurrentDictionary<TransportAddress, Vouched> _vouched = new();
    private readonly ConcurrentDictionary<PeerId, bool> _expected = new();
    private readonly Dictionary<PeerId, Queue<TransportAddress>> _vouchedOf = [];
    private readonly Lock _vouching = new();
    private int _last;
    private int _waiting;
    private int _copying;
    private long _unadmitted;

    /// <summary>A socket had no room; <see cref="QuicEndpoint.NotifyWritable"/> is to be called when it has.</summary>
    public Action<DatagramSocket>? WaitForRoom { get; set; }

    /// <summary>First datagrams of dials that are not known of yet.</summary>
    public HeldInitials Held { get; } = new();

    /// <summary>Datagrams that came by the relay from somebody who has no call with this node.</summary>
    public long Unadmitted => Volatile.Read(ref _unadmitted);

    /// <summary>The way to an address. The system chooses the local one: after a change of interface it chooses another, and the path goes on.</summary>
    public QuicPath To(in TransportAddress remote) => _udp.GetOrAdd(default, remote);

    /// <summary>The way by the relay, made where there is none.</summary>
    /// <param name="peer">The other end.</param>
    /// <param name="session">The server that carries it now; -1 to leave it as it is.</param>
    public QuicPath ToRelay(PeerId peer, int session)
    {
        RelayWay way = _byPeer.GetOrAdd(
            peer,
            static (id, paths) =>
            {
                var made = new RelayWay(id, new QuicPath(Interlocked.Decrement(ref paths._last)));
                paths._byNumber[made.Path.Value] = made;
                return made;
            },
            this);
        if (session >= 0)
        {
            way.Session = session;
        }

        return way.Path;
    }

    /// <summary>
    /// A call to the peer goes out by a server. Connections that are open stay where they are while that works: who is behind the other server has yet to be seen,
    /// and a ticket names servers that its writer chose.
    /// </summary>
    /// <param name="peer">The peer.</param>
    /// <param name="session">The server that carries the call.</param>
    /// <param name="keeps">The present server carries connections with the peer.</param>
    public void Route(PeerId peer, int session, bool keeps)
    {
        _ = ToRelay(peer, keeps ? -1 : session);
        _byPeer[peer].RoutedSession = session;
    }

    /// <summary>A server has no such peer: where its last call went, there is another way to it.</summary>
    public void NoteOffline(PeerId peer, int session)
    {
        if (_byPeer.TryGetValue(peer, out RelayWay? way) && way.Session == session && way.RoutedSession >= 0)
        {
            way.Session = way.RoutedSession;
        }
    }

    /// <summary>A server is reached by another session now.</summary>
    public void MoveServer(int session, int into)
    {
        foreach (RelayWay way in _byNumber.Values)
        {
            way.RoutedSession = way.RoutedSession == session ? into : way.RoutedSession;
            way.Session = way.Session == session ? into : way.Session;
        }
    }

    /// <summary>The node does not speak with a server any more.</summary>
    public void LeaveServer(int session)
    {
        foreach (RelayWay way in _byNumber.Values)
        {
            way.RoutedSession = way.RoutedSession == session ? -1 : way.RoutedSession;
            if (way.Session == session)
            {
                // It came this way without a call; where the last call went, it was known.
                way.Session = way.RoutedSession;
            }
        }
    }

    /// <summary>Which server carries datagrams to the peer; -1 for none.</summary>
    public int RelaySessionOf(PeerId peer) => _byPeer.TryGetValue(peer, out RelayWay? way) ? way.Session : -1;

    /// <summary>The peer has no connection and no call any more: what comes from it by the relay is a stranger's.</summary>
    public void Forget(PeerId peer)
    {
        StopCopies(peer);
        if (_byPeer.TryRemove(peer, out RelayWay? way))
        {
            _ = _byNumber.TryRemove(way.Path.Value, out _);
        }

        _ = _expected.TryRemove(peer, out _);
        Held.Forget(peer);
        lock (_vouching)
        {
            if (_vouchedOf.Remove(peer, out Queue<TransportAddress>? addresses))
            {
                foreach (TransportAddress address in addresses)
                {
                    Remove(address, peer);
                }
            }
        }
    }

    /// <summary>An authenticated check of the peer came from the address: its connections may begin there.</summary>
    public void Vouch(in TransportAddress remote, PeerId peer, CandidateKind kind)
    {
        bool known = _vouched.TryGetValue(remote, out Vouched before) && before.Peer == peer;
        _vouched[remote] = new Vouched(peer, kind == CandidateKind.PeerReflexive && known ? before.Kind : kind);
        if (known)
        {
            return;
        }

        lock (_vouching)
        {
            if (!_vouchedOf.TryGetValue(peer, out Queue<TransportAddress>? addresses))
            {
                _vouchedOf[peer] = addresses = new Queue<TransportAddress>();
            }

            addresses.Enqueue(remote);
            if (addresses.Count > MaxVouched)
            {
                Remove(addresses.Dequeue(), peer);
            }
        }
    }

    /// <summary>A call looks for a direct path: until one is proven, what goes to the peer by the relay may go to its addresses as well (<see cref="EarlyCopies"/>).</summary>
    public void BeginCopies(PeerId peer)
    {
        if (_byPeer.TryGetValue(peer, out RelayWay? way) && way.Copies is null)
        {
            way.Copies = new EarlyCopies();
            _ = Interlocked.Increment(ref _copying);
        }
    }

    /// <summary>The peer may be at this address; while copies go anywhere, they go there too.</summary>
    /// <param name="peer">The other end.</param>
    /// <param name="remote">Where it may be.</param>
    /// <param name="received">How many bytes came from there, or stand for the proof that the address is the peer's.</param>
    public void CopyTo(PeerId peer, in TransportAddress remote, int received)
    {
        if (_byPeer.TryGetValue(peer, out RelayWay? way))
        {
            way.Copies?.Note(remote, received);
        }
    }

    /// <summary>A direct path is proven, or none will be: the relay is enough.</summary>
    public void StopCopies(PeerId peer)
    {
        if (_byPeer.TryGetValue(peer, out RelayWay? way) && way.Copies is not null)
        {
            way.Copies = null;
            _ = Interlocked.Decrement(ref _copying);
        }
    }

    /// <summary>A datagram of QUIC came from an address: while copies go there, it may have more of them.</summary>
    public void NoteDirect(in TransportAddress remote, int received)
    {
        if (Volatile.Read(ref _copying) != 0 && _vouched.TryGetValue(remote, out Vouched vouched) && _byPeer.TryGetValue(vouched.Peer, out RelayWay? way))
        {
            way.Copies?.NoteMore(remote, received);
        }
    }

    /// <summary>What kind of candidate the address of a direct path is.</summary>
    public CandidateKind KindOf(QuicPath path) =>
        _vouched.TryGetValue(AddressOf(path), out Vouched vouched) ? vouched.Kind : CandidateKind.PeerReflexive;

    /// <summary>A dial of the peer was accepted, or none is waited for any more: connections begin only where one is.</summary>
    public void Expect(PeerId peer, bool isExpected)
    {
        if (isExpected)
        {
            _expected[peer] = true;
        }
        else
        {
            _ = _expected.TryRemove(peer, out _);
        }
    }

    /// <summary>A dial of the peer was accepted and is no connection yet.</summary>
    public bool IsExpected(PeerId peer) => _expected.ContainsKey(peer);

    /// <summary>Somebody vouched for the address: it is a peer's.</summary>
    public bool IsVouched(in TransportAddress remote) => _vouched.ContainsKey(remote);

    /// <summary>
    /// Whether what begins a connection there has to wait: the address is a peer's, and no dial of that peer is known of. Where it is nobody's, nothing waits.
    /// </summary>
    public bool IsEarly(in TransportAddress remote, out PeerId peer)
    {
        peer = _vouched.TryGetValue(remote, out Vouched vouched) ? vouched.Peer : default;
        return !peer.IsEmpty && !IsExpected(peer);
    }

    /// <summary>
    /// Takes the way of a frame that came by a server; false for a stranger's. That a server names the peer as the sender proves nothing: only when QUIC has found
    /// the frame authentic is the peer to be reached there (<see cref="RelayWay.Session"/>).
    /// </summary>
    public bool TryFindRelay(PeerId peer, [NotNullWhen(true)] out RelayWay? way)
    {
        if (_byPeer.TryGetValue(peer, out way))
        {
            return true;
        }

        // Servers' frames are taken on a thread for each.
        _ = Interlocked.Increment(ref _unadmitted);
        return false;
    }

    /// <summary>Who is at the other end; empty for an address that nobody vouched for.</summary>
    public PeerId PeerOf(QuicPath path) => path.Value < 0
        ? _byNumber.TryGetValue(path.Value, out RelayWay? way) ? way.Peer : default
        : _udp.TryFind(path, out _, out TransportAddress remote) && _vouched.TryGetValue(remote, out Vouched vouched) ? vouched.Peer : default;

    /// <summary>The address of a direct path; empty for the relay.</summary>
    public TransportAddress AddressOf(QuicPath path) => path.Value > 0 && _udp.TryFind(path, out _, out TransportAddress remote) ? remote : default;

    /// <summary>Which server carries a relay; -1 for a direct path.</summary>
    public int SessionOf(QuicPath path) => path.Value < 0 && _byNumber.TryGetValue(path.Value, out RelayWay? way) ? way.Session : -1;

    public void CountReceived(PathKind kind, int bytes) => statistics.AddBytes(kind, 0, bytes);

    /// <inheritdoc/>
    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        sent = 0;
        if (path.Value < 0)
        {
            if (!_byNumber.TryGetValue(path.Value, out RelayWay? way) || !relay(way.Session, way.Peer, datagrams, segmentSize))
            {
                return DatagramSendResult.Unreachable;
            }

            statistics.AddBytes(PathKind.Relay, datagrams.Length, 0);
            sent = datagrams.Length;
            if (way.Copies is { } copies)
            {
                SendCopies(copies, datagrams, segmentSize);
            }

            return DatagramSendResult.Sent;
        }

        if (!_udp.TryFind(path, out _, out TransportAddress remote) || sockets.For(remote) is not { } socket)
        {
            return DatagramSendResult.Unreachable;
        }

        DatagramSendResult result;
        try
        {
            result = socket.SendSegments(datagrams, segmentSize, remote, out int segments, default, new DatagramSendOptions { Ecn = ecn });
            sent = Math.Min(segments * segmentSize, datagrams.Length);
        }
        catch (ObjectDisposedException)
        {
            return DatagramSendResult.Failed;
        }

        statistics.AddBytes(PathKind.Direct, sent, 0);
        if (result == DatagramSendResult.WouldBlock && Interlocked.Exchange(ref _waiting, 1) == 0)
        {
            WaitForRoom?.Invoke(socket);
        }

        return result;
    }

    private void SendCopies(EarlyCopies copies, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        try
        {
            statistics.AddBytes(PathKind.Direct, copies.Send(sockets, datagrams, segmentSize), 0);
        }
        catch (ObjectDisposedException)
        {
            // The node is being disposed, and the sockets were the first to go.
        }
    }

    /// <summary>The socket has room; the next <see cref="DatagramSendResult.WouldBlock"/> asks again.</summary>
    public void RoomAgain() => Volatile.Write(ref _waiting, 0);

    /// <inheritdoc/>
    public void Hold(QuicPath path)
    {
        if (path.Value > 0)
        {
            _udp.Hold(path);
        }
    }

    /// <inheritdoc/>
    public void Release(QuicPath path)
    {
        if (path.Value > 0)
        {
            _udp.Release(path);
        }
    }

    /// <inheritdoc/>
    public IPEndPoint? GetRemoteEndPoint(QuicPath path) => AddressOf(path) is { IsEmpty: false } address ? address.ToIPEndPoint() : null;

    // A NAT gives a port to somebody else: then it is the other's.
    private void Remove(in TransportAddress address, PeerId peer)
    {
        if (_vouched.TryGetValue(address, out Vouched vouched) && vouched.Peer == peer)
        {
            _ = _vouched.TryRemove(address, out _);
        }
    }

    private readonly record struct Vouched(PeerId Peer, CandidateKind Kind);

    /// <summary>Makes the origin of a receive loop.</summary>
    public Origin CreateOrigin(DatagramSocket socket) => new(this, socket);

    /// <summary>The address of the datagram at hand; one instance for each receive loop.</summary>
    internal sealed class Origin(NodePaths paths, DatagramSocket socket) : IDatagramOrigin
    {
        private TransportAddress _local;
        private TransportAddress _remote;

        public QuicPath Path => paths.To(_remote);

        public bool MayBegin
        {
            get
            {
                bool may = paths._vouched.TryGetValue(_remote, out Vouched vouched) && paths.IsExpected(vouched.Peer);
                WasRefused = !may;
                return may;
            }
        }

        /// <summary>The last datagram belonged to no connection, and was not allowed to begin one.</summary>
        public bool WasRefused { get; private set; }

        public void Set(in TransportAddress local, in TransportAddress remote)
        {
            _local = local;
            _remote = remote;
            WasRefused = false;
        }

        public int WriteAddress(Span<byte> destination, out int hostLength)
        {
            hostLength = _remote.WriteAddress(destination);
            BinaryPrimitives.WriteUInt16BigEndian(destination[hostLength..], (ushort)_remote.Port);
            return hostLength + sizeof(ushort);
        }

        // Nobody hears of it when it is not sent: whoever asked asks again.
        public void Answer(ReadOnlySpan<byte> datagram)
        {
            try
            {
                _ = socket.Send(datagram, _remote, _local);
            }
            catch (ObjectDisposedException)
            {
                // The node is being disposed; the loop ends after this datagram.
            }
        }
    }
}

/// <summary>Sends datagrams to a peer by a server's WebSocket; false where there is none.</summary>
internal delegate bool RelaySender(int session, PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize);

/// <summary>The relay to one peer.</summary>
internal sealed class RelayWay(PeerId peer, QuicPath path)
{
    private int _session = -1;
    private EarlyCopies? _copies;

    public PeerId Peer { get; } = peer;

    /// <summary>Where what goes this way goes as well; null but for the first round trips.</summary>
    public EarlyCopies? Copies
    {
        get => Volatile.Read(ref _copies);
        set => Volatile.Write(ref _copies, value);
    }

    public QuicPath Path { get; } = path;

    /// <summary>The server that the last call to the peer went to; -1 before there was one.</summary>
    public int RoutedSession { get; set; } = -1;

    /// <summary>The server session that carries it; -1 before one does.</summary>
    public int Session
    {
        get => Volatile.Read(ref _session);
        set => Volatile.Write(ref _session, value);
    }
}
