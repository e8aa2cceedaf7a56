using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class DemoTests : CliTest
{
    [Fact]
    public async Task It_ends_with_round_trips_on_a_direct_path()
    {
        CliResult result = await RunAsync("demo");

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Empty(result.Error);
        Assert.Equal([1, 2, 3, 4, 5], result.Events.Where(static e => e.Name == "pong").Select(static e => e.Number("seq")));
        Assert.All(result.Events.Where(static e => e.Name == "pong"), static pong => Assert.Equal("direct", pong.Text("path")));
        IEnumerable<string> steps = result.Events.Where(static e => e.Name == "step").Select(static e => e.Text("step")).Distinct();
        Assert.Equal(["server", "anna", "call", "connected", "checks", "path", "closed"], steps.Where(static s => s != "berta"));
        Assert.Equal((5, 5), (result.Event("summary").Number("sent"), result.Event("summary").Number("received")));
        Assert.Equal(["event", "step", "text", "elapsed_ms"], result.Events[0].FieldNames);
    }

    [Fact]
    public async Task People_are_told_what_to_try_next()
    {
        CliResult result = await RunForPeopleAsync("demo");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("5 of 5 answered", result.Output, StringComparison.Ordinal);
        Assert.Contains("gimlet connect TICKET", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Folder.Path));
    }

    [Fact]
    public async Task What_the_environment_says_about_other_nodes_does_not_matter()
    {
        Environment["GIMLET_SERVER"] = "http://127.0.0.1:1";
        Environment["GIMLET_PORT"] = "1";
        Environment["GIMLET_NO_HOLEPUNCH"] = "1";

        Assert.Equal(0, (await RunAsync("demo")).ExitCode);
    }
}
