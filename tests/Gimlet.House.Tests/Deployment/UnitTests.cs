using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>The systemd units and their environment files.</summary>
public sealed class UnitTests
{
    [Theory]
    [InlineData("server")]
    [InlineData("worker")]
    public async Task Systemd_has_nothing_against_the_unit(string name)
    {
        string? tool = Shell.Find("systemd-analyze");
        Assert.SkipWhen(tool is null, "systemd-analyze is not installed here");
        string folder = Directory.CreateTempSubdirectory("gimlet-unit").FullName;
        try
        {
            // The executable is not installed here, and that is no fault of the unit.
            string unit = Path.Combine(folder, $"gimlet-{name}.service");
            string text = Repository.Read($"deploy/systemd/gimlet-{name}.service");
            await File.WriteAllTextAsync(unit, text.Replace("/opt/gimlet/gimlet", "/bin/true", StringComparison.Ordinal), TestContext.Current.CancellationToken);

            (int status, string output) = await Shell.RunAsync(tool, ["verify", unit]);

            Assert.True(status == 0 && output.Length == 0, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("server", "2")]
    [InlineData("worker", "2 5")]
    public void The_unit_is_hardened_and_comes_back(string name, string final)
    {
        string[] lines = Repository.Read($"deploy/systemd/gimlet-{name}.service").Split('\n');

        foreach (string needed in (string[])["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "CapabilityBoundingSet=", "Restart=on-failure", "SystemCallFilter=@system-service"])
        {
            Assert.Contains(needed, lines);
        }

        // The exit statuses of a wrong option and of a lost name: docs/errors.md.
        Assert.Contains($"RestartPreventExitStatus={final}", lines);
    }

    [Theory]
    [InlineData("server")]
    [InlineData("worker")]
    public void The_units_environment_file_is_the_one_beside_it(string name)
    {
        string line = Assert.Single(Repository.Read($"deploy/systemd/gimlet-{name}.service").Split('\n'), static l => l.StartsWith("EnvironmentFile=", StringComparison.Ordinal));

        Assert.EndsWith($"/etc/gimlet/{name}.env", line, StringComparison.Ordinal);
        Assert.True(Repository.Exists($"deploy/systemd/{name}.env"));
    }

    [Fact]
    public void The_workers_key_is_in_the_units_state_folder()
    {
        string[] lines = Repository.Read("deploy/systemd/gimlet-worker.service").Split('\n');

        Assert.Contains("StateDirectory=gimlet-worker", lines);
        Assert.Contains("Environment=GIMLET_KEY=%S/gimlet-worker/key.pem", lines);
    }
}
