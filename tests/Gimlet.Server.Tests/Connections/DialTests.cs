using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Who is let in, for what, and what a dial that leads nowhere says.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class DialTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_protocols_on_one_node_have_their_own_accept()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, static o => o with { Protocols = [] });
        await using GimletNode b = await StartAsync(server, static o => o with { Protocols = ["one", "two", "three"] });
        Task<GimletConnection> one = b.AcceptAsync(Cancelled);
        Task<GimletConnection> two = b.AcceptAsync("two", Cancelled);
        Task<GimletConnection> three = b.AcceptAsync("three", Cancelled);
        string[] dialled = ["three", "one", "two"];
        GimletConnection[] ofA = await Task.WhenAll(dialled.Select(p => a.ConnectAsync(b.Id, new ConnectOptions { Protocol = p }, Cancelled))).Within();
        Assert.Equal(dialled, ofA.Select(static c => c.Protocol));
        Assert.Equal(["one", "two", "three"], [(await one.Within()).Protocol, (await two.Within()).Protocol, (await three.Within()).Protocol]);
        Assert.All(ofA, static c => Assert.False(c.IsIncoming));
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => b.AcceptAsync("four", Cancelled));
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
    }

    [Fact]
    public async Task A_protocol_that_the_peer_does_not_speak_is_unsupported()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(b.Id, new ConnectOptions { Protocol = "other" }, Cancelled).Within());
        Assert.Equal(GimletErrorKind.Unsupported, e.Kind);
        Assert.Contains(b.Id.ToString(), e.Message, StringComparison.Ordinal);

        // That costs neither side anything that a proper dial would miss.
        (GimletConnection ofA, _) = await ConnectAsync(a, b);
        _ = await ofA.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_node_that_serves_nothing_is_unsupported_for_everybody()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { Protocols = [] });
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(b.Id, Cancelled).Within());
        Assert.Equal(GimletErrorKind.Unsupported, e.Kind);
        (GimletConnection ofB, _) = await ConnectAsync(b, a, new ConnectOptions { Protocol = "test" });
        _ = await ofB.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task Who_is_not_allowed_is_refused_before_a_handshake_and_who_is_comes_in()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode friend = await StartAsync(server);
        await using GimletNode stranger = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, o => o with { Policy = PeerPolicy.Only([friend.Id]) });
        Task<GimletConnection> accept = b.AcceptAsync(Cancelled);
        foreach (PathPolicy policy in new[] { PathPolicy.RelayOnly, PathPolicy.RelayThenDirect, PathPolicy.DirectHeadStart(), PathPolicy.DirectOnly })
        {
            GimletException e = await Assert.ThrowsAsync<GimletException>(() => stranger.ConnectAsync(b.Id, new ConnectOptions { Policy = policy }, Cancelled).Within());
            Assert.Equal(GimletErrorKind.Refused, e.Kind);
        }

        GimletConnection ofFriend = await friend.ConnectAsync(b.Id, Cancelled).Within();
        Assert.Equal(friend.Id, (await accept.Within()).RemotePeer);
        _ = await ofFriend.PingAsync(Cancelled).Within();

        // The refused may be connected to, all the same.
        (GimletConnection ofB, _) = await ConnectAsync(b, stranger);
        _ = await ofB.PingAsync(Cancelled).Within();
    }

    [Fact]
    public async Task A_ticket_for_one_admits_one_and_the_next_with_it_is_refused()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode first = await StartAsync(server);
        await using GimletNode second = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { Policy = PeerPolicy.TicketHolders });
        Ticket ticket = Ticket.Parse(b.IssueTicket(new TicketOptions { OneTime = true }).ToString());
        GimletException without = await Assert.ThrowsAsync<GimletException>(() => first.ConnectAsync(b.Id, Cancelled).Within());
        Assert.Equal(GimletErrorKind.Refused, without.Kind);

        Task<GimletConnection> accept = b.AcceptAsync(Cancelled);
        GimletConnection ofFirst = await first.ConnectAsync(ticket, cancellationToken: Cancelled).Within();
        Assert.Equal(first.Id, (await accept.Within()).RemotePeer);
        _ = await ofFirst.PingAsync(Cancelled).Within();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => second.ConnectAsync(ticket, cancellationToken: Cancelled).Within());
        Assert.Equal(GimletErrorKind.Refused, e.Kind);

        // The connection that was admitted looks for its direct path although no ticket is left.
        await ofFirst.OnPathAsync(PathKind.Direct);
    }

    [Fact]
    public async Task A_ticket_that_is_revoked_admits_nobody_and_ends_no_connection()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { Policy = PeerPolicy.TicketHolders });
        Ticket ticket = b.IssueTicket(new TicketOptions());
        Ticket other = b.IssueTicket(new TicketOptions());
        Task<GimletConnection> accept = b.AcceptAsync(Cancelled);
        GimletConnection ofA = await a.ConnectAsync(ticket, cancellationToken: Cancelled).Within();
        _ = await accept.Within();

        // It is the secret that counts; the servers may be others.
        Assert.True(b.RevokeTicket(Ticket.Parse(ticket.ToString())));
        Assert.False(b.RevokeTicket(ticket));
        Assert.False(b.RevokeTicket(b.Ticket));
        Assert.False(a.RevokeTicket(other));
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(ticket, cancellationToken: Cancelled).Within());
        Assert.Equal(GimletErrorKind.Refused, e.Kind);
        _ = await ofA.PingAsync(Cancelled).Within();
        accept = b.AcceptAsync(Cancelled);
        _ = await a.ConnectAsync(other, cancellationToken: Cancelled).Within();
        _ = await accept.Within();
    }

    [Fact]
    public async Task A_peer_that_is_not_there_is_offline()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        using var nobody = NodeIdentity.Create();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(nobody.Id, Cancelled).Within());
        Assert.Equal(GimletErrorKind.PeerOffline, e.Kind);
        Assert.Contains(nobody.Id.ToString(), e.Message, StringComparison.Ordinal);

        GimletNode gone = await StartAsync(server);
        (GimletConnection ofA, _) = await ConnectAsync(a, gone);
        await gone.DisposeAsync().Within();
        _ = await ofA.Closed.Within();
        e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(gone.Id, Cancelled).Within());
        Assert.Equal(GimletErrorKind.PeerOffline, e.Kind);
    }

    [Fact]
    public async Task Without_a_server_a_dial_says_after_its_time_that_none_could_be_reached()
    {
        GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server, static o => o with { Traversal = new TraversalOptions { IntroductionTimeout = TimeSpan.FromMilliseconds(300) } });
        using var somebody = NodeIdentity.Create();
        await using Unregistered gone = Unregistered.Watch(a);
        await server.DisposeAsync().Within();
        await gone.Seen.Within();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(somebody.Id, Cancelled).Within());
        Assert.Equal(GimletErrorKind.ServerUnreachable, e.Kind);
    }

    [Fact]
    public async Task A_server_that_does_not_relay_leaves_direct_paths_and_says_what_is_missing_where_none_is_wanted()
    {
        await using GimletServer server = await Servers.StartAsync(static o => o with { Relay = false });
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, _) = await ConnectAsync(a, b);
        Assert.Equal(PathKind.Direct, ofA.Path!.Kind);
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => a.ConnectAsync(b.Id, new ConnectOptions { Policy = PathPolicy.RelayOnly }, Cancelled).Within());
        Assert.Equal(GimletErrorKind.RendezvousNoRelay, e.Kind);
    }

    [Fact]
    public async Task A_second_dial_at_a_server_that_does_not_relay_goes_by_the_direct_path_that_is_there()
    {
        await using GimletServer server = await Servers.StartAsync(static o => o with { Relay = false });
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection first, _) = await ConnectAsync(a, b);
        Assert.Equal(PathKind.Direct, first.Path!.Kind);
        foreach (PathPolicy policy in new[] { PathPolicy.RelayThenDirect, PathPolicy.DirectOnly, PathPolicy.DirectHeadStart(TimeSpan.FromMinutes(1)) })
        {
            (GimletConnection second, GimletConnection atB) = await ConnectAsync(a, b, new ConnectOptions { Policy = policy });
            Assert.Equal(PathKind.Direct, (await second.PingAsync(Cancelled).Within()).Path.Kind);
            Assert.Equal(PathKind.Direct, (await atB.PingAsync(Cancelled).Within()).Path.Kind);
        }
    }

    [Fact]
    public async Task More_connections_than_wait_to_be_accepted_are_closed_with_the_reason()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        var dialled = new List<GimletConnection>();
        for (int i = 0; i < 64; i++)
        {
            dialled.Add(await a.ConnectAsync(b.Id, Cancelled).Within());
        }

        Exception? refused = await Record.ExceptionAsync(async () =>
        {
            GimletConnection late = await a.ConnectAsync(b.Id, Cancelled).Within();
            Assert.Contains("takes no more connections", await late.Closed.Within(), StringComparison.Ordinal);
        });
        Assert.True(refused is null or GimletException { Kind: GimletErrorKind.Refused }, refused?.ToString());
        for (int i = 0; i < 64; i++)
        {
            _ = await (await b.AcceptAsync(Cancelled).Within()).PingAsync(Cancelled).Within();
        }

        Assert.All(dialled, static c => Assert.False(c.Closed.IsCompleted));
    }
}

/// <summary>Watches a node lose its server.</summary>
internal sealed class Unregistered : IAsyncDisposable
{
    private readonly GimletNode _node;
    private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Unregistered(GimletNode node)
    {
        _node = node;
        _node.ServerStatusChanged += Look;
    }

    public Task Seen => _seen.Task;

    public static Unregistered Watch(GimletNode node) => new(node);

    public ValueTask DisposeAsync()
    {
        _node.ServerStatusChanged -= Look;
        return ValueTask.CompletedTask;
    }

    private void Look(ServerStatus status)
    {
        if (!status.IsRegistered)
        {
            _ = _seen.TrySetResult();
        }
    }
}
