using System.Net;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

public sealed class ServerlessNodeTests
{
    [Fact]
    public async Task Two_nodes_connect_ping_and_close()
    {
        await using GimletNode a = await StartAsync();
        await using GimletNode b = await StartAsync();
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        Assert.Equal(b.Id, ofA.RemotePeer);
        Assert.Equal(a.Id, ofB.RemotePeer);
        Assert.Equal(ofA.Call, ofB.Call);
        Assert.True(ofA.IsAuthenticated && ofB.IsAuthenticated);
        Assert.Equal(PathKind.Direct, ofA.Path!.Kind);
        Assert.Equal(AddressOf(b), ofA.Path.Remote);

        var pinged = new TaskCompletionSource<PingReceived>();
        ofB.PingAnswered += received => pinged.TrySetResult(received);
        PingResult first = await ofA.PingAsync(TestContext.Current.CancellationToken).Within();
        PingResult second = await ofA.PingAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal((1, 2), (first.Sequence, second.Sequence));
        Assert.Equal(AddressOf(b), first.Path.Remote);
        Assert.InRange(first.RoundTripTime, TimeSpan.Zero, Deadline);
        Assert.Equal(1, (await pinged.Task.Within()).Sequence);
        _ = await ofB.PingAsync(TestContext.Current.CancellationToken).Within();

        await ofA.CloseAsync().Within();
        Assert.Equal("closed by this side", await ofA.Closed.Within());
        Assert.Equal("closed by the peer", await ofB.Closed.Within());
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => ofA.PingAsync(TestContext.Current.CancellationToken));
        Assert.Equal(GimletErrorKind.Transport, e.Kind);
        await ofA.CloseAsync().Within();
        await ofB.DisposeAsync();
    }

    [Fact]
    public async Task A_bare_address_connects_and_says_that_nobody_is_proven()
    {
        await using GimletNode a = await StartAsync();
        await using GimletNode b = await StartAsync();
        Task<GimletConnection> first = a.ConnectAsync(AddressOf(b), peer: null, cancellationToken: TestContext.Current.CancellationToken);
        Task<GimletConnection> second = b.ConnectAsync(AddressOf(a), a.Id, cancellationToken: TestContext.Current.CancellationToken);
        Assert.False((await first.Within()).IsAuthenticated);
        Assert.True((await second.Within()).IsAuthenticated);
    }

    [Fact]
    public async Task Loopback_typed_by_hand_needs_no_permission()
    {
        await using GimletNode a = await StartAsync(Options() with { AllowLoopback = false });
        await using GimletNode b = await StartAsync(Options() with { AllowLoopback = false });
        (GimletConnection ofA, _) = await ConnectAsync(a, b);
        _ = await ofA.PingAsync(TestContext.Current.CancellationToken).Within();
    }

    [Fact]
    public async Task Nobody_there_is_a_typed_error_after_the_timeout()
    {
        await using GimletNode node = await StartAsync();
        await using GimletNode deaf = await StartAsync();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => node.ConnectAsync(
            AddressOf(deaf), deaf.Id, new ServerlessOptions { Timeout = TimeSpan.FromMilliseconds(300), Interval = TimeSpan.FromMilliseconds(50) }, cancellationToken: TestContext.Current.CancellationToken).Within());
        Assert.Equal(GimletErrorKind.PeerNotReachable, e.Kind);
        Assert.NotEmpty(e.Hint);
    }

    [Fact]
    public async Task The_id_of_the_attempt_is_told_before_the_first_message_and_outside_all_locks()
    {
        await using GimletNode node = await StartAsync();
        await using GimletNode peer = await StartAsync();
        CallId told = default;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<GimletConnection> dial = node.ConnectAsync(
            AddressOf(peer),
            peer.Id,
            null,
            id =>
            {
                told = id;

                // Another thread may use the node meanwhile: it would wait for ever if this ran under the node's lock.
                Assert.True(Task.Run(() => node.PublicAddress).Wait(Deadline), "the node is locked");
            },
            cancel.Token);
        Assert.NotEqual(default, told);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
    }

    [Fact]
    public async Task A_callback_that_throws_ends_the_dial_and_nothing_else()
    {
        await using GimletNode a = await StartAsync();
        await using GimletNode b = await StartAsync();
        _ = await Assert.ThrowsAsync<NotSupportedException>(() => a.ConnectAsync(AddressOf(b), b.Id, null, _ => throw new NotSupportedException(), TestContext.Current.CancellationToken).Within());
        (GimletConnection ofA, _) = await ConnectAsync(a, b);
        _ = await ofA.PingAsync(TestContext.Current.CancellationToken).Within();
    }

    [Theory]
    [InlineData("203.0.113.1", 0)]
    [InlineData("0.0.0.0", 5)]
    [InlineData("255.255.255.255", 5)]
    [InlineData("224.0.0.1", 5)]
    [InlineData("169.254.169.254", 80)]
    [InlineData("ff02::1", 5)]
    public async Task An_address_that_no_node_can_have_is_bad_usage(string address, int port)
    {
        await using GimletNode node = await StartAsync();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => node.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), null, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
    }

    [Fact]
    public async Task Options_that_make_no_sense_are_bad_usage_and_named()
    {
        await using GimletNode node = await StartAsync();
        await AssertBadUsage(() => node.ConnectAsync(AddressOf(node), node.Id), "own id");
        await AssertBadUsage(() => node.ConnectAsync(AddressOf(node), null, new ServerlessOptions { Interval = TimeSpan.Zero }), "Interval");
        await AssertBadUsage(() => node.ConnectAsync(AddressOf(node), null, new ServerlessOptions { Timeout = TimeSpan.FromSeconds(-1) }), "Timeout");
        await AssertBadUsage(() => node.ConnectAsync(Tests.Support.Keys.Small.Id), "server");
        await AssertBadUsage(() => node.ConnectAsync(node.Id), "own id");
        await AssertBadUsage(() => node.ConnectAsync(default(PeerId)), "empty");
        await using GimletNode passive = await StartAsync(Options() with { NoHolepunch = true });
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => passive.ConnectAsync(AddressOf(node), node.Id, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(GimletErrorKind.Unsupported, e.Kind);
    }

    [Fact]
    public async Task Two_dials_of_the_same_pair_at_once_do_not_hang()
    {
        await using GimletNode a = await StartAsync();
        await using GimletNode b = await StartAsync();
        Task<GimletConnection>[] dials = [.. Enumerable.Range(0, 2).SelectMany(_ => new[]
        {
            a.ConnectAsync(AddressOf(b), b.Id, new ServerlessOptions { Timeout = TimeSpan.FromSeconds(1) }),
            b.ConnectAsync(AddressOf(a), a.Id, new ServerlessOptions { Timeout = TimeSpan.FromSeconds(1) }),
        })];
        foreach (Task<GimletConnection> dial in dials)
        {
            try
            {
                _ = await dial.Within();
            }
            catch (GimletException e)
            {
                // The call between two pre-keys is one; the second dial of it ends by its timeout.
                Assert.Equal(GimletErrorKind.PeerNotReachable, e.Kind);
            }
        }

        Assert.Contains(dials, d => d.IsCompletedSuccessfully);
    }

    private static async Task AssertBadUsage(Func<Task> action, string words)
    {
        GimletException e = await Assert.ThrowsAsync<GimletException>(action);
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }
}
