using Gimlet.Connections;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Races between the direct path and the relay, and what both sides make of them.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class RaceTests
{
    private const int Rounds = 12;

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);
    private static readonly byte[] Hello = ControlMessages.WriteHello(42);
    private static readonly RaceFinding Works = new(RaceOutcome.Works, RaceOutcome.Works, Short, Short, PathKind.Direct);
    private static readonly RaceFinding RelayWorks = new(RaceOutcome.Failed, RaceOutcome.Works, Short, Short, PathKind.Relay);

    /// <summary>No time of it is over in a test.</summary>
    private static readonly RaceOptions Patient = new() { DirectTimeout = Deadline, RelayTimeout = Deadline, Grace = Deadline };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void The_times_are_those_that_the_documentation_names()
    {
        var race = new RaceOptions();
        Assert.Equal((2.0, 5.0, 1.0), (race.DirectTimeout.TotalSeconds, race.RelayTimeout.TotalSeconds, race.Grace.TotalSeconds));
        Assert.Equal(500, PathPolicy.DirectHeadStart().HeadStart.TotalMilliseconds);
        foreach (RaceOptions wrong in new[] { race with { DirectTimeout = TimeSpan.Zero }, race with { RelayTimeout = TimeSpan.FromSeconds(61) }, race with { Grace = TimeSpan.FromSeconds(-1) } })
        {
            Assert.Equal(GimletErrorKind.BadUsage, Assert.Throws<GimletException>(wrong.Validate).Kind);
        }
    }

    [Fact]
    public async Task A_race_that_the_direct_path_wins_is_agreed_on_by_both_sides()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Race = Patient });
        RaceReport report = ofA.Race!;
        Assert.Equal((PathKind.Direct, PathKind.Direct, (PathKind?)PathKind.Direct), (report.Winner, report.LocalWinner, report.PeerWinner));
        Assert.Equal(RaceOutcome.Works, report.Direct.Outcome);

        // Where the direct path is there before the relay's handshake ends, nothing is known of the relay.
        Assert.Contains(report.Relay.Outcome, new[] { RaceOutcome.Works, RaceOutcome.NotTried });
        Assert.Contains(report.Candidates, static c => c.Works);
        _ = await ofA.PingAsync(Cancelled).Within();
        Assert.Equal((PathKind.Direct, (PathKind?)PathKind.Direct), (ofB.Race!.Winner, ofB.Race.PeerWinner));
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_race_in_which_one_side_punches_not_is_the_relays_on_both_sides(bool callerPunches)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, o => o with { NoHolepunch = !callerPunches });
        await using GimletNode b = await StartAsync(server, o => o with { NoHolepunch = callerPunches });
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Race = Patient });
        RaceReport report = ofA.Race!;
        Assert.Equal((PathKind.Relay, (PathKind?)PathKind.Relay), (report.Winner, report.PeerWinner));
        Assert.Equal(callerPunches ? RaceOutcome.Failed : RaceOutcome.NotTried, report.Direct.Outcome);
        Assert.NotEmpty(report.Direct.Detail!);
        Assert.Equal(RaceOutcome.Works, report.Relay.Outcome);
        Assert.Equal(PathKind.Relay, (await ofA.PingAsync(Cancelled).Within()).Path.Kind);
        Assert.Equal(PathKind.Relay, ofB.Race!.Winner);
        Assert.Equal(PathKind.Relay, (await ofB.PingAsync(Cancelled).Within()).Path.Kind);
    }

    [Fact]
    public async Task A_race_to_a_peer_with_a_direct_path_there_is_the_direct_paths()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection first, _) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.DirectOnly });
        (GimletConnection second, GimletConnection atB) = await ConnectAsync(a, b, new ConnectOptions { Race = Patient });
        Assert.Equal((PathKind.Direct, RaceOutcome.Works, RaceOutcome.NotTried), (second.Race!.Winner, second.Race.Direct.Outcome, second.Race.Relay.Outcome));
        Assert.Equal(PathKind.Direct, (await second.PingAsync(Cancelled).Within()).Path.Kind);
        Assert.Equal(PathKind.Direct, atB.Race!.Winner);
        Assert.Equal(PathKind.Direct, (await first.PingAsync(Cancelled).Within()).Path.Kind);
    }

    [Fact]
    public async Task Without_a_relay_at_the_server_a_race_is_the_direct_paths_whatever_the_peer_says()
    {
        await using GimletServer server = await Servers.StartAsync(static o => o with { Relay = false });
        await using GimletNode a = await StartAsync(server);
        await using RawPeer silent = await RawPeer.StartAsync(server);
        Task<GimletConnection> dial = a.ConnectAsync(silent.Id, new ConnectOptions { Race = Patient with { Grace = Short } }, Cancelled);
        RawControl control = await silent.AnswerAsync(Hello);
        GimletConnection connection = await dial.Within();
        Assert.Equal((PathKind.Direct, (PathKind?)null, RaceOutcome.Failed), (connection.Race!.Winner, connection.Race.PeerWinner, connection.Race.Relay.Outcome));
        Assert.Equal(PathKind.Direct, await control.HearDecisionAsync());

        // The peer has a relay in mind that is none; what works goes on.
        await control.SayAsync(RelayWorks);
        await control.PingAsync();
        Assert.Equal((PathKind.Direct, PathKind.Direct), (connection.Path!.Kind, connection.Race.Winner));
    }

    [Fact]
    public async Task Direct_only_in_a_race_with_a_silent_peer_stays_direct()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using RawPeer silent = await RawPeer.StartAsync(server);
        Task<GimletConnection> dial = a.ConnectAsync(silent.Id, new ConnectOptions { Policy = PathPolicy.DirectOnly, Race = Patient with { Grace = Short } }, Cancelled);
        RawControl control = await silent.AnswerAsync(Hello);
        GimletConnection connection = await dial.Within();
        Assert.Equal((PathKind.Direct, (PathKind?)null, RaceOutcome.NotTried), (connection.Race!.Winner, connection.Race.PeerWinner, connection.Race.Relay.Outcome));
        Assert.Equal(PathKind.Direct, await control.HearDecisionAsync());

        // The relay is no outcome of it, whoever says so.
        await control.SayAsync(PathKind.Relay);
        await control.PingAsync();
        Assert.Equal((PathKind.Direct, PathKind.Direct), (connection.Path!.Kind, connection.Race.Winner));
    }

    [Fact]
    public async Task A_peer_that_says_nothing_within_the_grace_is_told_that_it_is_the_relay()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, static o => o with { Ground = new BentGround { NamesDeadAddresses = true } });
        await using RawPeer late = await RawPeer.StartAsync(server, new BentGround { NamesDeadAddresses = true });
        Task<GimletConnection> dial = a.ConnectAsync(late.Id, new ConnectOptions { Race = Patient with { DirectTimeout = Short, Grace = Short } }, Cancelled);
        RawControl control = await late.AnswerAsync(Hello);
        GimletConnection connection = await dial.Within();
        RaceReport report = connection.Race!;
        Assert.Equal((PathKind.Relay, PathKind.Relay, (PathKind?)null), (report.Winner, report.LocalWinner, report.PeerWinner));
        Assert.Equal((RaceOutcome.TimedOut, RaceOutcome.Works), (report.Direct.Outcome, report.Relay.Outcome));
        // The system's timers count in steps of some milliseconds, and may come that much early.
        Assert.True(report.Direct.Elapsed >= Short / 2, $"{report.Direct.Elapsed}");
        Assert.Contains("0.2 s", report.Direct.Detail, StringComparison.Ordinal);
        Assert.Contains(report.Candidates, static c => !c.Works && c.Elapsed is null);
        Assert.Equal((RaceOutcome.TimedOut, PathKind.Relay), (await control.HearFindingAsync() is var finding ? (finding.Direct, finding.Winner!.Value) : default));
        Assert.Equal(PathKind.Relay, await control.HearDecisionAsync());

        // Its finding comes when the race is over.
        await control.SayAsync(Works);
        await control.PingAsync();
        Assert.Null(connection.Race!.PeerWinner);
    }

    [Fact]
    public async Task Where_the_peer_found_no_direct_path_both_are_on_the_relay()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using RawPeer other = await RawPeer.StartAsync(server);
        Task<GimletConnection> dial = a.ConnectAsync(other.Id, new ConnectOptions { Race = Patient }, Cancelled);
        RawControl control = await other.AnswerAsync(Hello);
        Assert.Equal(PathKind.Direct, (await control.HearFindingAsync()).Winner);
        await control.SayAsync(RelayWorks);
        GimletConnection connection = await dial.Within();
        Assert.Equal((PathKind.Relay, PathKind.Direct, (PathKind?)PathKind.Relay), (connection.Race!.Winner, connection.Race.LocalWinner, connection.Race.PeerWinner));
        Assert.Equal(PathKind.Relay, await control.HearDecisionAsync());
        await connection.OnPathAsync(PathKind.Relay);
        Assert.False(connection.UsesDirect);
    }

    [Theory]
    [InlineData(PathKind.Relay)]
    [InlineData(PathKind.Direct)]
    public async Task Who_was_dialled_settles_on_what_the_caller_decides(PathKind winner)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode b = await StartAsync(server);
        await using RawPeer caller = await RawPeer.StartAsync(server);
        RawControl control = await caller.DialAsync(b.Id, Hello);
        GimletConnection ofB = await b.AcceptAsync(Cancelled).Within();
        await ofB.OnPathAsync(PathKind.Direct);
        await control.SayAsync(Works);
        Assert.Equal(PathKind.Direct, (await control.HearFindingAsync()).Winner);

        // However sure both are: the caller may have waited for that word in vain.
        await control.PingAsync();
        Assert.Null(ofB.Race);
        await control.SayAsync(winner);
        await control.PingAsync();
        Assert.Equal((winner, PathKind.Direct, (PathKind?)PathKind.Direct), (ofB.Race!.Winner, ofB.Race.LocalWinner, ofB.Race.PeerWinner));
        await ofB.OnPathAsync(winner);
        Assert.Equal(winner == PathKind.Direct, ofB.UsesDirect);

        // Once on the relay it stays there.
        await control.SayAsync(PathKind.Direct);
        await control.SayAsync(PathKind.Relay);
        await control.SayAsync(PathKind.Direct);
        await control.SayAsync(Works);
        await control.PingAsync();
        Assert.Equal(PathKind.Relay, ofB.Race!.Winner);
        await ofB.OnPathAsync(PathKind.Relay);
    }

    [Fact]
    public async Task What_has_connected_by_neither_way_in_time_says_which_time_that_was()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using LiveNode silent = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        var race = new RaceOptions { RelayTimeout = Short, DirectTimeout = 2 * Short };
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(silent.Node.Id, new ConnectOptions { Race = race }, Cancelled).Within());
        Assert.Equal(GimletErrorKind.TimedOut, e.Kind);
        Assert.Contains("0.4 s", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dial_that_the_peers_connection_overtakes_makes_its_race_all_the_same()
    {
        await using GimletServer server = await Servers.StartAsync();
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        GimletConnection? ofSmall = null;
        void Overtake(CallId call)
        {
            // Before the larger one has said a word, the smaller one's dial is a connection on both sides.
            ofSmall = small.ConnectAsync(large.Id, Cancelled).Within().GetAwaiter().GetResult();
            _ = ofSmall.PingAsync(Cancelled).Within().GetAwaiter().GetResult();
        }

        GimletConnection ofLarge = await Task.Run(() => large.ConnectAsync(small.Id, new ConnectOptions { Race = Patient, Dialing = Overtake }, Cancelled), Cancelled).Within();
        Assert.True(ofLarge.IsIncoming);
        Assert.Equal((PathKind.Direct, (PathKind?)PathKind.Direct), (ofLarge.Race!.Winner, ofLarge.Race.PeerWinner));
        Assert.Equal(PathKind.Direct, ofSmall!.Race!.Winner);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Of_two_that_dial_each_other_either_may_race_and_both_come_to_the_same(bool smallRaces, bool largeRaces)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        (GimletNode small, GimletNode large) = await StartTwoAsync(server);
        await using GimletNode first = small;
        await using GimletNode second = large;
        using var barrier = new Barrier(2);
        int met = 0;
        for (int round = 0; round < Rounds; round++)
        {
            var options = new ConnectOptions { Dialing = _ => Assert.True(barrier.SignalAndWait(Deadline, Cancelled)) };
            Task<GimletConnection> a = Task.Run(() => small.ConnectAsync(large.Id, options with { Race = smallRaces ? Patient : null }, Cancelled));
            Task<GimletConnection> b = Task.Run(() => large.ConnectAsync(small.Id, options with { Race = largeRaces ? Patient : null }, Cancelled));
            GimletConnection ofSmall = await a.Within();
            GimletConnection ofLarge = await b.Within();
            if (ofSmall.IsIncoming != ofLarge.IsIncoming)
            {
                met++;
                _ = await ofSmall.PingAsync(Cancelled).Within();
                _ = await ofLarge.PingAsync(Cancelled).Within();
                Assert.Equal((PathKind.Direct, (PathKind?)PathKind.Direct), (ofSmall.Race!.Winner, ofSmall.Race.PeerWinner));
                Assert.Equal((PathKind.Direct, (PathKind?)PathKind.Direct), (ofLarge.Race!.Winner, ofLarge.Race.PeerWinner));
                await ofSmall.OnPathAsync(PathKind.Direct);
                await ofLarge.OnPathAsync(PathKind.Direct);
            }

            await ofSmall.CloseAsync().Within();
            await ofLarge.CloseAsync().Within();
        }

        Assert.True(met > 0, "no round met a dial that was under way");
    }
}
