using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class HelpTests : CliTest
{
    public static TheoryData<string> Commands => ["demo", "id", "serve", "listen", "connect", "ping", "pipe", "worker", "bench", "discover"];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_shows_examples_that_can_be_copied(string command)
    {
        CliResult result = await RunForPeopleAsync(command, "--help");

        Assert.Equal(0, result.ExitCode);
        string examples = result.Output[result.Output.IndexOf("Examples\n", StringComparison.Ordinal)..];
        Assert.Contains($"gimlet {command}", examples, StringComparison.Ordinal);
        Assert.Contains("--json", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output);
        Assert.All(result.Output.Split('\n'), static line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public async Task Without_a_command_there_is_the_list_of_them()
    {
        CliResult result = await RunForPeopleAsync();

        Assert.Equal(0, result.ExitCode);
        Assert.All(Commands, command => Assert.Contains($"  {command.Data} ", result.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_does_not_mind_what_else_is_on_the_line()
    {
        CliResult result = await RunForPeopleAsync("connect", "--nonsense", "--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Usage", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_a_version()
    {
        CliResult result = await RunForPeopleAsync("--version");

        Assert.Equal(0, result.ExitCode);
        Assert.True(Version.TryParse(result.Output.Split('+')[0], out _), result.Output);
    }
}
