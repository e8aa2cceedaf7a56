using System.Diagnostics;
using Gimlet.Server.Tests.Support;

namespace Gimlet.Server.Tests.Workers;

/// <summary>A worker in another language with its stock WebSocket library: Debian's python3-websockets (eng/install-test-tools.sh).</summary>
public sealed class StockClientTests
{
    private const string Python = "/usr/bin/python3";
    private const string Variable = "GIMLET_LAB";

    [Fact]
    public async Task A_client_of_python_websockets_hears_these_bytes()
    {
        await DemandAsync();
        await using GimletServer server = await WorkerEndpointTests.WorkersAsync();
        (int exit, string output, string error) = await RunAsync(Path.Combine(AppContext.BaseDirectory, "Workers", "stock_client.py"), $"ws://{server.HttpUrls[0].Authority}");
        Assert.True(exit == 0, error);
        string[] expected =
        [
            """one {"type":"udp_endpoint_ack","status":"success"}""",
            """one {"type":"udp_endpoint_ack","status":"error","detail":"Missing UDP IP or Port"}""",
            """one {"type":"udp_endpoint_ack","status":"error","detail":"Invalid UDP IP: 'elsewhere'"}""",
            """one {"type":"udp_endpoint_ack","status":"error","detail":"Invalid UDP Port: '99999'"}""",
            """one {"type":"echo_response","original_payload":{"text": "<\u00e9> & \"q\"", "list": [1, 2.5, null, true]},"processed_by_rendezvous":"Rendezvous processed echo for python-1"}""",
            """one {"type":"echo_response","original_payload":[ 1e2 , "\u00e9é" ],"processed_by_rendezvous":"Rendezvous processed echo for python-1"}""",
            """one {"type":"echo_response","original_payload":null,"processed_by_rendezvous":"Rendezvous processed echo for python-1"}""",
            """one {"type":"echo_response","original_payload":33,"processed_by_rendezvous":"Rendezvous processed echo for python-1"}""",
            """two {"type":"udp_endpoint_ack","status":"success"}""",
            """two {"type":"p2p_connection_offer","peer_worker_id":"python-1","peer_udp_ip":"203.0.113.7","peer_udp_port":41002}""",
            """one {"type":"p2p_connection_offer","peer_worker_id":"python-2","peer_udp_ip":"2001:db8::7","peer_udp_port":41003}""",
            "one closed 1000 New connection from same worker ID",
            """again {"type":"echo_response","original_payload":"still here","processed_by_rendezvous":"Rendezvous processed echo for python-1"}""",
            "closed 1000 1000",
            "",
        ];
        Assert.Equal(expected, output.Split('\n'));
    }

    private static async Task DemandAsync()
    {
        string? missing = !File.Exists(Python) ? $"{Python} is not there (Debian: python3-websockets)"
            : (await RunAsync("-c", "import websockets")).Exit != 0 ? "python3-websockets is not installed (eng/install-test-tools.sh)"
            : null;
        if (missing is not null && Environment.GetEnvironmentVariable(Variable) == "required")
        {
            Assert.Fail($"{Variable}=required, but a foreign client cannot run here: {missing}");
        }

        Assert.SkipWhen(missing is not null, $"a foreign client cannot run here: {missing}");
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).Within();
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return (process.ExitCode, await output, await error);
    }
}
