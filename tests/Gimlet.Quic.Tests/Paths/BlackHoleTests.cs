using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Paths.Support;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 8899 section 4.3: a path that ceases to carry large packets.</summary>
public sealed class BlackHoleTests
{
    private readonly MtuDiscovery _mtu = new(1200, 1452);
    private readonly MtuPath _path;

    public BlackHoleTests()
    {
        _path = new MtuPath(_mtu, carries: 1500);
        _path.Search();
        Assert.Equal(1452, _mtu.Current);
    }

    [Fact]
    public void Large_packets_that_vanish_again_and_again_bring_the_base_size_back()
    {
        Assert.False(_path.Send(1452, isLost: true));
        Assert.False(_path.Send(100, isLost: false));
        Assert.False(_path.Send(1452, isLost: true));
        Assert.False(_path.Send(1200, isLost: false));
        Assert.True(_path.Send(1452, isLost: true));
        Assert.Equal(1200, _mtu.Current);

        // The search finds at once what the path carries now.
        _path.Carries = 1380;
        _path.Search();
        Assert.InRange(_mtu.Current, 1365, 1380);
    }

    [Fact]
    public void One_large_packet_that_arrives_clears_the_suspicion()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.False(_path.Send(1452, isLost: true));
            Assert.False(_path.Send(1452, isLost: true));
            Assert.False(_path.Send(1300, isLost: false));
        }

        Assert.Equal(1452, _mtu.Current);
    }

    [Fact]
    public void A_burst_of_losses_is_congestion()
    {
        Assert.False(_path.SendBurstThatIsLost(500, 1452));
        Assert.Equal(1452, _mtu.Current);
    }

    [Fact]
    public void Losses_of_packets_that_were_sent_before_one_that_arrived_do_not_count()
    {
        _mtu.OnPacketAcknowledged(1000, 1452);
        for (int i = 0; i < 100; i++)
        {
            Assert.False(_mtu.OnPacketLost(_path.Now + TimeSpan.FromMilliseconds(i), 500 + i, 1452));
        }
    }

    [Fact]
    public void Losses_of_small_packets_do_not_count()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.False(_path.Send(1200, isLost: true));
        }

        Assert.Equal(1452, _mtu.Current);
    }

    [Fact]
    public void Persistent_congestion_brings_the_base_size_back_and_the_search_begins_at_once()
    {
        for (int i = 0; i < 5; i++)
        {
            Assert.True(_mtu.OnPersistentCongestion(_path.Now));
            Assert.Equal(1200, _mtu.Current);
            Assert.False(_mtu.OnPersistentCongestion(_path.Now));
            _path.Search();
            Assert.Equal(1452, _mtu.Current);
        }
    }

    [Fact]
    public void A_path_that_is_a_black_hole_again_and_again_is_left_alone_for_a_while()
    {
        Fall();
        _path.Search();
        Assert.Equal(1452, _mtu.Current);
        Fall();
        Assert.False(_mtu.TryGetProbe(_path.Now, out _));
        Assert.Equal(_path.Now + MtuDiscovery.RaiseInterval, _mtu.NextTimeout);
        _path.Now += MtuDiscovery.RaiseInterval;
        _path.Search();
        Assert.Equal(1452, _mtu.Current);
    }

    [Fact]
    public void From_the_second_probe_timeout_on_packets_are_small()
    {
        Assert.Equal(1452, _mtu.SizeForProbeTimeout(0));
        Assert.Equal(1452, _mtu.SizeForProbeTimeout(1));
        Assert.Equal(1200, _mtu.SizeForProbeTimeout(2));
        Assert.Equal(1200, _mtu.SizeForProbeTimeout(9));
    }

    private void Fall()
    {
        while (!_path.Send(1452, isLost: true))
        {
        }

        Assert.Equal(1200, _mtu.Current);
    }
}
