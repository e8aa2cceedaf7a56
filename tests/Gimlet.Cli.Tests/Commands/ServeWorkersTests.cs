using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class ServeWorkersTests : CliTest
{
    private const string Token = "0123456789abcdef0123";

    [Fact]
    public async Task Without_the_flag_there_are_no_workers_whatever_tokens_there_are()
    {
        Environment["GIMLET_WORKER_TOKEN"] = Token;
        (string url, _, _) = await ServeAsync();
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"{url}/ip"));
    }

    [Fact]
    public async Task With_the_flag_workers_register_and_the_operator_sees_them_by_its_token()
    {
        Environment["GIMLET_OPERATOR_TOKEN"] = Token;
        (string url, _, GimletProcess process) = await ServeAsync("--workers", "--worker-pairing", "group", "--max-workers", "2", "--max-workers-per-address", "1");
        using ClientWebSocket worker = await ConnectAsync(url, "a");
        Assert.Equal(HttpStatusCode.OK, await GetAsync($"{url}/api/workers"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync($"{url}/api/workers", Token));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync($"{url}/api/workers", Token + "x"));
        WebSocketException full = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(url, "b"));
        Assert.Contains("429", full.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await process.SignalAsync("TERM")).ExitCode);
    }

    [Fact]
    public async Task The_environment_turns_workers_on_and_holds_their_token()
    {
        Environment["GIMLET_WORKERS"] = "1";
        Environment["GIMLET_WORKER_TOKEN"] = Token;
        (string url, _, _) = await ServeAsync();
        WebSocketException refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(url, "a"));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
        using ClientWebSocket worker = await ConnectAsync(url, "a", Token);
        Assert.Equal(WebSocketState.Open, worker.State);
    }

    [Fact]
    public async Task The_welcome_says_that_workers_are_on_and_for_whom()
    {
        Environment["GIMLET_WORKER_TOKEN"] = Token;
        using Process process = GimletProcess.StartProcess(Folder, Environment, ["serve", "--http", "127.0.0.1:0", "--stun", "off", "--workers"]);
        try
        {
            string? line;
            do
            {
                line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(GimletProcess.Deadline, TestContext.Current.CancellationToken);
                Assert.DoesNotContain(Token, line ?? "", StringComparison.Ordinal);
            }
            while (line?.Contains("workers", StringComparison.Ordinal) == false);

            Assert.Matches("workers +on at /ws/register/ID, only for those who have the token; introduced to whoever waits next", line);
        }
        finally
        {
            process.Kill();
        }
    }

    private static async Task<HttpStatusCode> GetAsync(string url, string? token = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url));
        if (token is not null)
        {
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        }

        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static async Task<ClientWebSocket> ConnectAsync(string url, string id, string? token = null)
    {
        var socket = new ClientWebSocket();
        if (token is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        await socket.ConnectAsync(new Uri($"{url.Replace("http://", "ws://", StringComparison.Ordinal)}/ws/register/{id}"), TestContext.Current.CancellationToken);
        return socket;
    }
}
