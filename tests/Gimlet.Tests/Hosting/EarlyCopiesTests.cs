using System.Net;
using System.Net.Sockets;
using Gimlet.Hosting;
using Gimlet.Observability;
using Gimlet.Quic;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Hosting;

/// <summary>What goes by the relay before a direct path is proven goes to a few addresses of the peer as well, and never more than three times what came.</summary>
public sealed class EarlyCopiesTests : IDisposable
{
    private readonly NodeSockets _sockets = NodeSockets.BindLoopback();
    private readonly Socket _peer = Receiver();
    private readonly StatisticsCollector _statistics = new();
    private readonly List<byte[]> _relayed = [];
    private readonly NodePaths _paths;

    public EarlyCopiesTests() => _paths = new NodePaths(
        _sockets,
        (_, _, datagrams, _) =>
        {
            _relayed.Add(datagrams.ToArray());
            return true;
        },
        _statistics);

    public void Dispose()
    {
        _sockets.Dispose();
        _peer.Dispose();
        _statistics.Dispose();
    }

    [Fact]
    public void The_same_bytes_go_by_the_relay_and_to_the_address()
    {
        QuicPath relay = _paths.ToRelay(Keys.Small.Id, 0);
        _paths.CopyTo(Keys.Small.Id, AddressOf(_peer), 1200);
        byte[] flight = Bytes(2500);
        Send(relay, flight);

        Assert.Equal(flight, Assert.Single(_relayed));
        byte[] copy = [.. Receive(_peer), .. Receive(_peer), .. Receive(_peer)];
        Assert.Equal(flight, copy);
    }

    [Fact]
    public void An_address_gets_three_times_what_came_from_it_and_more_when_more_has_come()
    {
        QuicPath relay = _paths.ToRelay(Keys.Small.Id, 0);
        TransportAddress address = AddressOf(_peer);
        _paths.Vouch(address, Keys.Small.Id, CandidateKind.PeerReflexive);
        _paths.CopyTo(Keys.Small.Id, address, 100);
        Send(relay, Bytes(301));
        Assert.Equal(0, _peer.Available);

        Send(relay, Bytes(200));
        Assert.Equal(200, Receive(_peer).Length);
        Send(relay, Bytes(101));
        Assert.Equal(0, _peer.Available);

        _paths.NoteDirect(address, 1);
        Send(relay, Bytes(103));
        Assert.Equal(103, Receive(_peer).Length);
        Assert.Equal(4, _relayed.Count);
    }

    [Fact]
    public void What_came_from_an_address_that_nobody_vouched_for_is_worth_nothing()
    {
        QuicPath relay = _paths.ToRelay(Keys.Small.Id, 0);
        _paths.CopyTo(Keys.Small.Id, AddressOf(_peer), 10);
        using Socket stranger = Receiver();
        _paths.NoteDirect(AddressOf(stranger), 1200);
        _paths.NoteDirect(AddressOf(_peer), 1200);
        Send(relay, Bytes(31));
        Assert.Equal((0, 0), (stranger.Available, _peer.Available));
    }

    [Fact]
    public void A_proven_path_ends_them_and_so_does_the_end_of_the_peer()
    {
        QuicPath relay = _paths.ToRelay(Keys.Small.Id, 0);
        _paths.CopyTo(Keys.Small.Id, AddressOf(_peer), 1200);
        _paths.StopCopies(Keys.Small.Id);
        Send(relay, Bytes(10));
        Assert.Equal(0, _peer.Available);

        _paths.CopyTo(Keys.Small.Id, AddressOf(_peer), 1200);
        _paths.Forget(Keys.Small.Id);
        _paths.CopyTo(Keys.Small.Id, AddressOf(_peer), 1200);
        relay = _paths.ToRelay(Keys.Small.Id, 0);
        Send(relay, Bytes(10));
        Assert.Equal(0, _peer.Available);
    }

    [Fact]
    public void A_peer_that_shows_itself_everywhere_has_copies_at_four_addresses()
    {
        QuicPath relay = _paths.ToRelay(Keys.Small.Id, 0);
        Socket[] places = [.. Enumerable.Range(0, 6).Select(static _ => Receiver())];
        foreach (Socket place in places)
        {
            _paths.CopyTo(Keys.Small.Id, AddressOf(place), 1200);
        }

        Send(relay, Bytes(10));
        Assert.Equal([true, true, true, true, false, false], places.Select(static p => p.Available > 0));
        Array.ForEach(places, static p => p.Dispose());
    }

    // On the loopback a datagram is in the receiver's queue when the send returns.
    private void Send(QuicPath relay, byte[] datagrams) => Assert.Equal(DatagramSendResult.Sent, _paths.Send(relay, datagrams, 1200, EcnMark.NotEct, out _));

    private static Socket Receiver()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static TransportAddress AddressOf(Socket socket) => new((IPEndPoint)socket.LocalEndPoint!);

    private static byte[] Receive(Socket socket)
    {
        byte[] buffer = new byte[2000];
        return buffer[..socket.Receive(buffer)];
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(static i => (byte)(i * 7))];
}
