using Gimlet.Observability;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Observability;

public sealed class StatisticsTests : IDisposable
{
    private readonly StatisticsCollector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void A_new_node_has_done_nothing()
    {
        NodeStatistics s = _collector.GetStatistics();
        foreach (System.Reflection.PropertyInfo property in typeof(NodeStatistics).GetProperties().Where(p => p.PropertyType == typeof(long)))
        {
            Assert.Equal(0L, property.GetValue(s));
        }

        Assert.Empty(s.PunchesFailedByCause);
        Assert.Equal(PortMappingState.None, s.PortMappingState);
        Assert.Equal((0L, TimeSpan.Zero, null, null, null), (s.TimeToDirect.Count, s.TimeToDirect.Sum, s.TimeToDirect.Min, s.TimeToDirect.Max, s.TimeToDirect.Mean));
    }

    [Fact]
    public void Calls_are_counted_by_direction()
    {
        _ = Call();
        _ = Call();
        _ = Call(CallDirection.Incoming);
        Assert.Equal((2L, 1L), (_collector.GetStatistics().CallsOutgoing, _collector.GetStatistics().CallsIncoming));
    }

    [Fact]
    public void A_punch_without_an_introduction_is_none()
    {
        CallRecord call = Call();
        call.PunchStarted();
        call.PunchSucceeded();
        call.PunchFailed(RelayCause.AnswersLost);
        Assert.Equal((0L, 0L, 0L), Punches());
    }

    [Fact]
    public void A_punch_ends_once()
    {
        CallRecord good = Introduced();
        good.Introduced();
        good.PunchStarted();
        good.PunchStarted();
        good.PunchSucceeded();
        good.PunchSucceeded();
        good.PunchFailed(RelayCause.AnswersLost);
        Assert.Equal((1L, 1L, 0L), Punches());

        CallRecord bad = Introduced();
        bad.PunchStarted();
        bad.PunchFailed(RelayCause.AnswersLost);
        bad.PunchFailed(RelayCause.NothingGotThrough);
        bad.PunchSucceeded();
        Assert.Equal((2L, 1L, 1L), Punches());
    }

    [Fact]
    public void A_punch_that_was_skipped_or_is_over_with_its_call_is_not_attempted_any_more()
    {
        CallRecord skipped = Introduced();
        skipped.PunchSkipped(RelayCause.PeerUnsupported);
        skipped.PunchStarted();
        CallRecord ended = Introduced();
        ended.End(null, PathKind.Relay, RelayCause.StillTrying);
        ended.PunchStarted();
        Assert.Equal((0L, 0L, 0L), Punches());

        CallRecord givenUp = Introduced();
        givenUp.PunchStarted();
        givenUp.End(GimletErrorKind.TimedOut, null, RelayCause.StillTrying);
        givenUp.PunchSucceeded();
        givenUp.PunchFailed(RelayCause.AnswersLost);
        Assert.Equal((1L, 0L, 0L), Punches());
    }

    [Fact]
    public void Failures_are_counted_by_their_cause()
    {
        foreach (RelayCause cause in new[] { RelayCause.AnswersLost, RelayCause.NothingGotThrough, RelayCause.AnswersLost })
        {
            CallRecord call = Introduced();
            call.PunchStarted();
            call.PunchFailed(cause);
        }

        NodeStatistics s = _collector.GetStatistics();
        Assert.Equal(new Dictionary<string, long> { ["answers-lost"] = 2, ["nothing-got-through"] = 1 }, s.PunchesFailedByCause);
        Assert.Equal(3, s.PunchesFailed);
    }

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    public void A_fallback_is_a_punch_that_came_to_nothing_while_the_relay_works(bool skipped, bool relayWorks, bool expected)
    {
        foreach (bool relayFirst in new[] { false, true })
        {
            long before = _collector.GetStatistics().RelayFallbacks;
            CallRecord call = Introduced();
            Relay(relayFirst);
            if (skipped)
            {
                call.PunchSkipped(RelayCause.RelayOnlyPolicy);
            }
            else
            {
                call.PunchStarted();
                call.PunchFailed(RelayCause.AnswersLost);
            }

            Relay(!relayFirst);
            Relay(!relayFirst);
            Assert.Equal(expected ? 1 : 0, _collector.GetStatistics().RelayFallbacks - before);

            void Relay(bool now)
            {
                if (now)
                {
                    call.RelayWorks(relayWorks);
                }
            }
        }
    }

    [Fact]
    public void Nothing_else_is_a_fallback()
    {
        // The punch works.
        CallRecord punched = Introduced();
        punched.RelayWorks(true);
        punched.PunchStarted();
        punched.PunchSucceeded();

        // It is under way.
        CallRecord trying = Introduced();
        trying.RelayWorks(true);
        trying.PunchStarted();

        // The relay had gone when it failed.
        CallRecord gone = Introduced();
        gone.RelayWorks(true);
        gone.RelayWorks(false);
        gone.PunchStarted();
        gone.PunchFailed(RelayCause.AnswersLost);

        // The call was over when the relay came.
        CallRecord over = Introduced();
        over.PunchSkipped(RelayCause.PeerUnsupported);
        over.End(GimletErrorKind.TimedOut, null, RelayCause.PeerUnsupported);
        over.RelayWorks(true);
        Assert.Equal(0, _collector.GetStatistics().RelayFallbacks);
    }

    [Fact]
    public void Connections_are_counted_until_they_end_once()
    {
        ConnectionRecord a = _collector.OpenConnection(CallDirection.Outgoing, PathKind.Relay, 0);
        ConnectionRecord b = _collector.OpenConnection(CallDirection.Incoming, PathKind.Relay, 0);
        Assert.Equal((1L, 1L, 2L), Connections());
        a.Close();
        a.Close();
        Assert.Equal((1L, 1L, 1L), Connections());
        b.Close();
        Assert.Equal((1L, 1L, 0L), Connections());
    }

    [Fact]
    public void Only_another_path_is_a_change()
    {
        ConnectionRecord c = _collector.OpenConnection(CallDirection.Outgoing, PathKind.Relay, 0);
        c.UsesPath(PathKind.Relay, 0);
        c.UsesPath(PathKind.Relay, 7);
        Assert.Equal((0L, 0L, 0L), Changes());
        c.UsesPath(PathKind.Direct, 1);
        Assert.Equal((1L, 0L, 0L), Changes());
        c.UsesPath(PathKind.Direct, 1);
        Assert.Equal((1L, 0L, 0L), Changes());
        c.UsesPath(PathKind.Direct, 2);
        Assert.Equal((1L, 0L, 1L), Changes());
        c.UsesPath(PathKind.Relay, 0);
        Assert.Equal((1L, 1L, 1L), Changes());
        c.UsesPath(PathKind.Direct, 2);
        Assert.Equal((2L, 1L, 1L), Changes());
        c.Close();
        c.UsesPath(PathKind.Relay, 0);
        Assert.Equal((2L, 1L, 1L), Changes());
    }

    [Fact]
    public void A_connection_that_begins_direct_was_not_upgraded()
    {
        _collector.OpenConnection(CallDirection.Outgoing, PathKind.Direct, 3).UsesPath(PathKind.Direct, 3);
        Assert.Equal((0L, 0L, 0L), Changes());
    }

    [Fact]
    public void Renewals_count_from_zero_at_each_new_mapping()
    {
        _collector.RenewPortMapping();
        Assert.Equal((PortMappingState.None, 0L), Mapping());
        _collector.SetPortMapping(PortMappingState.Requested);
        _collector.RenewPortMapping();
        Assert.Equal((PortMappingState.Requested, 0L), Mapping());
        _collector.SetPortMapping(PortMappingState.Mapped);
        _collector.RenewPortMapping();
        _collector.RenewPortMapping();
        Assert.Equal((PortMappingState.Mapped, 2L), Mapping());
        _collector.SetPortMapping(PortMappingState.Lost);
        Assert.Equal((PortMappingState.Lost, 2L), Mapping());
        _collector.SetPortMapping(PortMappingState.Mapped);
        Assert.Equal((PortMappingState.Mapped, 0L), Mapping());
        _collector.RenewPortMapping();
        _collector.SetPortMapping(PortMappingState.Mapped);
        Assert.Equal((PortMappingState.Mapped, 0L), Mapping());
    }

    [Fact]
    public void Bytes_are_kept_by_kind_of_path()
    {
        _collector.AddBytes(PathKind.Direct, 10, 200);
        _collector.AddBytes(PathKind.Relay, 3000, 40_000);
        _collector.AddBytes(PathKind.Relay, 0, 1);
        NodeStatistics s = _collector.GetStatistics();
        Assert.Equal((10L, 200L, 3000L, 40_001L), (s.BytesSentDirect, s.BytesReceivedDirect, s.BytesSentRelay, s.BytesReceivedRelay));
    }

    [Fact]
    public void Adding_bytes_allocates_nothing() => Allocations.AssertNone(() => _collector.AddBytes(PathKind.Direct, 1, 1));

    [Fact]
    public void Times_are_put_into_buckets_once_per_call()
    {
        foreach (int ms in new[] { 1, 5, 6, 132, 20_000 })
        {
            CallRecord call = Call();
            call.FirstByte(TimeSpan.FromMilliseconds(ms));
            call.FirstByte(TimeSpan.FromMilliseconds(9999));
            call.Direct(TimeSpan.FromMilliseconds(ms * 2));
            call.Direct(TimeSpan.FromMilliseconds(9999));
        }

        DurationHistogram first = _collector.GetStatistics().TimeToFirstByte;
        Assert.Equal(DurationHistogram.BoundsMilliseconds.Count + 1, first.Buckets.Count);
        Assert.Equal(2, first.Buckets[0]);
        Assert.Equal(1, first.Buckets[1]);
        Assert.Equal(1, first.Buckets[DurationHistogram.BoundsMilliseconds.IndexOf(150)]);
        Assert.Equal(1, first.Buckets[^1]);
        Assert.Equal(5, first.Count);
        Assert.Equal(5, first.Buckets.Sum());
        Assert.Equal(TimeSpan.FromMilliseconds(20_144), first.Sum);
        Assert.Equal(TimeSpan.FromMilliseconds(1), first.Min);
        Assert.Equal(TimeSpan.FromMilliseconds(20_000), first.Max);
        Assert.Equal(TimeSpan.FromMilliseconds(20_144) / 5, first.Mean);
        Assert.Equal(TimeSpan.FromMilliseconds(40_288), _collector.GetStatistics().TimeToDirect.Sum);
    }

    [Fact]
    public void Bounds_only_grow()
    {
        double[] bounds = [.. DurationHistogram.BoundsMilliseconds];
        Assert.Equal(bounds.Order(), bounds);
        Assert.Equal(bounds.Distinct(), bounds);
        Assert.Equal(bounds, BucketBounds.Seconds.Select(s => Math.Round(s * 1000, 6)));
        for (int i = 0; i < bounds.Length; i++)
        {
            Assert.Equal(i, BucketBounds.IndexOf(TimeSpan.FromMilliseconds(bounds[i])));
            Assert.Equal(i + 1, BucketBounds.IndexOf(TimeSpan.FromMilliseconds(bounds[i]) + TimeSpan.FromTicks(1)));
        }

        Assert.Equal(0, BucketBounds.IndexOf(TimeSpan.Zero));
        Assert.Equal(bounds.Length, BucketBounds.IndexOf(TimeSpan.MaxValue));
    }

    [Fact]
    public void A_snapshot_does_not_change()
    {
        CallRecord call = Introduced();
        call.PunchStarted();
        call.PunchFailed(RelayCause.AnswersLost);
        call.FirstByte(TimeSpan.FromMilliseconds(7));
        NodeStatistics before = _collector.GetStatistics();
        DurationHistogram copy = before.TimeToFirstByte with { };
        CallRecord other = Introduced();
        other.PunchStarted();
        other.PunchFailed(RelayCause.AnswersLost);
        other.FirstByte(TimeSpan.FromMilliseconds(7));
        Assert.Equal(1, before.PunchesFailedByCause["answers-lost"]);
        Assert.Equal(1, before.TimeToFirstByte.Buckets.Sum());
        Assert.Equal(copy, before.TimeToFirstByte);
        Assert.NotEqual(copy, _collector.GetStatistics().TimeToFirstByte);
    }

    [Fact]
    public void The_statistics_stay_readable_after_the_end()
    {
        ConnectionRecord open = _collector.OpenConnection(CallDirection.Outgoing, PathKind.Relay, 0);
        _collector.Dispose();
        _collector.Dispose();
        Assert.Equal(1, _collector.GetStatistics().ConnectionsOpen);
        open.Close();
        Assert.Equal(0, _collector.GetStatistics().ConnectionsOpen);
    }

    [Fact]
    public async Task Every_snapshot_of_a_busy_node_fits_together()
    {
        const int Threads = 4;
        const int Lives = 2000;
        Task[] work = [.. Enumerable.Range(0, Threads).Select(t => Task.Run(() => LiveMany(t, Lives), TestContext.Current.CancellationToken))];
        var all = Task.WhenAll(work);
        NodeStatistics last = _collector.GetStatistics();
        int snapshots = 0;
        while (!all.IsCompleted || snapshots < 100)
        {
            NodeStatistics s = _collector.GetStatistics();
            snapshots++;
            Assert.True(s.PunchesAttempted >= s.PunchesSucceeded + s.PunchesFailed);
            Assert.Equal(s.PunchesFailed, s.PunchesFailedByCause.Values.Sum());
            Assert.True(s.CallsOutgoing + s.CallsIncoming >= s.PunchesAttempted);
            Assert.True(s.RelayFallbacks <= s.CallsOutgoing + s.CallsIncoming - s.PunchesSucceeded);
            Assert.InRange(s.ConnectionsOpen, 0, Math.Min(Threads, s.ConnectionsOpened + s.ConnectionsAccepted));
            Assert.True(s.Downgrades <= s.Upgrades, "each begins on the relay, so none goes back more often than there");
            Assert.Equal(s.TimeToFirstByte.Count, s.TimeToFirstByte.Buckets.Sum());
            Assert.True(s.BytesSentDirect >= last.BytesSentDirect);
            Assert.True(s.CallsOutgoing >= last.CallsOutgoing);
            last = s;
        }

        await all;
        NodeStatistics end = _collector.GetStatistics();
        Assert.Equal(Threads * Lives, end.CallsOutgoing + end.CallsIncoming);
        Assert.Equal(Threads * Lives, end.PunchesAttempted);
        Assert.Equal(Threads * Lives, end.PunchesSucceeded + end.PunchesFailed);
        Assert.Equal(end.PunchesFailed, end.RelayFallbacks);
        Assert.Equal((Threads * Lives, 0L), (end.ConnectionsOpened + end.ConnectionsAccepted, end.ConnectionsOpen));
        Assert.Equal(end.PunchesSucceeded, end.Upgrades);
        Assert.Equal(end.Upgrades, end.Downgrades);
        Assert.Equal(Threads * Lives * 3L, end.BytesSentDirect);
        Assert.Equal(Threads * Lives * 5L, end.BytesReceivedRelay);
        Assert.Equal(Threads * Lives, end.TimeToFirstByte.Count);
    }

    private void LiveMany(int seed, int lives)
    {
        var random = new Random(seed);
        for (int i = 0; i < lives; i++)
        {
            CallDirection direction = random.Next(2) == 0 ? CallDirection.Outgoing : CallDirection.Incoming;
            CallRecord call = Call(direction);
            call.Introduced();
            call.PunchStarted();
            ConnectionRecord connection = _collector.OpenConnection(direction, PathKind.Relay, 0);
            call.RelayWorks(true);
            call.FirstByte(TimeSpan.FromMilliseconds(random.Next(500)));
            if (random.Next(2) == 0)
            {
                call.PunchSucceeded();
                connection.UsesPath(PathKind.Direct, 1);
                connection.UsesPath(PathKind.Relay, 0);
            }
            else
            {
                call.PunchFailed((RelayCause)random.Next(Enum.GetValues<RelayCause>().Length));
            }

            _collector.AddBytes(PathKind.Direct, 3, 0);
            _collector.AddBytes(PathKind.Relay, 0, 5);
            connection.Close();
            call.End(null, PathKind.Relay, RelayCause.NothingGotThrough);
        }
    }

    private CallRecord Call(CallDirection direction = CallDirection.Outgoing) => _collector.BeginCall(default, Keys.Small.Id, direction, "relay-then-direct");

    private CallRecord Introduced()
    {
        CallRecord call = Call();
        call.Introduced();
        return call;
    }

    private (long Attempted, long Succeeded, long Failed) Punches()
    {
        NodeStatistics s = _collector.GetStatistics();
        return (s.PunchesAttempted, s.PunchesSucceeded, s.PunchesFailed);
    }

    private (long Opened, long Accepted, long Open) Connections()
    {
        NodeStatistics s = _collector.GetStatistics();
        return (s.ConnectionsOpened, s.ConnectionsAccepted, s.ConnectionsOpen);
    }

    private (long Up, long Down, long Across) Changes()
    {
        NodeStatistics s = _collector.GetStatistics();
        return (s.Upgrades, s.Downgrades, s.Migrations);
    }

    private (PortMappingState State, long Renewals) Mapping()
    {
        NodeStatistics s = _collector.GetStatistics();
        return (s.PortMappingState, s.PortMappingRenewals);
    }
}
