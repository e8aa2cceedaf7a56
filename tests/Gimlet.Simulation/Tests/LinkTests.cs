using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class LinkTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private readonly World _world = new(1);
    private readonly SimHost _a;
    private readonly SimHost _b;
    private readonly SimSocket _from;
    private readonly List<(TimeSpan At, int Number)> _arrived = [];

    public LinkTests()
    {
        _a = _world.Internet.AddHost("a");
        _b = _world.Internet.AddHost("b");
        _a.Link.SetConditions(new LinkConditions());
        _b.Link.SetConditions(new LinkConditions());
        _from = _a.Bind(1000);
        _b.Bind(2000).OnDatagram = (_, _, datagram) => _arrived.Add((_world.Now, BitConverter.ToInt32(datagram)));
    }

    [Fact]
    public void Latency_is_that_of_the_senders_link_up_and_the_receivers_link_down()
    {
        _a.Link.Up.Conditions = new LinkConditions { Latency = 10 * Millisecond };
        _a.Link.Down.Conditions = new LinkConditions { Latency = 500 * Millisecond };
        _b.Link.Down.Conditions = new LinkConditions { Latency = 5 * Millisecond };
        Send(1);
        Assert.Equal([(15 * Millisecond, 0)], _arrived);
    }

    [Fact]
    public void A_datagram_is_never_delivered_from_within_the_call_that_sends_it()
    {
        _ = _from.Send(_b.Address(2000), new byte[4]);
        Assert.Empty(_arrived);
        _world.RunFor(TimeSpan.Zero);
        Assert.Single(_arrived);
    }

    [Fact]
    public void Jitter_spreads_arrivals_and_keeps_their_order()
    {
        _b.Link.Down.Conditions = new LinkConditions { Latency = Millisecond, Jitter = 50 * Millisecond };
        Send(500);
        Assert.Equal(Enumerable.Range(0, 500), _arrived.Select(static a => a.Number));
        Assert.True(_arrived.Select(static a => a.At).Distinct().Count() > 5);
        Assert.All(_arrived, static a => Assert.InRange(a.At, Millisecond, 550 * Millisecond));
    }

    [Fact]
    public void Reordering_lets_later_packets_overtake()
    {
        _b.Link.Down.Conditions = new LinkConditions { Reordering = 0.2 };
        Send(500);
        Assert.Equal(500, _arrived.Count);
        Assert.NotEqual(Enumerable.Range(0, 500), _arrived.Select(static a => a.Number));
    }

    [Fact]
    public void Loss_takes_its_share_and_duplication_adds_its_own()
    {
        _b.Link.Down.Conditions = new LinkConditions { Loss = 0.1 };
        Send(5000);
        Assert.InRange(_arrived.Count, 4350, 4650);
        Assert.Equal(5000 - _arrived.Count, _world.Drops(DropReason.Loss));
        _arrived.Clear();
        _b.Link.Down.Conditions = new LinkConditions { Duplication = 0.1 };
        Send(5000);
        Assert.InRange(_arrived.Count, 5350, 5650);
    }

    [Fact]
    public void One_direction_may_be_bad_alone()
    {
        _a.Link.Down.IsBlackHole = true;
        Send(1);
        Assert.Single(_arrived);
        _a.Link.Up.IsBlackHole = true;
        Send(1);
        Assert.Single(_arrived);
    }

    [Fact]
    public void A_black_hole_swallows_what_is_on_its_way_and_sending_into_it_seems_to_work()
    {
        _b.Link.Down.Conditions = new LinkConditions { Latency = 10 * Millisecond };
        Assert.True(_from.Send(_b.Address(2000), new byte[4]));
        _world.RunFor(5 * Millisecond);
        _b.Link.BlackHole();
        Assert.True(_from.Send(_b.Address(2000), new byte[4]));
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(_arrived);
        Assert.Equal(2, _world.Drops(DropReason.LinkDown));
        _b.Link.Restore();
        Send(1);
        Assert.Single(_arrived);
    }

    [Fact]
    public void A_cut_link_is_known_to_its_host_and_sending_fails_at_once()
    {
        _a.Link.Cut();
        Assert.False(_from.Send(_b.Address(2000), new byte[4]));
        _a.Link.Restore();
        Assert.True(_from.Send(_b.Address(2000), new byte[4]));
    }

    [Fact]
    public void A_link_that_blocks_UDP_drops_datagrams_and_says_so()
    {
        _b.Link.BlockUdp();
        Send(3);
        Assert.Empty(_arrived);
        Assert.Equal(3, _world.Drops(DropReason.UdpBlocked));
    }

    [Fact]
    public void A_low_time_to_live_dies_in_the_internet()
    {
        Assert.True(_from.Send(_b.Address(2000), new byte[4], timeToLive: _world.Internet.Hops));
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(_arrived);
        Assert.True(_from.Send(_b.Address(2000), new byte[4], timeToLive: _world.Internet.Hops + 1));
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(_arrived);
    }

    [Fact]
    public void An_unknown_address_and_a_closed_port_differ()
    {
        List<TransportAddress> unreachable = [];
        _from.OnUnreachable = unreachable.Add;
        _ = _from.Send(_b.Address(2001), [1]);
        _ = _from.Send(TransportAddress.Parse("99.9.9.9:9"), [1]);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([_b.Address(2001)], unreachable);
        Assert.Equal(1, _world.Drops(DropReason.NoRoute));
        Assert.Equal(1, _world.Drops(DropReason.NoSocket));
    }

    [Fact]
    public void Packets_are_pooled()
    {
        Send(1);
        Packet packet = _world.Packets.Rent();
        _world.Packets.Return(packet);
        Send(1);
        Assert.Same(packet, _world.Packets.Rent());
    }

    private void Send(int count)
    {
        for (int i = 0; i < count; i++)
        {
            int number = i;
            _world.After(i * Millisecond, () => _from.Send(_b.Address(2000), BitConverter.GetBytes(number)));
        }

        _world.RunFor(TimeSpan.FromSeconds(10));
    }
}
