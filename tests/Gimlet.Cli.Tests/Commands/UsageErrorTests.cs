using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>A wrong line is named: which part, why, and what would be right. Exit code 2.</summary>
public sealed class UsageErrorTests : CliTest
{
    private const string Server = "http://127.0.0.1:1";

    public static TheoryData<string, string> Lines => new()
    {
        { "conect", "Did you mean connect?" },
        { "frobnicate", "It has demo, id, serve" },
        { "--verbose", "A command is missing" },
        { "id more", "'more' is one argument too many for gimlet id" },
        { $"listen --srever {Server}", "Did you mean --server?" },
        { $"ping --cout 3 --server {Server}", "Did you mean --count?" },
        { "listen", "listen needs a server" },
        { "listen --server gimlet.example.org", "--server 'gimlet.example.org'" },
        { $"listen --server {Server} --allow anna", "--allow 'anna': it is not a peer id" },
        { $"listen --server {Server} --max 0", "--max '0'" },
        { "connect", "PEER is missing" },
        { "connect anna", "PEER 'anna': it is neither a ticket" },
        { "connect {nobody}", "--server URL or GIMLET_SERVER" },
        { $"connect {{typo}} --server {Server}", "typing error" },
        { $"connect {{nobody}} another --server {Server}", "'another' is one argument too many" },
        { $"connect {{nobody}} --server {Server} --attempts 3", "--attempts belongs to a connection without a server" },
        { $"connect {{nobody}} --server {Server} -c none", "--count 'none'" },
        { $"connect {{nobody}} --server {Server} --dials 3", "--dials 3 needs connections that end" },
        { "connect --peer 127.0.0.1:9 --once --dials 3", "--dials is for connections through a server" },
        { "connect --peer 127.0.0.1", "--peer '127.0.0.1'" },
        { "connect --peer 127.0.0.1:9#anna", "what follows the # is not a peer id" },
        { "connect --peer 127.0.0.1:9 {nobody}", "exclude each other" },
        { "connect --peer 127.0.0.1:9 --interval 400", "--interval '400'" },
        { "ping", "PEER is missing" },
        { $"listen --server {Server} --ticket twice", "--ticket 'twice': it must be once" },
        { $"listen --server {Server} --ticket 0m", "longer than zero" },
        { $"listen --server {Server} --ticket once --once-ticket", "--ticket and --once-ticket" },
        { "bench", "PEER is missing" },
        { $"bench {{nobody}} --server {Server} --seconds 3601", "at most 3600" },
        { $"bench {{nobody}} --server {Server} --seconds 0", "--seconds '0'" },
        { $"bench {{nobody}} --server {Server} --streams 65", "at most 64" },
        { "discover --port 70000", "--port '70000'" },
        { "discover --port", "--port needs a value" },
        { "discover --port 1 --port 2", "--port takes one value" },
        { "discover --stun a:b:c", "--stun 'a:b:c'" },
        { "discover --timeout soon", "--timeout 'soon'" },
        { "discover --path sideways", "relay-then-direct, direct-head-start:MS" },
        { "discover --path direct-head-start:x", "number of milliseconds" },
        { "discover --path direct-only --no-holepunch", "contradict" },
        { "discover --public-address 1.2.3", "--public-address '1.2.3'" },
        { "discover --key k.pem --ephemeral", "exclude each other" },
        { "serve --http nonsense", "--http 'nonsense'" },
        { "serve --https 127.0.0.1:0", "--https needs --cert" },
        { "serve --cert missing.pem", "there is no such file" },
        { "serve --stun off --stun-alt 127.0.0.1:0", "--stun-alt is given, and --stun is off" },
        { "serve --trusted-proxy 10.0.0.0/33", "--trusted-proxy '10.0.0.0/33'" },
        { "serve --access token", "--access token needs a token" },
        { "serve --token short", "16" },
        { "serve --access everyone --token 0123456789abcdef", "contradict" },
        { "serve --worker-token 0123456789abcdef", "--worker-token is given, and --workers is not" },
        { "serve --max-workers 5", "--max-workers is given, and --workers is not" },
        { "serve --workers --worker-token short", "The workers' token has 5 characters" },
        { "serve --workers --operator-token short", "The operator's token has 5 characters" },
        { "serve --workers --worker-pairing best", "--worker-pairing 'best': it must be next, group or manual" },
        { "serve --workers --max-workers 0", "--max-workers '0'" },
        { "serve --workers --max-workers-per-address none", "--max-workers-per-address 'none'" },
        { "serve --access nobody.txt", "there is no such file" },
        { "serve --http 127.0.0.1:0 --name a/b", "a/b" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task A_wrong_line_says_what_is_wrong(string line, string expected)
    {
        string typo = Nobody[..^1] + (Nobody[^1] == 'a' ? 'b' : 'a');
        string[] arguments = line.Replace("{nobody}", Nobody, StringComparison.Ordinal).Replace("{typo}", typo, StringComparison.Ordinal).Split(' ');

        CliEvent error = AssertFailed(await RunAsync(arguments), 2, "bad-usage");

        Assert.Contains(expected, $"{error.Text("message")} {error.Text("hint")}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_see_it_on_standard_error()
    {
        CliResult result = await RunForPeopleAsync("connect", "anna");

        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.StartsWith("error: PEER 'anna'", result.Error, StringComparison.Ordinal);
        Assert.Contains("\nhint: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_argument_that_begins_with_an_at_sign_reads_no_file()
    {
        await File.WriteAllTextAsync(Folder.File("arguments"), "--help", TestContext.Current.CancellationToken);

        CliEvent error = AssertFailed(await RunAsync("connect", "@arguments"), 2, "bad-usage");

        Assert.Contains("'@arguments'", error.Text("message"), StringComparison.Ordinal);
    }
}
