using Gimlet.Signalling;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

/// <summary>The servers that a ticket names, beside those that the node was given.</summary>
public sealed class TicketServerTests
{
    [Fact]
    public async Task The_token_is_for_the_configured_servers_and_not_for_those_of_tickets()
    {
        var atHome = new TaskCompletionSource<RegisterMessage>();
        var atStranger = new TaskCompletionSource<RegisterMessage>();
        await using FakeServer home = Registering(atHome);
        await using FakeServer stranger = Registering(atStranger);
        await using GimletNode node = await StartAsync(Options() with { Servers = [home.Address], ServerToken = "secret", Protocols = ["test"] });
        using var enough = new CancellationTokenSource();
        Task<GimletConnection> dial = node.ConnectAsync(new Ticket(Keys.Stranger.Id, [stranger.Address, home.Address]), cancellationToken: enough.Token);
        Assert.Equal("secret", (await atHome.Task.Within()).Token);
        Assert.Null((await atStranger.Task.Within()).Token);
        await enough.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
    }

    [Fact]
    public async Task A_server_is_left_when_nobody_needs_it_any_more_and_found_again_when_somebody_does()
    {
        await using FakeServer home = Registering(new TaskCompletionSource<RegisterMessage>());
        await using var other = new FakeServer(async connection =>
        {
            _ = await connection.RegisterAsync();
            while (true)
            {
                if (await connection.ReceiveAsync() is ConnectMessage connect)
                {
                    await connection.SendAsync(new RejectMessage { Call = connect.Call, Reason = RejectReason.Offline });
                }
            }
        });
        await using GimletNode node = await StartAsync(Options() with { Servers = [home.Address], Protocols = ["test"] });
        var left = new TaskCompletionSource<ServerStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        node.ServerStatusChanged += status => _ = status.IsRegistered || left.TrySetResult(status);
        var ticket = new Ticket(Keys.Stranger.Id, [other.Address]);
        for (int i = 1; i <= 2; i++)
        {
            GimletException e = await Assert.ThrowsAsync<GimletException>(() => node.ConnectAsync(ticket, cancellationToken: TestContext.Current.CancellationToken).Within());
            Assert.Equal(GimletErrorKind.PeerOffline, e.Kind);
            Assert.Equal(i, other.Connections);
            ServerStatus status = await left.Task.Within();
            Assert.Equal(other.Address, status.Server);
            Assert.Contains("needs", status.Detail, StringComparison.Ordinal);
            left = new TaskCompletionSource<ServerStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Assert.Equal(1, home.Connections);
    }

    [Fact]
    public async Task A_ticket_whose_servers_are_too_many_adds_none_of_them()
    {
        await using FakeServer home = Registering(new TaskCompletionSource<RegisterMessage>());
        await using GimletNode node = await StartAsync(Options() with { Servers = [home.Address], Protocols = ["test"] });
        Uri[] closed = [.. Enumerable.Range(1, 16).Select(static port => new Uri($"http://127.0.0.1:{port}/"))];
        GimletException e = await Assert.ThrowsAsync<GimletException>(
            () => node.ConnectAsync(new Ticket(Keys.Stranger.Id, [.. closed, home.Address]), cancellationToken: TestContext.Current.CancellationToken).Within());
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
        Assert.Contains("16", e.Message, StringComparison.Ordinal);

        // As many as there is room for, beside the home server; a server that is named twice is one.
        using var enough = new CancellationTokenSource();
        Task<GimletConnection> dial = node.ConnectAsync(new Ticket(Keys.Stranger.Id, [.. closed[1..], closed[1], home.Address]), cancellationToken: enough.Token);
        await enough.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
    }

    private static FakeServer Registering(TaskCompletionSource<RegisterMessage> registered) => new(async connection =>
    {
        registered.SetResult(await connection.RegisterAsync());
        await connection.HoldAsync();
    });
}
