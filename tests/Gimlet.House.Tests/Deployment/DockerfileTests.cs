using System.Globalization;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>Facts about the images that need no container engine.</summary>
public sealed class DockerfileTests
{
    private const string Server = "deploy/docker/server.Dockerfile";
    private const string Worker = "deploy/docker/worker.Dockerfile";

    [Fact]
    public void No_Dockerfile_is_left_out_here() =>
        Assert.Equal([Server, Worker], Repository.Files().Where(static f => Path.GetFileName(f).Contains("Dockerfile", StringComparison.Ordinal) && Path.GetExtension(f) is ".Dockerfile" or "").Order(StringComparer.Ordinal));

    [Theory]
    [InlineData(Server)]
    [InlineData(Worker)]
    public void What_is_copied_exists_and_is_not_ignored(string path)
    {
        Dockerfile file = Dockerfile.Read(path);
        string[] allowed = [.. Repository.Read(path + ".dockerignore").Split('\n').Select(static l => l.Trim()).Where(static l => l.StartsWith('!')).Select(static l => l[1..])];

        foreach (string source in file.Instructions.Where(static i => i.Word == "COPY" && !i.Arguments.Any(static a => a.StartsWith("--from", StringComparison.Ordinal))).SelectMany(static i => i.Operands[..^1]))
        {
            Assert.True(Repository.Exists(source), $"{path}: there is no {source}");
            Assert.Contains(source.TrimEnd('/'), allowed);
        }
    }

    [Theory]
    [InlineData(Server)]
    [InlineData(Worker)]
    public void Everything_that_the_published_project_needs_is_copied(string path)
    {
        Dockerfile file = Dockerfile.Read(path);
        Instruction publish = Assert.Single(file.Instructions, static i => i.Word == "RUN" && i.Text.StartsWith("dotnet publish", StringComparison.Ordinal));
        string project = publish.Operands[2];
        Assert.Single(Directory.GetFiles(Path.Combine(Repository.Root, project), "*.csproj"));
        string[] copied = [.. file.Instructions.Where(static i => i is { Word: "COPY", Stage: 0 }).SelectMany(static i => i.Operands[..^1])];
        Assert.Contains(copied, c => project.StartsWith(c, StringComparison.Ordinal));
        foreach (string needed in (string[])["global.json", "Directory.Build.props", "Directory.Packages.props", "eng/all.globalconfig"])
        {
            Assert.Contains(needed, copied);
        }
    }

    [Theory]
    [InlineData(Server)]
    [InlineData(Worker)]
    public void It_is_built_and_run_by_the_framework_of_the_projects(string path)
    {
        Dockerfile file = Dockerfile.Read(path);
        string[] images = [.. file.Instructions.Where(static i => i.Word == "FROM").Select(static i => i.Operands[0])];

        Assert.Equal(["mcr.microsoft.com/dotnet/sdk:${DOTNET}", "mcr.microsoft.com/dotnet/aspnet:${DOTNET}"], images);
        Assert.Equal($"DOTNET={Environment.Version.ToString(2)}", file.Instructions[0].Arguments[0]);
        Assert.Contains($"<TargetFramework>net{Environment.Version.ToString(2)}</TargetFramework>", Repository.Read("Directory.Build.props"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Server)]
    [InlineData(Worker)]
    public void It_runs_as_the_images_own_user(string path) => Assert.Equal("$APP_UID", Assert.Single(Dockerfile.Read(path).Final("USER")).Text);

    [Theory]
    [InlineData(Server, "serve", "/healthz")]
    [InlineData(Worker, "worker", "/")]
    public void It_runs_the_published_executable_and_asks_for_its_health(string path, string command, string health)
    {
        Dockerfile file = Dockerfile.Read(path);

        Assert.Equal($"[\"/app/gimlet\", \"{command}\"]", Assert.Single(file.Final("ENTRYPOINT")).Text);
        Assert.Contains("<ExecutableName>gimlet</ExecutableName>", Repository.Read("src/Gimlet.Cli/Gimlet.Cli.csproj"), StringComparison.Ordinal);
        Assert.EndsWith($"CMD [\"bash\", \"/app/health.sh\", \"{health}\"]", Assert.Single(file.Final("HEALTHCHECK")).Text, StringComparison.Ordinal);
        Assert.Contains(file.Final("COPY"), static i => i.Operands is ["deploy/docker/health.sh", "/app/"]);
    }

    [Theory]
    [InlineData(Server, "3478/udp 3479/udp")]
    [InlineData(Worker, "8081/udp")]
    public void The_exposed_ports_are_those_that_are_used(string path, string udp)
    {
        Dockerfile file = Dockerfile.Read(path);
        string[] expected = [file.Environment["PORT"] + "/tcp", .. udp.Split(' ')];

        Assert.Equal(expected, file.Ports);
        if (file.Environment.TryGetValue("INTERNAL_UDP_PORT_ENV", out string? port))
        {
            Assert.Contains(port + "/udp", file.Ports);
        }
    }

    [Fact]
    public void The_servers_STUN_ports_are_its_defaults() =>
        Assert.Equal(
            [.. Dockerfile.Read(Server).Ports.Where(static p => p.EndsWith("/udp", StringComparison.Ordinal))],
            [Port(Stun.Server.Hosting.StunServerOptions.DefaultPort), Port(Stun.Server.Hosting.StunServerOptions.DefaultPort + 1)]);

    private static string Port(int number) => string.Create(CultureInfo.InvariantCulture, $"{number}/udp");
}
