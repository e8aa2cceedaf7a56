using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

/// <summary>Every common option has an environment variable, and the option wins.</summary>
public sealed class EnvironmentTests : CliTest
{
    public static TheoryData<string, string, string> Wrong => new()
    {
        { "GIMLET_SERVER", "https://a.example.org, b.example.org", "GIMLET_SERVER 'b.example.org'" },
        { "GIMLET_PORT", "x", "GIMLET_PORT 'x'" },
        { "GIMLET_STUN", "a:b:c", "GIMLET_STUN 'a:b:c'" },
        { "GIMLET_STUN_SERVER", "a:b:c", "GIMLET_STUN_SERVER 'a:b:c'" },
        { "GIMLET_PATH", "x", "GIMLET_PATH 'x'" },
        { "GIMLET_PUBLIC_ADDRESS", "x", "GIMLET_PUBLIC_ADDRESS 'x'" },
        { "GIMLET_PUBLIC_IP", "x", "GIMLET_PUBLIC_IP 'x'" },
        { "GIMLET_NO_HOLEPUNCH", "x", "GIMLET_NO_HOLEPUNCH 'x'" },
        { "GIMLET_TIMEOUT", "x", "GIMLET_TIMEOUT 'x'" },
        { "GIMLET_EPHEMERAL", "x", "GIMLET_EPHEMERAL 'x'" },
        { "GIMLET_VERBOSE", "x", "GIMLET_VERBOSE 'x'" },
        { "GIMLET_JSON", "x", "GIMLET_JSON 'x'" },
        { "GIMLET_METADATA_URL", "x", "GIMLET_METADATA_URL 'x'" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_variable_is_named(string name, string value, string expected)
    {
        Environment[name] = value;

        CliResult result = name == "GIMLET_JSON" ? await RunForPeopleAsync("discover") : await RunAsync("discover");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, name == "GIMLET_JSON" ? result.Error : result.Event("error").Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_may_come_from_the_environment()
    {
        Environment["GIMLET_KEY"] = Folder.File("env.pem");

        string first = (await RunAsync("id")).Event("id").Text("peer");

        Assert.True(File.Exists(Folder.File("env.pem")));
        Assert.Equal(first, (await RunAsync("id", "--key", Folder.File("env.pem"))).Event("id").Text("peer"));
        Assert.NotEqual(first, (await RunAsync("id", "--ephemeral")).Event("id").Text("peer"));
    }

    [Fact]
    public async Task The_option_wins()
    {
        Environment["GIMLET_PORT"] = "x";
        Environment["GIMLET_PUBLIC_IP"] = "203.0.113.8";
        Environment["GIMLET_PUBLIC_ADDRESS"] = "203.0.113.9:5";
        Environment["GIMLET_JSON"] = "1";

        CliResult result = await RunForPeopleAsync("discover", "--port", "0", "--public-address", "203.0.113.7:41002", "--key", Folder.File("k.pem"));

        Assert.Equal("203.0.113.7:41002", result.Event("discovered").Text("public"));
    }

    [Theory]
    [InlineData("GIMLET_PUBLIC_ADDRESS")]
    [InlineData("GIMLET_PUBLIC_IP")]
    public async Task The_public_address_may_come_from_the_environment(string name)
    {
        Environment[name] = "203.0.113.9:5";

        CliEvent discovered = (await RunAsync("discover", "--key", Folder.File("k.pem"))).Event("discovered");

        Assert.Equal(("203.0.113.9:5", "configured"), (discovered.Text("public"), discovered.Text("source")));
    }

    [Fact]
    public async Task Servers_and_whether_to_punch_may_come_from_the_environment()
    {
        (string url, _, _) = await ServeAsync();
        Environment["GIMLET_SERVER"] = $"{url}, {url}/";
        GimletProcess listening = Start("listen", "--ephemeral");
        string peer = (await listening.WaitForAsync("listening")).Text("peer");
        Environment["GIMLET_NO_HOLEPUNCH"] = "1";

        CliResult relayed = await RunAsync("connect", peer, "--ephemeral", "--once");

        Assert.Equal((0, "relay"), (relayed.ExitCode, relayed.Event("connected").Text("path")));
        Assert.Equal("own-holepunch-off", relayed.Event("connected").Text("why_kind"));
        Assert.Equal(0, (await RunAsync("connect", peer, "--ephemeral", "--once", "--path", "direct-only")).ExitCode);
    }
}
