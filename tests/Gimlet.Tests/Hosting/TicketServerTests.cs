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

    [Fact]
    public async Task The_home_server_comes_back_when_the_nodes_own_other_session_has_replaced_it()
    {
        byte[] instance = [.. Enumerable.Range(1, SignalProtocol.ServerInstanceLength).Select(static i => (byte)i)];
        var underWay = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var home = new FakeServer(async connection =>
        {
            await connection.SendAsync(FakeServer.Challenge with { Server = connection.Number == 1 ? null : instance });
            _ = Assert.IsType<RegisterMessage>(await connection.ReceiveAsync());
            await connection.SendAsync(new RegisteredMessage { KeepAliveMs = 15_000 });
            switch (connection.Number)
            {
                case 1:
                    // Lost while the ticket's session, which is with the same server, is about to register.
                    await underWay.Task.Within();
                    break;
                case 2:
                    await connection.CloseAsync(SignalCloseCode.Replaced, ErrorCode.Replaced);
                    await connection.HoldAsync();
                    break;
                default:
                    back.SetResult();
                    await connection.HoldAsync();
                    break;
            }
        });
        await using var other = new FakeServer(async connection =>
        {
            await connection.SendAsync(FakeServer.Challenge with { Server = instance });
            _ = Assert.IsType<RegisterMessage>(await connection.ReceiveAsync());
            underWay.SetResult();
            await connection.HoldAsync();
        });
        await using GimletNode node = await StartAsync(Options() with { Servers = [home.Address], Protocols = ["test"] });
        using var enough = new CancellationTokenSource();
        Task<GimletConnection> dial = node.ConnectAsync(new Ticket(Keys.Stranger.Id, [other.Address]), cancellationToken: enough.Token);
        await back.Task.Within();
        Assert.Equal(1, other.Connections);
        await enough.CancelAsync();
        Exception? end = await Record.ExceptionAsync(() => dial.Within());
        Assert.True(end is OperationCanceledException or GimletException, end?.ToString());
    }

    private static FakeServer Registering(TaskCompletionSource<RegisterMessage> registered) => new(async connection =>
    {
        registered.SetResult(await connection.RegisterAsync());
        await connection.HoldAsync();
    });
}
