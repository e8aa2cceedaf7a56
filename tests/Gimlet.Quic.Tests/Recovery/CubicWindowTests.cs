using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>
/// The expected windows were computed from the formulas of RFC 9438 with another program, for one acknowledgement of a whole window per round trip:
/// then the window is exactly where the curve is one round trip later. The first acknowledgement, where the curve begins, is one of a segment.
/// </summary>
public sealed class CubicWindowTests
{
    private static readonly RecoverySettings Large = new()
    {
        InitialWindowPackets = 1000,
        InitialWindowBytes = 1_000_000,
        RenoFriendlyIncrease = RecoverySettings.StandardRenoFriendlyIncrease,
    };

    private static readonly RecoverySettings Small = new()
    {
        InitialWindowPackets = 20,
        InitialWindowBytes = 20_000,
        RenoFriendlyIncrease = RecoverySettings.StandardRenoFriendlyIncrease,
    };

    [Fact]
    public void After_a_reduction_the_window_follows_the_cubic_curve()
    {
        // 1000 segments, 100 ms: K = cbrt(300 / 0.4) = 9.0856 s.
        var window = new CubicWindow(Large, 1000);
        Assert.Equal(1_000_000, window.Window);
        Assert.True(window.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true));
        Assert.Equal(700_000, window.Window);
        Assert.Equal(700_000, window.SlowStartThreshold);
        Assert.False(window.IsInSlowStart);
        var expected = new Dictionary<int, double>
        {
            [10] = 788555.093909846,
            [50] = 972720.9984093731,
            [90] = 999999.7490851294,
            [91] = 1000000.0011936562,
            [120] = 1009901.617395097,
            [150] = 1082754.4616791937,
        };
        window.OnAcknowledged(Ms(100), 1000, Ms(50), Ms(100), isUtilised: true);
        for (int trip = 2; trip <= 150; trip++)
        {
            Grow(window, Ms(trip * 100), Ms(100));
            if (expected.TryGetValue(trip, out double bytes))
            {
                Assert.Equal(bytes, window.Window, 2.0);
            }
        }
    }

    [Fact]
    public void Whoever_shrinks_below_the_last_maximum_aims_lower()
    {
        // Fast convergence: W_max = 700 * 1.7 / 2 = 595 segments, 490 to begin with.
        var window = new CubicWindow(Large, 1000);
        _ = window.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true);
        _ = window.OnCongestionEvent(Ms(100), Ms(50), isUndoable: true);
        Assert.Equal(490_000, window.Window, 1.0);
        window.OnAcknowledged(Ms(200), 1000, Ms(150), Ms(100), isUtilised: true);
        Grow(window, Ms(300), Ms(100));
        Assert.Equal(499535.15898720344, window.Window, 2.0);
    }

    [Fact]
    public void On_short_paths_the_window_grows_as_Renos_would()
    {
        // 20 segments, 20 ms: 0.529 segments per round trip until 20, then one.
        var window = new CubicWindow(Small, 1000);
        _ = window.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true);
        Assert.Equal(14_000, window.Window);
        var expected = new Dictionary<int, double>
        {
            [1] = 14529.411764705882,
            [5] = 16647.058823529413,
            [11] = 19823.529411764717,
            [12] = 20352.9411764706,
            [13] = 21352.9411764706,
            [20] = 28352.9411764706,
            [30] = 38352.9411764706,
        };
        for (int trip = 1; trip <= 30; trip++)
        {
            Grow(window, Ms(trip * 20), Ms(20));
            if (expected.TryGetValue(trip, out double bytes))
            {
                Assert.Equal(bytes, window.Window, 2.0);
            }
        }
    }

    [Fact]
    public void The_time_in_which_the_application_has_nothing_does_not_move_the_curve()
    {
        var busy = new CubicWindow(Large, 1000);
        var idle = new CubicWindow(Large, 1000);
        _ = busy.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true);
        _ = idle.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true);
        Grow(busy, Ms(100), Ms(100));
        Grow(idle, Ms(100), Ms(100));
        long before = idle.Window;
        for (int i = 2; i < 50; i++)
        {
            idle.OnAcknowledged(Ms(i * 100), 1000, Ms((i * 100) - 100), Ms(100), isUtilised: false);
        }

        Assert.Equal(before, idle.Window);
        Grow(busy, Ms(300), Ms(100));
        Grow(idle, Ms(5000), Ms(100));
        Assert.Equal(busy.Window, idle.Window, 15_000.0);
        Assert.True(idle.Window < 1.03 * before, "one step of the curve, not five seconds of it");
    }

    [Fact]
    public void Slow_start_doubles_per_round_trip_and_only_while_the_window_is_used()
    {
        var window = new CubicWindow(RecoverySettings.Default, 1200);
        Assert.Equal(12_000, window.Window);
        window.OnAcknowledged(Ms(50), 12_000, Ms(0), Ms(50), isUtilised: true);
        Assert.Equal(24_000, window.Window);
        window.OnAcknowledged(Ms(100), 24_000, Ms(50), Ms(50), isUtilised: false);
        Assert.Equal(24_000, window.Window);
    }

    [Fact]
    public void The_window_stays_within_its_bounds()
    {
        var window = new CubicWindow(RecoverySettings.Default, 1200);
        for (int i = 1; i < 40; i++)
        {
            _ = window.OnCongestionEvent(Ms(i * 10), Ms((i * 10) - 1), isUndoable: true);
        }

        Assert.Equal(2400, window.Window);
        window.OnPersistentCongestion();
        Assert.Equal(2400, window.Window);
        window.DatagramSize = 1452;
        Assert.Equal(2904, window.Window);

        window.Reset();
        for (int i = 0; i < 40; i++)
        {
            window.OnAcknowledged(Ms(1000 + i), window.Window, Ms(1000 + i), Ms(1), isUtilised: true);
        }

        Assert.Equal(RecoverySettings.Default.MaximumWindow, window.Window);
    }

    [Theory]
    [InlineData(1200, 12_000)]
    [InlineData(1452, 14_520)]
    [InlineData(1500, 14_720)]
    [InlineData(9000, 18_000)]
    public void The_initial_window_is_that_of_RFC_9002_section_7_2(int datagramSize, long expected)
    {
        Assert.Equal(expected, new CubicWindow(RecoverySettings.Default, datagramSize).Window);

        // Found out later, it is the same, as long as nothing happened.
        var window = new CubicWindow(RecoverySettings.Default, 1200) { DatagramSize = datagramSize };
        Assert.Equal(expected, window.Window);
    }

    [Fact]
    public void After_persistent_congestion_slow_start_ends_at_the_threshold()
    {
        var window = new CubicWindow(Small, 1000);
        _ = window.OnCongestionEvent(Ms(0), Ms(0), isUndoable: true);
        window.OnPersistentCongestion();
        Assert.Equal(2000, window.Window);
        for (int i = 1; i <= 3; i++)
        {
            window.OnAcknowledged(Ms(i * 50), window.Window, Ms((i * 50) - 25), Ms(50), isUtilised: true);
        }

        Assert.Equal(14_000, window.Window);
        Assert.False(window.IsInSlowStart);
    }

    [Fact]
    public void A_mark_among_the_losses_cannot_be_taken_back()
    {
        var window = new CubicWindow(Small, 1000);
        Assert.True(window.OnCongestionEvent(Ms(10), Ms(0), isUndoable: true));
        Assert.False(window.OnCongestionEvent(Ms(11), Ms(1), isUndoable: false));
        Assert.False(window.TryUndo());
        Assert.Equal(14_000, window.Window);
    }

    [Fact]
    public void A_path_whose_application_has_little_to_say_keeps_its_window()
    {
        var driver = new RecoveryDriver();
        driver.Path.OnApplicationLimited(driver.Now);
        for (int i = 0; i < 100; i++)
        {
            driver.Sample(30);
            driver.Path.OnApplicationLimited(driver.Now);
        }

        Assert.Equal(12_000, driver.Path.CongestionWindow);

        // Ten packets fill it, so it grows by them; and once there is no more, it stops.
        driver.SendMany(10);
        Assert.True(driver.Path.IsCongestionBlocked);
        Assert.Equal(0, driver.Path.Allowance(driver.Now));
        driver.Path.OnApplicationLimited(driver.Now);
        driver.Advance(30);
        _ = driver.AckRange(100, 109);
        Assert.Equal(24_000, driver.Path.CongestionWindow);
        driver.Path.OnApplicationLimited(driver.Now);
        driver.Sample(30);
        Assert.Equal(24_000, driver.Path.CongestionWindow);
    }

    [Fact]
    public void What_was_sent_before_a_reduction_does_not_grow_the_window()
    {
        var driver = new RecoveryDriver();
        driver.SendMany(10);
        driver.Advance(30);
        _ = driver.Ack(3);
        long reduced = driver.Path.CongestionWindow;
        driver.Advance(1);
        _ = driver.AckRange(4, 9);
        Assert.Equal(reduced, driver.Path.CongestionWindow);
    }

    private static void Grow(CubicWindow window, TimeSpan now, TimeSpan rtt)
        => window.OnAcknowledged(now, window.Window, now - (rtt / 2), rtt, isUtilised: true);
}
