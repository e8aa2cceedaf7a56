using System.Net;
using Gimlet.Stun.Client;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

/// <summary>Whatever becomes of STUN: the node starts, says which address it has and why, and goes on.</summary>
public sealed class FallbackTests
{
    private static readonly TraversalOptions Quick = new() { ReflexTimeout = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public async Task STUN_that_answers_is_the_source()
    {
        await using var stun = FakeStun.Seeing("203.0.113.7:4321");
        await using GimletNode node = await StartAsync(Options(stun.Name));
        Assert.Equal(new IPEndPoint(IPAddress.Parse("203.0.113.7"), 4321), node.PublicAddress.Address.ToIPEndPoint());
        Assert.Equal(PublicAddressSource.Stun, node.PublicAddress.Source);
        Assert.Contains(stun.Name, node.PublicAddress.Explanation, StringComparison.Ordinal);
        Assert.Equal(StunOutcome.Answered, Assert.Single(node.StunResults).Outcome);
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
    }

    [Fact]
    public async Task Blocked_UDP_ends_at_the_local_address_with_the_reason()
    {
        await using var stun = FakeStun.Silent();
        await using GimletNode node = await StartAsync(Options(stun.Name) with { Traversal = Quick });
        await AssertLocal(node);
        StunServerResult result = Assert.Single(node.StunResults);
        Assert.Equal(StunOutcome.TimedOut, result.Outcome);
        Assert.NotEqual(0, stun.Requests);
    }

    [Fact]
    public async Task Garbage_ends_at_the_local_address_and_is_called_garbage()
    {
        await using var stun = FakeStun.Garbage();
        await using GimletNode node = await StartAsync(Options(stun.Name) with { Traversal = Quick });
        await AssertLocal(node);
        Assert.Equal(StunOutcome.Malformed, Assert.Single(node.StunResults).Outcome);
    }

    [Fact]
    public async Task An_answer_after_the_deadline_changes_nothing()
    {
        var gate = new TaskCompletionSource();
        await using var stun = FakeStun.Late(gate.Task, "203.0.113.7:4321");
        await using GimletNode node = await StartAsync(Options(stun.Name) with { Traversal = Quick });
        await AssertLocal(node);
        gate.SetResult();
        await using GimletNode peer = await StartAsync();
        (GimletConnection connection, _) = await ConnectAsync(node, peer);
        _ = await connection.PingAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(PublicAddressSource.Local, node.PublicAddress.Source);
        Assert.Equal(StunOutcome.TimedOut, Assert.Single(node.StunResults).Outcome);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_a_result_and_no_error()
    {
        await using GimletNode node = await StartAsync(Options("stun.gimlet-test.invalid") with { Traversal = Quick });
        await AssertLocal(node);
        Assert.Equal(StunOutcome.NameNotResolved, Assert.Single(node.StunResults).Outcome);
        await node.WaitForNatAsync(TestContext.Current.CancellationToken).Within();
        Assert.Null(node.Nat);
    }

    [Fact]
    public async Task No_route_is_a_result_and_no_error()
    {
        // 100::/64 is the discard-only prefix (RFC 6666): no route leads there, and where a default route does, everything is dropped.
        await using GimletNode node = await StartAsync(Options("[100::1]:3478") with { Traversal = Quick });
        await AssertLocal(node);
        Assert.Contains(Assert.Single(node.StunResults).Outcome, new[] { StunOutcome.Unreachable, StunOutcome.TimedOut });
    }

    [Fact]
    public async Task A_closed_port_is_a_result_and_no_error()
    {
        string name;
        await using (var closed = FakeStun.Silent())
        {
            name = closed.Name;
        }

        await using GimletNode node = await StartAsync(Options(name) with { Traversal = Quick });
        await AssertLocal(node);
        Assert.NotEqual(StunOutcome.Answered, Assert.Single(node.StunResults).Outcome);
    }

    [Fact]
    public async Task One_server_that_answers_among_the_broken_is_enough()
    {
        await using var silent = FakeStun.Silent();
        await using var garbage = FakeStun.Garbage();
        await using var good = FakeStun.Seeing("203.0.113.7:4321");
        await using GimletNode node = await StartAsync(Options(silent.Name, garbage.Name, "stun.gimlet-test.invalid", good.Name) with { Traversal = Quick });
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(PublicAddressSource.Stun, node.PublicAddress.Source);
        Assert.Equal(4, node.StunResults.Count);
    }

    [Fact]
    public async Task Without_STUN_the_cloud_is_asked()
    {
        await using FakeMetadata cloud = new FakeMetadata().With((FakeMetadata.GooglePath, FakeMetadata.Ok("203.0.113.8")));
        await using var stun = FakeStun.Silent();
        await using GimletNode node = await StartAsync(Options(stun.Name) with { Traversal = Quick with { MetadataTimeout = Deadline }, MetadataAddress = cloud.Address });
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(PublicAddressSource.CloudMetadata, node.PublicAddress.Source);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("203.0.113.8"), node.LocalPorts.IPv4), node.PublicAddress.Address.ToIPEndPoint());
        Assert.Contains("google", node.PublicAddress.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cloud_is_not_asked_while_STUN_answers_or_an_address_is_configured()
    {
        await using var cloud = new FakeMetadata();
        await using var stun = FakeStun.Honest();
        await using (GimletNode node = await StartAsync(Options(stun.Name) with { MetadataAddress = cloud.Address }))
        {
            await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        }

        await using (GimletNode node = await StartAsync(Options() with { MetadataAddress = cloud.Address, PublicAddress = new IPEndPoint(IPAddress.Parse("203.0.113.9"), 0) }))
        {
            await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
            Assert.Equal(PublicAddressSource.Configured, node.PublicAddress.Source);
            Assert.Equal(node.LocalPorts.IPv4, node.PublicAddress.Address.Port);
        }

        Assert.Empty(cloud.Requests);
    }

    [Fact]
    public async Task The_public_address_can_be_overridden_and_given_back_at_run_time()
    {
        await using var stun = FakeStun.Seeing("203.0.113.7:4321");
        await using GimletNode node = await StartAsync(Options(stun.Name));
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        var changes = new List<PublicAddress>();
        var second = new TaskCompletionSource();
        node.PublicAddressChanged += address =>
        {
            changes.Add(address);
            if (changes.Count == 2)
            {
                second.SetResult();
            }
        };
        node.SetPublicAddress(new IPEndPoint(IPAddress.Parse("203.0.113.99"), 0));
        Assert.Equal(PublicAddressSource.Configured, node.PublicAddress.Source);
        Assert.Equal(node.LocalPorts.IPv4, node.PublicAddress.Address.Port);
        node.SetPublicAddress(null);
        Assert.Equal(PublicAddressSource.Stun, node.PublicAddress.Source);
        await second.Task.Within();
        Assert.Equal([PublicAddressSource.Configured, PublicAddressSource.Stun], changes.Select(c => c.Source));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("fe80::1")]
    public async Task A_public_address_that_no_peer_can_send_to_is_bad_usage(string address)
    {
        var bad = new IPEndPoint(IPAddress.Parse(address), 5);
        await using GimletNode node = await StartAsync();
        Assert.Equal(GimletErrorKind.BadUsage, Assert.Throws<GimletException>(() => node.SetPublicAddress(bad)).Kind);
        Assert.Equal(GimletErrorKind.BadUsage, Assert.Throws<GimletException>(() => (Options() with { PublicAddress = bad }).Validate()).Kind);
    }

    [Fact]
    public async Task The_wait_for_the_NAT_ends_also_where_nobody_can_tell()
    {
        await using GimletNode alone = await StartAsync();
        await alone.WaitForNatAsync(TestContext.Current.CancellationToken).Within();
        await using var stun = FakeStun.Honest();
        await using GimletNode passive = await StartAsync(Options(stun.Name) with { NoHolepunch = true });
        await passive.WaitForNatAsync(TestContext.Current.CancellationToken).Within();
        await using GimletNode node = await StartAsync(Options(stun.Name));
        await node.WaitForNatAsync(TestContext.Current.CancellationToken).Within();
        Assert.NotNull(node.Nat);
    }

    private static async Task AssertLocal(GimletNode node)
    {
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(PublicAddressSource.Local, node.PublicAddress.Source);
        Assert.Contains("no STUN server answered", node.PublicAddress.Explanation, StringComparison.Ordinal);
        Assert.Equal(node.LocalPorts.IPv4, node.PublicAddress.Address.Port);
    }
}
