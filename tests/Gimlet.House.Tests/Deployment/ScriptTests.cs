using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>The scripts under deploy.</summary>
public sealed class ScriptTests
{
    private const string Health = "deploy/docker/health.sh";

    [Fact]
    public async Task Every_script_parses()
    {
        string bash = Bash();
        string[] scripts = [.. Repository.Files(".sh").Where(static f => f.StartsWith("deploy/", StringComparison.Ordinal))];
        Assert.NotEmpty(scripts);
        foreach (string script in scripts)
        {
            (int status, string output) = await Shell.RunAsync(bash, ["-n", Path.Combine(Repository.Root, script)]);
            Assert.True(status == 0, output);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK", 0)]
    [InlineData("HTTP/1.1 404 Not Found", 1)]
    [InlineData("HTTP/1.1 503 Service Unavailable", 1)]
    [InlineData("nothing of the kind", 1)]
    public async Task The_health_check_believes_a_200_and_nothing_else(string answer, int expected)
    {
        string bash = Bash();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<string> request = AnswerOnceAsync(listener, answer);

        (int status, _) = await Shell.RunAsync(bash, [Path.Combine(Repository.Root, Health), "/healthz"], ("PORT", Port(listener)));

        Assert.Equal(expected, status);
        Assert.StartsWith($"GET /healthz HTTP/1.1\r\nHost: localhost:{Port(listener)}\r\n", await request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_check_fails_where_nothing_listens()
    {
        string bash = Bash();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = Port(listener);
        listener.Stop();

        (int status, _) = await Shell.RunAsync(bash, [Path.Combine(Repository.Root, Health)], ("PORT", port));

        Assert.Equal(1, status);
    }

    [Fact]
    public void The_layer_publishes_a_project_that_exists()
    {
        string script = Repository.Read("deploy/functions/make-layer.sh");

        string project = script.Split("dotnet publish ")[1].Split(' ')[0];

        Assert.Single(Directory.GetFiles(Path.Combine(Repository.Root, project), "*.csproj"));
        Assert.Contains($"$out/build/{Path.GetFileName(project)}\"", script, StringComparison.Ordinal);
    }

    private static string Bash()
    {
        string? bash = OperatingSystem.IsLinux() ? Shell.Find("bash") : null;
        Assert.SkipWhen(bash is null, "the scripts are for bash on Linux, which is not here");
        return bash;
    }

    private static string Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> AnswerOnceAsync(TcpListener listener, string answer)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var request = new StringBuilder();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
        {
            _ = request.Append(line).Append("\r\n");
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer + "\r\nContent-Length: 0\r\n\r\n"), TestContext.Current.CancellationToken);
        return request.ToString();
    }
}
