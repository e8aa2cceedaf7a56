using Gimlet.Connections;
using Gimlet.Peers;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Which paths a connection uses where the two sides want different ones.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class PolicyTests
{
    private const int Rounds = 12;

    private static readonly ConnectOptions RelayOnly = new() { Policy = PathPolicy.RelayOnly };
    private static readonly ConnectOptions DirectOnly = new() { Policy = PathPolicy.DirectOnly };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_hello_of_direct_only_keeps_the_callee_off_the_relay_when_the_direct_path_falls_silent()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode b = await StartAsync(server);
        await using RawPeer caller = await RawPeer.StartAsync(server);
        RawControl control = await caller.DialAsync(b.Id, ControlMessages.WriteHello(42, usesRelay: false));
        GimletConnection ofB = await b.AcceptAsync(Cancelled).Within();
        await ofB.OnPathAsync(PathKind.Direct);
        await control.PingAsync();
        RawControl other = await caller.DialAsync(b.Id, ControlMessages.WriteHello(42));
        GimletConnection witness = await b.AcceptAsync(Cancelled).Within();
        await witness.OnPathAsync(PathKind.Direct);
        await other.PingAsync();

        // As when QUIC has heard nothing for two probe timeouts.
        b.Connections.Handle(new PathChosen(caller.Id, null, LeftSilent: true, "the direct path does not answer"));
        Assert.True(witness.Quic.CurrentPath.Value < 0);
        Assert.True(ofB.Quic.CurrentPath.Value > 0);
    }

    [Fact]
    public async Task Relay_only_beside_a_direct_connection_is_answered_by_the_relay_from_its_first_packet_on()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection direct, GimletConnection directAtB) = await ConnectAsync(a, b, DirectOnly);
        _ = await directAtB.PingAsync(Cancelled).Within();
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, RelayOnly);
        _ = await ofA.PingAsync(Cancelled).Within();
        _ = await ofB.PingAsync(Cancelled).Within();
        foreach (GimletConnection connection in new[] { ofA, ofB })
        {
            Assert.All(connection.Paths, static p => Assert.Equal(p.Path.Kind == PathKind.Relay, p.PacketsSent > 0));
        }

        // The other connection is none the worse for it.
        Assert.Equal(PathKind.Direct, (await direct.PingAsync(Cancelled).Within()).Path.Kind);
    }

    [Fact]
    public async Task A_caller_that_named_no_address_is_answered_directly_when_its_hello_says_that_it_may_be()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode b = await StartAsync(server);
        await using RawPeer caller = await RawPeer.StartAsync(server);
        RawControl first = await caller.DialAsync(b.Id, ControlMessages.WriteHello(42));
        GimletConnection direct = await b.AcceptAsync(Cancelled).Within();
        await direct.OnPathAsync(PathKind.Direct);
        await first.PingAsync();
        RawControl second = await caller.DialAsync(b.Id, ControlMessages.WriteHello(42), namesAddresses: false);
        GimletConnection ofB = await b.AcceptAsync(Cancelled).Within();
        await second.PingAsync();
        await ofB.OnPathAsync(PathKind.Direct);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_two_that_dial_each_other_one_for_the_relay_only_both_use_the_relay(bool smallRelays)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        (GimletConnection lasting, GimletConnection atLarge) = await ConnectAsync(small, large, DirectOnly);
        _ = await atLarge.PingAsync(Cancelled).Within();
        (int met, List<(GimletConnection OfSmall, GimletConnection OfLarge)> pairs) =
            await MeetAsync(small, large, smallRelays ? RelayOnly : new ConnectOptions(), smallRelays ? new ConnectOptions() : RelayOnly);
        foreach ((GimletConnection ofSmall, GimletConnection ofLarge) in pairs)
        {
            await ofSmall.OnPathAsync(PathKind.Relay);
            await ofLarge.OnPathAsync(PathKind.Relay);
            Assert.Equal(PathKind.Relay, (await ofSmall.PingAsync(Cancelled).Within()).Path.Kind);
            Assert.Equal(PathKind.Relay, (await ofLarge.PingAsync(Cancelled).Within()).Path.Kind);
        }

        Assert.True(met > 0, "no round met a dial that was under way");
        Assert.Equal(PathKind.Direct, (await lasting.PingAsync(Cancelled).Within()).Path.Kind);
    }

    [Fact]
    public async Task A_direct_only_dial_that_joins_the_peers_is_direct()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        (int met, List<(GimletConnection OfSmall, GimletConnection OfLarge)> pairs) = await MeetAsync(small, large, new ConnectOptions(), DirectOnly);
        Assert.All(pairs, static p => Assert.Equal(PathKind.Direct, p.OfLarge.Path!.Kind));
        Assert.True(met > 0, "no round met a dial that was under way");
    }

    [Fact]
    public async Task A_direct_only_dial_that_joins_a_connection_for_which_no_path_opens_fails()
    {
        await using GimletServer server = await Servers.StartAsync();
        (GimletNode small, GimletNode large) = await StartTwoAsync(server, static o => o with { Ground = new BentGround { NamesDeadAddresses = true }, Traversal = new TraversalOptions { PunchDeadline = TimeSpan.FromSeconds(1) } });
        await using GimletNode first = small;
        await using GimletNode second = large;
        using var barrier = new Barrier(2);
        void Meet(CallId call) => Assert.True(barrier.SignalAndWait(Deadline, Cancelled));
        Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, new ConnectOptions { Dialing = Meet }, Cancelled));
        Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(small.Id, DirectOnly with { Dialing = Meet }, Cancelled));
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => b.Within());
        Assert.Equal(GimletErrorKind.PunchFailed, e.Kind);
        await (await a.Within()).CloseAsync().Within();
    }

    [Fact]
    public async Task A_direct_only_dial_of_a_node_for_the_relay_only_ends_with_the_reason_on_both_sides()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { PathPolicy = PathPolicy.RelayOnly });
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, DirectOnly);
        Assert.Contains("no path that both sides may use", await ofA.Closed.Within(), StringComparison.Ordinal);
        Assert.Contains("no path that both sides may use", await ofB.Closed.Within(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_timer_of_a_head_start_does_not_outlive_it()
    {
        var headStart = TimeSpan.FromSeconds(47);
        var watch = new TimerWatch();
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, o => o with { TimeProvider = watch });
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, _) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.DirectHeadStart(headStart) });
        Assert.Equal(PathKind.Direct, ofA.Path!.Kind);
        Assert.Equal(0, watch.CountOf(headStart));
    }

    private static async Task<(int Met, List<(GimletConnection OfSmall, GimletConnection OfLarge)> Pairs)> MeetAsync(
        GimletNode small, GimletNode large, ConnectOptions ofSmall, ConnectOptions ofLarge)
    {
        using var barrier = new Barrier(2);
        void Meet(CallId call) => Assert.True(barrier.SignalAndWait(Deadline, Cancelled));
        var pairs = new List<(GimletConnection OfSmall, GimletConnection OfLarge)>();
        for (int round = 0; round < Rounds; round++)
        {
            Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, ofSmall with { Dialing = Meet }, Cancelled));
            Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(small.Id, ofLarge with { Dialing = Meet }, Cancelled));
            GimletConnection atSmall = await a.Within();
            GimletConnection atLarge = await b.Within();
            if (atSmall.IsIncoming != atLarge.IsIncoming)
            {
                pairs.Add((atSmall, atLarge));
            }
        }

        return (pairs.Count, pairs);
    }
}
