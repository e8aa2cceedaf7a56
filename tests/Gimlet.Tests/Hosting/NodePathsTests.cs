using Gimlet.Hosting;
using Gimlet.Observability;
using Gimlet.Quic;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Hosting;

public sealed class NodePathsTests : IDisposable
{
    private static readonly TransportAddress Address = TransportAddress.Parse("127.0.0.1:4");

    private readonly NodeSockets _sockets = NodeSockets.Bind(0, orAny: true);
    private readonly List<(int Session, PeerId Peer, int Bytes, int Segment)> _relayed = [];
    private readonly NodePaths _paths;
    private bool _relayWorks = true;

    public NodePathsTests() => _paths = new NodePaths(
        _sockets,
        (session, peer, datagrams, segment) =>
        {
            _relayed.Add((session, peer, datagrams.Length, segment));
            return _relayWorks;
        },
        new StatisticsCollector());

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public void The_relay_to_a_peer_is_one_path_whichever_server_carries_it()
    {
        QuicPath path = _paths.ToRelay(Keys.Small.Id, 0);
        Assert.True(path.Value < 0);
        Assert.Equal(path, _paths.ToRelay(Keys.Small.Id, 3));
        Assert.Equal(path, _paths.ToRelay(Keys.Small.Id, -1));
        Assert.NotEqual(path, _paths.ToRelay(Keys.Large.Id, 0));
        Assert.Equal((3, 3), (_paths.SessionOf(path), _paths.RelaySessionOf(Keys.Small.Id)));
        Assert.Equal(Keys.Small.Id, _paths.PeerOf(path));
        Assert.True(_paths.AddressOf(path).IsEmpty);
        Assert.Null(_paths.GetRemoteEndPoint(path));

        Assert.Equal(DatagramSendResult.Sent, _paths.Send(path, new byte[2500], 1200, EcnMark.NotEct, out int sent));
        Assert.Equal(2500, sent);
        Assert.Equal((3, Keys.Small.Id, 2500, 1200), Assert.Single(_relayed));
        _relayWorks = false;
        Assert.Equal(DatagramSendResult.Unreachable, _paths.Send(path, new byte[10], 10, EcnMark.NotEct, out sent));
        Assert.Equal(0, sent);
    }

    [Fact]
    public void A_frame_that_a_server_ascribes_to_a_peer_moves_nothing_by_itself_and_a_strangers_is_counted()
    {
        QuicPath path = _paths.ToRelay(Keys.Small.Id, 0);
        Assert.True(_paths.TryFindRelay(Keys.Small.Id, out RelayWay? way));
        Assert.Equal((path, 0), (way.Path, _paths.SessionOf(path)));
        way.Session = 2; // QUIC has found it authentic
        Assert.Equal((2, 2), (_paths.SessionOf(path), _paths.RelaySessionOf(Keys.Small.Id)));
        Assert.False(_paths.TryFindRelay(Keys.Stranger.Id, out _));
        Assert.False(_paths.TryFindRelay(Keys.Stranger.Id, out _));
        Assert.Equal(2, _paths.Unadmitted);
        Assert.Equal(-1, _paths.RelaySessionOf(Keys.Stranger.Id));
    }

    [Fact]
    public void Strangers_of_several_servers_are_all_counted()
    {
        _ = Parallel.For(0, 40_000, _ => _paths.TryFindRelay(Keys.Stranger.Id, out RelayWay? _));
        Assert.Equal(40_000, _paths.Unadmitted);
    }

    [Fact]
    public void A_call_by_another_server_takes_the_relay_along_only_where_it_carries_nothing()
    {
        _paths.Route(Keys.Small.Id, 1, keeps: false);
        Assert.Equal(1, _paths.RelaySessionOf(Keys.Small.Id));
        _paths.Route(Keys.Small.Id, 2, keeps: true);
        Assert.Equal(1, _paths.RelaySessionOf(Keys.Small.Id));

        // Its server has lost the peer; what another says of it is not asked.
        _paths.NoteOffline(Keys.Small.Id, 2);
        Assert.Equal(1, _paths.RelaySessionOf(Keys.Small.Id));
        _paths.NoteOffline(Keys.Small.Id, 1);
        Assert.Equal(2, _paths.RelaySessionOf(Keys.Small.Id));
        _paths.Route(Keys.Small.Id, 3, keeps: true);
        _paths.LeaveServer(2); // it is not spoken with any more
        Assert.Equal(3, _paths.RelaySessionOf(Keys.Small.Id));
        _paths.LeaveServer(3);
        Assert.Equal(-1, _paths.RelaySessionOf(Keys.Small.Id));
        _paths.NoteOffline(Keys.Stranger.Id, 1);
        Assert.Equal(-1, _paths.RelaySessionOf(Keys.Stranger.Id));
    }

    [Fact]
    public void Who_is_forgotten_is_a_stranger_and_its_number_leads_nowhere_and_is_never_anothers()
    {
        QuicPath path = _paths.ToRelay(Keys.Small.Id, 0);
        QuicPath other = _paths.ToRelay(Keys.Large.Id, 0);
        _paths.Vouch(Address, Keys.Small.Id, CandidateKind.PeerReflexive);
        _paths.Vouch(Address.WithPort(5), Keys.Large.Id, CandidateKind.PeerReflexive);
        _paths.Forget(Keys.Small.Id);
        Assert.False(_paths.TryFindRelay(Keys.Small.Id, out _));
        Assert.True(_paths.PeerOf(path).IsEmpty);
        Assert.Equal(-1, _paths.SessionOf(path));
        Assert.Equal(DatagramSendResult.Unreachable, _paths.Send(path, new byte[10], 10, EcnMark.NotEct, out _));
        Assert.Empty(_relayed);
        Assert.False(_paths.IsVouched(Address));
        Assert.True(_paths.IsVouched(Address.WithPort(5)));
        Assert.Equal(Keys.Large.Id, _paths.PeerOf(other));
        QuicPath again = _paths.ToRelay(Keys.Small.Id, 0);
        Assert.NotEqual(path, again);
        Assert.NotEqual(other, again);
        _paths.Forget(Keys.Stranger.Id);
    }

    [Fact]
    public void Connections_may_begin_only_where_an_authenticated_check_came_from()
    {
        NodePaths.Origin origin = _paths.CreateOrigin(_sockets.IPv4!);
        origin.Set(default, Address);
        Assert.False(origin.MayBegin);
        Assert.True(_paths.PeerOf(origin.Path).IsEmpty);
        _paths.Vouch(Address, Keys.Small.Id, CandidateKind.PeerReflexive);
        Assert.False(origin.MayBegin); // a peer's, and no call of it is waited for
        _paths.Expect(Keys.Small.Id, isExpected: true);
        Assert.True(origin.MayBegin);
        Assert.Equal(Keys.Small.Id, _paths.PeerOf(origin.Path));
        origin.Set(default, Address.WithPort(5));
        Assert.False(origin.MayBegin);

        // An address belongs to the peer that proved it last: a NAT gives a port to somebody else.
        _paths.Vouch(Address, Keys.Large.Id, CandidateKind.PeerReflexive);
        Assert.Equal(Keys.Large.Id, _paths.PeerOf(_paths.To(Address)));
        _paths.Forget(Keys.Small.Id);
        origin.Set(default, Address);
        _paths.Expect(Keys.Large.Id, isExpected: true);
        Assert.True(origin.MayBegin);
        _paths.Expect(Keys.Large.Id, isExpected: false);
        Assert.False(origin.MayBegin);
    }

    [Fact]
    public void What_a_peer_sends_before_its_dial_is_known_is_early_and_what_a_stranger_sends_is_not()
    {
        NodePaths.Origin origin = _paths.CreateOrigin(_sockets.IPv4!);
        origin.Set(default, Address);
        Assert.False(origin.WasRefused);
        Assert.False(_paths.IsEarly(Address, out _));
        _paths.Vouch(Address, Keys.Small.Id, CandidateKind.PeerReflexive);
        Assert.True(_paths.IsEarly(Address, out PeerId peer));
        Assert.Equal(Keys.Small.Id, peer);
        Assert.False(origin.MayBegin);
        Assert.True(origin.WasRefused);
        origin.Set(default, Address);
        Assert.False(origin.WasRefused);
        _paths.Expect(Keys.Small.Id, isExpected: true);
        Assert.False(_paths.IsEarly(Address, out _));
        Assert.True(origin.MayBegin);
        Assert.False(origin.WasRefused);

        // And nothing of it is left when the peer is forgotten.
        _paths.Held.Hold(new HeldInitial(Keys.Small.Id, default, Address, EcnMark.NotEct, [1], TimeSpan.Zero));
        _paths.Forget(Keys.Small.Id);
        Assert.Equal(0, _paths.Held.Count);
        Assert.False(_paths.IsEarly(Address, out _));
    }

    [Fact]
    public void An_address_has_one_number_and_gets_its_datagrams()
    {
        using DatagramSocket receiver = DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new(System.Net.IPAddress.Loopback, 0) });
        QuicPath path = _paths.To(Address.WithPort(receiver.LocalAddress.Port));
        Assert.True(path.Value > 0);
        Assert.Equal(path, _paths.To(Address.WithPort(receiver.LocalAddress.Port)));
        Assert.Equal(-1, _paths.SessionOf(path));
        Assert.Equal(receiver.LocalAddress.Port, _paths.GetRemoteEndPoint(path)!.Port);
        Assert.Equal(DatagramSendResult.Sent, _paths.Send(path, new byte[2500], 1200, EcnMark.NotEct, out int sent));
        Assert.InRange(sent, 1200, 2500);
        Assert.Equal(DatagramSendResult.Unreachable, _paths.Send(new QuicPath(4711), new byte[1], 1, EcnMark.NotEct, out _));
        Assert.Equal(DatagramSendResult.Unreachable, _paths.Send(new QuicPath(-4711), new byte[1], 1, EcnMark.NotEct, out _));
        _sockets.Dispose();
        Assert.Equal(DatagramSendResult.Failed, _paths.Send(path, new byte[1], 1, EcnMark.NotEct, out _));
    }
}
