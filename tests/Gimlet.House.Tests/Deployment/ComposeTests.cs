namespace Gimlet.House.Tests.Deployment;

/// <summary>The compose file agrees with the images and with the command line.</summary>
public sealed class ComposeTests
{
    private const string Folder = "deploy/docker/";

    private readonly SimpleYaml _compose = SimpleYaml.Read(Folder + "compose.yaml");

    [Fact]
    public void It_starts_a_server_and_two_workers() => Assert.Equal(["server", "worker-a", "worker-b"], _compose.Keys("services"));

    [Theory]
    [InlineData("server", "server")]
    [InlineData("worker-a", "worker")]
    [InlineData("worker-b", "worker")]
    public void A_service_is_built_from_its_Dockerfile(string service, string image)
    {
        Assert.Equal("../..", _compose.One($"services/{service}/build/context"));
        Assert.Equal($"{Folder}{image}.Dockerfile", _compose.One($"services/{service}/build/dockerfile"));
        Assert.Equal(Dockerfile.Read($"{Folder}{image}.Dockerfile").Environment["PORT"], _compose.One($"services/{service}/environment/PORT"));
        Assert.Equal("true", _compose.One($"services/{service}/read_only"));
        Assert.Equal(["ALL"], _compose.All($"services/{service}/cap_drop"));
        Assert.Equal(["no-new-privileges:true"], _compose.All($"services/{service}/security_opt"));
    }

    [Fact]
    public void Every_exposed_port_of_the_server_is_published()
    {
        IEnumerable<string> inside = _compose.All("services/server/ports").Select(static p => p.Split(':')[^1]);

        Assert.Equal(Dockerfile.Read(Folder + "server.Dockerfile").Ports, inside);
    }

    [Theory]
    [InlineData("worker-a")]
    [InlineData("worker-b")]
    public void A_worker_waits_for_the_server_and_dials_a_name_that_it_has(string service)
    {
        Assert.Equal("service_healthy", _compose.One($"services/{service}/depends_on/server/condition"));
        var url = new Uri(_compose.One($"services/{service}/environment/RENDEZVOUS_SERVICE_URL"));
        IReadOnlyList<string> command = _compose.All("services/server/command");
        Assert.Equal(command[command.ToList().IndexOf("--name") + 1], url.Host);
        Assert.Equal("server", url.Host);
        Assert.Equal(_compose.One("services/server/environment/PORT"), $"{url.Port}");
        Assert.Equal(service, _compose.One($"services/{service}/environment/WORKER_ID"));
    }

    [Theory]
    [InlineData("worker-a")]
    [InlineData("worker-b")]
    public void A_workers_key_is_in_a_volume_of_its_own(string service)
    {
        string[] volume = Assert.Single(_compose.All($"services/{service}/volumes")).Split(':');

        Assert.Equal(service + "-state", volume[0]);
        Assert.Contains(volume[0], _compose.Keys("volumes"));
        Assert.StartsWith(volume[1] + "/", Dockerfile.Read(Folder + "worker.Dockerfile").Environment["GIMLET_KEY"], StringComparison.Ordinal);
    }
}
