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

    private static FakeServer Registering(TaskCompletionSource<RegisterMessage> registered) => new(async connection =>
    {
        registered.SetResult(await connection.RegisterAsync());
        await connection.HoldAsync();
    });
}
