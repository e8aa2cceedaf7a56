using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Paths.Support;

namespace Gimlet.Quic.Tests.Paths;

/// <summary>RFC 8899: the search.</summary>
public sealed class MtuDiscoveryTests
{
    private const int Maximum = 1452;

    [Fact]
    public void A_path_that_carries_the_maximum_takes_one_probe()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        var path = new MtuPath(mtu, carries: 1500);
        path.Search();
        Assert.Equal(Maximum, mtu.Current);
        Assert.Equal(1, path.Probes);
        Assert.Null(mtu.NextTimeout);
    }

    [Fact]
    public void Any_size_is_found_within_few_probes()
    {
        for (int carries = MtuDiscovery.Base; carries <= Maximum; carries++)
        {
            var mtu = new MtuDiscovery(1200, Maximum);
            var path = new MtuPath(mtu, carries);
            path.Search();
            Assert.InRange(mtu.Current, carries - MtuDiscovery.SmallestGain + 1, carries);

            // 252 bytes take 4 halvings to come below 16; each size that is too large takes three probes, and the first does.
            Assert.InRange(path.Probes, 1, MtuDiscovery.MaxProbes * 6);
        }
    }

    [Fact]
    public void Any_size_up_to_jumbo_frames_is_found()
    {
        var random = new Random(8899);
        for (int i = 0; i < 300; i++)
        {
            int carries = random.Next(1200, 8973);
            var mtu = new MtuDiscovery(1200, 8972);
            var path = new MtuPath(mtu, carries);
            path.Search();
            Assert.InRange(mtu.Current, carries - MtuDiscovery.SmallestGain + 1, carries);
            Assert.InRange(path.Probes, 1, MtuDiscovery.MaxProbes * 11);
        }
    }

    [Fact]
    public void With_one_probe_in_ten_lost_the_size_is_found_all_the_same()
    {
        var random = new Random(10);
        int found = 0;
        const int Runs = 1000;
        for (int seed = 0; seed < Runs; seed++)
        {
            int carries = random.Next(1200, Maximum + 1);
            var mtu = new MtuDiscovery(1200, Maximum);
            var path = new MtuPath(mtu, carries, loss: 0.1, seed);
            path.Search();
            Assert.InRange(mtu.Current, 1200, carries);
            Assert.InRange(path.Probes, 1, MtuDiscovery.MaxProbes * 6);
            found += carries - mtu.Current < MtuDiscovery.SmallestGain ? 1 : 0;
        }

        // A size that is carried is taken as too large when it is lost three times: one in a thousand, for a few sizes.
        Assert.InRange(found, Runs - 20, Runs);
    }

    [Fact]
    public void A_size_that_was_missed_is_found_when_the_raise_timer_ends()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        var path = new MtuPath(mtu, carries: 1300);
        path.Search();
        Assert.InRange(mtu.Current, 1285, 1300);
        Assert.Equal(path.Now + TimeSpan.FromSeconds(600), mtu.NextTimeout);

        path.Carries = 1500;
        path.Now += TimeSpan.FromSeconds(599);
        Assert.False(mtu.TryGetProbe(path.Now, out _));
        path.Now += TimeSpan.FromSeconds(1);
        mtu.HandleTimeout(path.Now);
        Assert.Null(mtu.NextTimeout);
        path.Search();
        Assert.Equal(Maximum, mtu.Current);
    }

    [Fact]
    public void One_or_two_losses_of_a_size_are_not_taken_for_its_being_too_large()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        for (int i = 0; i < MtuDiscovery.MaxProbes - 1; i++)
        {
            Assert.True(mtu.TryGetProbe(At(i), out int size));
            Assert.Equal(Maximum, size);
            mtu.OnProbeSent(At(i), i, size);
            mtu.OnProbeLost(At(i), i);
        }

        Assert.True(mtu.TryGetProbe(At(9), out int last));
        Assert.Equal(Maximum, last);
        mtu.OnProbeSent(At(9), 9, last);
        mtu.OnProbeAcknowledged(At(10), 9);
        Assert.Equal(Maximum, mtu.Current);
    }

    [Fact]
    public void What_is_told_of_other_packets_than_the_probe_changes_nothing()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        Assert.True(mtu.TryGetProbe(At(0), out int size));
        mtu.OnProbeSent(At(0), 5, size);
        mtu.OnProbeAcknowledged(At(1), 4);
        mtu.OnProbeLost(At(1), 6);
        Assert.Equal(1200, mtu.Current);
        Assert.False(mtu.TryGetProbe(At(1), out _));
        mtu.OnProbeAcknowledged(At(2), 5);
        Assert.Equal(Maximum, mtu.Current);
    }

    [Fact]
    public void Nothing_larger_than_the_peer_takes_is_sent()
    {
        var mtu = new MtuDiscovery(1350, Maximum);
        mtu.SetMaximum(1300);
        Assert.Equal(1300, mtu.Current);
        Assert.False(mtu.TryGetProbe(At(0), out _));

        mtu = new MtuDiscovery(1200, Maximum);
        mtu.SetMaximum(1400);
        Assert.True(mtu.TryGetProbe(At(0), out int size));
        Assert.Equal(1400, size);

        mtu = new MtuDiscovery(1200, Maximum);
        mtu.SetMaximum(65527);
        Assert.True(mtu.TryGetProbe(At(0), out size));
        Assert.Equal(Maximum, size);
    }

    [Fact]
    public void A_probe_that_was_under_way_when_the_peer_told_its_maximum_does_not_exceed_it()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        Assert.True(mtu.TryGetProbe(At(0), out int size));
        mtu.OnProbeSent(At(0), 0, size);
        mtu.SetMaximum(1300);
        mtu.OnProbeAcknowledged(At(1), 0);
        Assert.InRange(mtu.Current, 1200, 1300);
    }

    [Fact]
    public void A_size_that_the_system_refuses_is_not_tried_again_and_the_search_goes_on_below()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        Assert.True(mtu.TryGetProbe(At(0), out int size));
        mtu.OnProbeSent(At(0), 0, size);
        Assert.False(mtu.OnTooLarge(size));
        int probes = 0;
        while (mtu.TryGetProbe(At(1), out size))
        {
            Assert.InRange(size, 1201, Maximum - 1);
            mtu.OnProbeSent(At(1), ++probes, size);
            if (size > 1372)
            {
                Assert.False(mtu.OnTooLarge(size));
            }
            else
            {
                mtu.OnProbeAcknowledged(At(1), probes);
            }

            Assert.InRange(probes, 1, 12);
        }

        Assert.InRange(mtu.Current, 1372 - MtuDiscovery.SmallestGain + 1, 1372);
    }

    [Fact]
    public void A_current_size_that_the_system_refuses_goes_back_to_the_base()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        var path = new MtuPath(mtu, carries: 1500);
        path.Search();
        Assert.True(mtu.OnTooLarge(1452));
        Assert.Equal(1200, mtu.Current);
        path.Carries = 1400;
        path.Search();
        Assert.InRange(mtu.Current, 1385, 1400);
        Assert.False(mtu.OnTooLarge(1200));
        Assert.False(mtu.OnTooLarge(800));
        Assert.InRange(mtu.Current, 1385, 1400);
    }

    [Fact]
    public void A_new_other_end_begins_anew_and_the_old_probe_counts_no_more()
    {
        var mtu = new MtuDiscovery(1250, Maximum);
        var path = new MtuPath(mtu, carries: 1500);
        path.Search();
        mtu.Reset(path.Now);
        Assert.Equal(1250, mtu.Current);
        Assert.True(mtu.TryGetProbe(path.Now, out int size));
        mtu.OnProbeSent(path.Now, 100, size);
        mtu.Reset(path.Now);
        mtu.OnProbeAcknowledged(path.Now, 100);
        Assert.Equal(1250, mtu.Current);
        path.Carries = 1300;
        path.Search();
        Assert.InRange(mtu.Current, 1285, 1300);
    }

    [Theory]
    [InlineData(1199, 1452)]
    [InlineData(1300, 1299)]
    public void Sizes_that_make_no_sense_are_refused(int initial, int maximum) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MtuDiscovery(initial, maximum));

    [Fact]
    public void Nothing_is_allocated()
    {
        var mtu = new MtuDiscovery(1200, Maximum);
        long number = 0;
        Allocations.AssertNone(() =>
        {
            var now = TimeSpan.FromSeconds(number);
            if (mtu.TryGetProbe(now, out int size))
            {
                mtu.OnProbeSent(now, number, size);
                mtu.OnProbeLost(now, number);
            }

            mtu.OnPacketAcknowledged(number++, 1300);
            _ = mtu.OnPacketLost(now, number++, 1300);
        });
    }

    private static TimeSpan At(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
