using Gimlet.Hosting;
using Gimlet.Server.Tests.Support;
using Gimlet.Stun.Client;

namespace Gimlet.Server.Tests.Hosting;

/// <summary>Real nodes at servers that do not treat them well.</summary>
public sealed class ReviewNodeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_that_is_refused_each_time_comes_back_ever_more_slowly()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Names = ["other.example"] });
        var closings = new Closings();
        await using (new SignallingLink(server.HttpUrls[0], 0, closings, new ImpatientTime()))
        {
            int[] failures = await closings.First(4).WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
            Assert.Equal([1, 2, 3, 4], failures);
        }
    }

    [Fact]
    public async Task A_server_does_not_choose_any_address_at_all_for_its_nodes_to_ask()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { AnnouncedStun = ["0.0.0.0:53", "169.254.169.254:80", "224.0.0.251:5353", "255.255.255.255:9"] });
        await using GimletNode node = await GimletNode.StartAsync(
            new GimletNodeOptions { Servers = [server.HttpUrls[0]], MetadataAddress = null }, Cancelled);
        await node.WaitForGatheringAsync(Cancelled).WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        Assert.Equal(4, node.StunResults.Count);
        Assert.All(node.StunResults, r => Assert.Equal((StunOutcome.NameNotResolved, 0), (r.Outcome, r.Sends)));
    }

    private sealed class Closings : ISignallingLinkEvents
    {
        private readonly List<int> _failures = [];
        private readonly TaskCompletionSource<int[]> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _wanted;

        public Task<int[]> First(int count)
        {
            Volatile.Write(ref _wanted, count);
            return _first.Task;
        }

        public void LinkOpened(int session, string authority)
        {
        }

        public void LinkReceived(int session, ReadOnlySpan<byte> frame)
        {
        }

        public void LinkRelayed(int session, Span<byte> frame)
        {
        }

        public void LinkClosed(int session, string reason, bool final, int failures)
        {
            _failures.Add(failures);
            if (_failures.Count >= Volatile.Read(ref _wanted) && Volatile.Read(ref _wanted) > 0)
            {
                _ = _first.TrySetResult([.. _failures.Take(_wanted)]);
            }
        }
    }

    /// <summary>Every wait is over at once.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
