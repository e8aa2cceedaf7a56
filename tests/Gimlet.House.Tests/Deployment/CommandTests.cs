using System.Text.RegularExpressions;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>Every command, option and environment variable that deploy names is one that the command line has.</summary>
public sealed partial class CommandTests
{
    public static TheoryData<string> Pages() => [.. Repository.Files(".md", ".service", ".env", ".yaml", ".Dockerfile").Where(static f => f.StartsWith("deploy/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Its_gimlet_commands_exist(string path)
    {
        string text = Repository.Read(path).ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal);
        IEnumerable<string> code = Path.GetExtension(path) == ".md" ? Code().Matches(text).Select(static m => m.Value) : [text];
        foreach (Match call in code.SelectMany(static c => Call().Matches(c)))
        {
            CommandFacts.AssertUnderstands(path, call.Groups["command"].Value, Option().Matches(call.Groups["rest"].Value).Select(static m => m.Value));
        }
    }

    [Fact]
    public void The_arguments_that_platforms_pass_on_are_those_of_serve()
    {
        string text = Repository.Read("deploy/http-platforms.md").ReplaceLineEndings("\n");
        string[] lists = [.. Arguments().Matches(text).Select(static m => m.Groups["list"].Value)];

        Assert.Equal(2, lists.Length);
        Assert.All(lists, static l => CommandFacts.AssertUnderstands("deploy/http-platforms.md", "serve", Option().Matches(l).Select(static m => m.Value)));
    }

    [Fact]
    public void The_options_of_images_compose_file_and_units_are_those_of_their_commands()
    {
        SimpleYaml compose = SimpleYaml.Read("deploy/docker/compose.yaml");
        CommandFacts.AssertUnderstands("compose.yaml", "serve", compose.All("services/server/command").Where(static w => w.StartsWith('-')));
        CommandFacts.AssertUnderstands("server.Dockerfile", "serve", Option().Matches(Assert.Single(Dockerfile.Read("deploy/docker/server.Dockerfile").Final("CMD")).Text).Select(static m => m.Value));
        string options = Assert.Single(Repository.Read("deploy/systemd/server.env").Split('\n'), static l => l.StartsWith("GIMLET_SERVE_OPTIONS=", StringComparison.Ordinal));
        CommandFacts.AssertUnderstands("server.env", "serve", Option().Matches(options).Select(static m => m.Value));
    }

    [Fact]
    public void The_environment_variables_of_the_images_and_the_compose_file_are_read()
    {
        SimpleYaml compose = SimpleYaml.Read("deploy/docker/compose.yaml");
        AssertRead("compose.yaml", "serve", compose.Keys("services/server/environment"));
        AssertRead("compose.yaml", "worker", compose.Keys("services/worker-a/environment"));
        AssertRead("compose.yaml", "worker", compose.Keys("services/worker-b/environment"));
        AssertRead("server.Dockerfile", "serve", Dockerfile.Read("deploy/docker/server.Dockerfile").Environment.Keys);
        AssertRead("worker.Dockerfile", "worker", Dockerfile.Read("deploy/docker/worker.Dockerfile").Environment.Keys);
    }

    [Theory]
    [InlineData("server", "serve")]
    [InlineData("worker", "worker")]
    public void The_environment_variables_of_the_units_are_read(string name, string command)
    {
        string unit = Repository.Read($"deploy/systemd/gimlet-{name}.service");
        IEnumerable<string> names = Assignment().Matches(Repository.Read($"deploy/systemd/{name}.env")).Select(static m => m.Groups["name"].Value);

        // What the unit itself puts into the line is not read by the program.
        AssertRead($"{name}.env", command, names.Where(n => !unit.Contains('$' + n, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_causes_in_the_triage_are_those_that_the_program_tells()
    {
        string table = Repository.Read("deploy/networks.md").Split("| `why_kind`")[1];
        string[] named = [.. table.Split('\n').Where(static l => l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(static l => Word().Matches(l.Split('|')[1])).Select(static m => m.Groups["word"].Value)];

        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Enum.GetValues<RelayCause>().Select(static c => c.ToCauseString()), StringComparer.Ordinal));
    }

    private static void AssertRead(string where, string command, IEnumerable<string> variables)
    {
        // DOTNET_ is the runtime's.
        foreach (string variable in variables.Where(static v => !v.StartsWith("DOTNET_", StringComparison.Ordinal)))
        {
            CommandFacts.AssertReads(where, command, variable);
        }
    }

    [GeneratedRegex("```.*?```|`[^`\n]+`", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Code();

    [GeneratedRegex(@"(?<![\w-])gimlet (?<command>[a-z]+)(?<rest>[^`\n#]*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Call();

    [GeneratedRegex("(?<![a-z-])--[a-z][a-z-]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Option();

    [GeneratedRegex("--args[= ](?<list>.*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Arguments();

    [GeneratedRegex("^#?(?<name>[A-Z_]+)=", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Assignment();

    [GeneratedRegex("`(?<word>[a-z-]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();
}
