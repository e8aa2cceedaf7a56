using System.Net;
using Gimlet.Hosting;
using Gimlet.Quic;
using Gimlet.Quic.Udp;
using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>The ways of a simulated node's QUIC datagrams, as <c>NodePaths</c> keeps them: addresses have positive numbers, relays negative ones.</summary>
internal sealed class SimPaths(SimNode node) : IDatagramSender
{
    private readonly UdpPaths _udp = new();
    private readonly Dictionary<PeerId, Way> _byPeer = [];
    private readonly Dictionary<int, Way> _byNumber = [];
    private readonly Dictionary<TransportAddress, PeerId> _vouched = [];
    private readonly HashSet<PeerId> _expected = [];
    private int _last;

    /// <summary>Relays to peers that are kept.</summary>
    public int RelayCount => _byPeer.Count;

    /// <summary>Addresses at which a connection may begin.</summary>
    public int VouchedCount => _vouched.Count;

    /// <summary>Bytes that went out by a relay.</summary>
    public long RelaySent { get; private set; }

    /// <summary>Bytes that went out directly.</summary>
    public long DirectSent { get; private set; }

    /// <summary>Frames of somebody without a call.</summary>
    public long Unadmitted { get; private set; }

    public QuicPath To(in TransportAddress remote) => _udp.GetOrAdd(default, remote);

    public QuicPath ToRelay(PeerId peer, int session)
    {
        if (!_byPeer.TryGetValue(peer, out Way? way))
        {
            way = new Way(peer, new QuicPath(--_last));
            _byPeer.Add(peer, way);
            _byNumber.Add(way.Path.Value, way);
        }

        way.Session = session >= 0 ? session : way.Session;
        return way.Path;
    }

    public int RelaySessionOf(PeerId peer) => _byPeer.TryGetValue(peer, out Way? way) ? way.Session : -1;

    public void Forget(PeerId peer)
    {
        _ = _expected.Remove(peer);
        Held.Forget(peer);
        if (_byPeer.Remove(peer, out Way? way))
        {
            _ = _byNumber.Remove(way.Path.Value);
        }

        foreach (TransportAddress address in _vouched.Where(v => v.Value == peer).Select(static v => v.Key).ToArray())
        {
            _ = _vouched.Remove(address);
        }
    }

    public void Vouch(in TransportAddress remote, PeerId peer) => _vouched[remote] = peer;

    /// <summary>First datagrams of dials that are not known of yet.</summary>
    public HeldInitials Held { get; } = new();

    /// <summary>A dial of the peer was accepted, or none is waited for any more.</summary>
    public void Expect(PeerId peer, bool isExpected) => _ = isExpected ? _expected.Add(peer) : _expected.Remove(peer);

    public bool IsExpected(PeerId peer) => _expected.Contains(peer);

    /// <summary>Whether a connection may begin there, and whose address it is; empty for nobody's.</summary>
    public bool MayBegin(in TransportAddress remote, out PeerId peer) => _vouched.TryGetValue(remote, out peer) && IsExpected(peer);

    public bool TryFindRelay(PeerId peer, int session, out QuicPath path)
    {
        if (!_byPeer.TryGetValue(peer, out Way? way))
        {
            Unadmitted++;
            path = default;
            return false;
        }

        way.Session = session;
        path = way.Path;
        return true;
    }

    public PeerId PeerOf(QuicPath path) => path.Value < 0
        ? _byNumber.TryGetValue(path.Value, out Way? way) ? way.Peer : default
        : _udp.TryFind(path, out _, out TransportAddress remote) && _vouched.TryGetValue(remote, out PeerId peer) ? peer : default;

    public TransportAddress AddressOf(QuicPath path) => path.Value > 0 && _udp.TryFind(path, out _, out TransportAddress remote) ? remote : default;

    /// <inheritdoc/>
    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        sent = 0;
        if (path.Value < 0)
        {
            if (!_byNumber.TryGetValue(path.Value, out Way? way) || way.Session < 0 || !node.Links[way.Session].TryRelay(way.Peer, datagrams, segmentSize))
            {
                return DatagramSendResult.Unreachable;
            }

            RelaySent += datagrams.Length;
            sent = datagrams.Length;
            return DatagramSendResult.Sent;
        }

        if (!_udp.TryFind(path, out _, out TransportAddress remote))
        {
            return DatagramSendResult.Unreachable;
        }

        while (sent < datagrams.Length)
        {
            ReadOnlySpan<byte> datagram = datagrams.Slice(sent, Math.Min(segmentSize, datagrams.Length - sent));
            if (!node.SendDatagram(remote, datagram))
            {
                return DatagramSendResult.Unreachable;
            }

            sent += datagram.Length;
            DirectSent += datagram.Length;
        }

        return DatagramSendResult.Sent;
    }

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

    private sealed class Way(PeerId peer, QuicPath path)
    {
        public PeerId Peer { get; } = peer;

        public QuicPath Path { get; } = path;

        public int Session { get; set; } = -1;
    }
}
