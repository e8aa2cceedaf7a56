using System.Diagnostics;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>Tickets with a secret, as <c>gimlet listen</c> prints them.</summary>
public sealed class TicketTests : CliTest
{
    private const string Token = "sixteen characters and more";

    [Fact]
    public async Task A_ticket_for_one_is_for_the_first_who_has_it()
    {
        (string url, _, _) = await ServeAsync();
        (string peer, string ticket, _) = await ListenAsync(url, "--ticket", "once");
        string key = Folder.File("first.pem");

        AssertFailed(await RunAsync("connect", peer, "--server", url, "--ephemeral", "--once"), 5, "refused");
        Assert.Equal(0, (await RunAsync("connect", ticket, "--key", key, "--once")).ExitCode);
        AssertFailed(await RunAsync("connect", ticket, "--ephemeral", "--once"), 5, "refused");
        Assert.Equal(0, (await RunAsync("ping", ticket, "--key", key, "-c", "1")).ExitCode);
    }

    [Fact]
    public async Task A_ticket_for_a_time_is_for_everybody_until_then()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, _) = await ListenAsync(url, "--ticket", "30m");

        Assert.Equal(0, (await RunAsync("ping", ticket, "--ephemeral", "-c", "1")).ExitCode);
        Assert.Equal(0, (await RunAsync("ping", ticket, "--ephemeral", "-c", "1")).ExitCode);
    }

    [Fact]
    public async Task A_ticket_expires()
    {
        (string url, _, _) = await ServeAsync();
        (_, string ticket, _) = await ListenAsync(url, "--ticket", "1s");
        long started = Stopwatch.GetTimestamp();

        CliResult result;
        do
        {
            result = await RunAsync("ping", ticket, "--ephemeral", "-c", "1");
        }
        while (result.ExitCode == 0 && Stopwatch.GetElapsedTime(started) < GimletProcess.Deadline);

        Assert.Contains("expired", AssertFailed(result, 5, "refused").Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Friends_need_no_ticket()
    {
        (string url, _, _) = await ServeAsync();
        string key = Folder.File("friend.pem");
        string friend = (await RunAsync("id", "--key", key)).Event("id").Text("peer");
        (string peer, string ticket, _) = await ListenAsync(url, "--allow", friend, "--ticket", "1h");

        Assert.Equal(0, (await RunAsync("ping", peer, "--server", url, "--key", key, "-c", "1")).ExitCode);
        Assert.Equal(0, (await RunAsync("ping", ticket, "--ephemeral", "-c", "1")).ExitCode);
        AssertFailed(await RunAsync("ping", peer, "--server", url, "--ephemeral", "-c", "1"), 5, "refused");
    }

    [Fact]
    public async Task The_environments_server_token_is_not_for_the_servers_of_a_ticket()
    {
        (string url, _, _) = await ServeAsync("--access", "token", "--token", Token);
        (_, string ticket, _) = await ListenAsync(url, "--server-token", Token);

        Environment["GIMLET_SERVER_TOKEN"] = Token;
        AssertFailed(await RunAsync("ping", ticket, "--ephemeral", "-c", "1"), 5, "rendezvous-rejected");
        Assert.Equal(0, (await RunAsync("ping", ticket, "--ephemeral", "-c", "1", "--server-token", Token)).ExitCode);
        Assert.Equal(0, (await RunAsync("ping", ticket, "--ephemeral", "-c", "1", "--server", url)).ExitCode);
    }
}
