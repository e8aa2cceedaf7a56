using System.Net;
using System.Net.Sockets;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Gimlet.NatLab.Wire;
using Xunit;

namespace Gimlet.NatLab.Workers;

/// <summary>A STUN server that is of no use: the worker says so, takes what it can find out by itself, and goes on.</summary>
public sealed class WorkerStunTests(StandardLab lab)
{
    private const string Healthy = "Worker active - health check OK";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_nothing_listens()
    {
        var probe = await ProbeHostAsync();
        IPEndPoint closed;
        using (var socket = probe.OpenUdp(probe.Address))
        {
            closed = (IPEndPoint)socket.LocalEndPoint!;
        }

        await ExpectFallbackAsync(closed, "unreachable");
    }

    [Fact]
    public async Task One_that_says_nothing()
    {
        var probe = await ProbeHostAsync();
        using var silent = probe.OpenUdp(probe.Address);

        await ExpectFallbackAsync((IPEndPoint)silent.LocalEndPoint!, "timed-out");
    }

    [Fact]
    public async Task One_that_answers_garbage()
    {
        var probe = await ProbeHostAsync();
        using var garbage = probe.OpenUdp(probe.Address);
        using var end = new CancellationTokenSource();
        var answering = AnswerGarbageAsync(garbage, end.Token);

        await ExpectFallbackAsync((IPEndPoint)garbage.LocalEndPoint!, "malformed");

        await end.CancelAsync();
        Assert.True(await answering > 0, "it was never asked");
    }

    private async Task<LabHost> ProbeHostAsync()
    {
        _ = await lab.ProbeAsync();
        return (await lab.SiteAsync(StandardLab.ProbeHosts)).Hosts[0];
    }

    private async Task ExpectFallbackAsync(IPEndPoint stun, string outcome)
    {
        var host = (await lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted))).Host;
        await using var rendezvous = await WorkerRendezvous.StartAsync((await lab.SiteAsync(StandardLab.Server)).Host);
        await using var worker = GimletProcess.Start(
            host, "worker", "--rendezvous", rendezvous.Url, "--worker-id", "alone", "--ephemeral", "--stun", stun.ToString(), "--stun-retries", "2");

        var failed = await worker.WaitForAsync("stun-failed");
        Dial.Demand(worker, failed.Text("server") == stun.ToString() && failed.Text("outcome") == outcome, $"it does not say that {stun} is {outcome}");

        // The one address that a worker without STUN, configuration and cloud can know, at its one port.
        var endpoint = await worker.WaitForAsync("endpoint");
        Dial.Demand(worker, endpoint.Text("source") == "local" && endpoint.Text("address") == $"{host.Address}:8081", "it did not fall back to its own address");
        _ = await worker.WaitForAsync("registered");
        var known = await rendezvous.WaitForAsync(static told => told.GetProperty("waiting").GetInt32() == 1, Cancellation);
        Assert.Equal($"{host.Address}", known.GetProperty("workers")[0].GetProperty("stun_reported_udp_ip").GetString());

        var health = (await worker.WaitForAsync("started")).Text("health");
        Assert.NotNull(health);
        Assert.Equal(Healthy, await LabHttp.GetAsync(host, new Uri("http://127.0.0.1:8080/"), token: null, Cancellation));
        await worker.EndAsync(Kernel.SignalTerminate);
    }

    private static async Task<int> AnswerGarbageAsync(Socket socket, CancellationToken end)
    {
        var answered = 0;
        var question = new byte[1500];
        // What is no STUN at all, what begins like an answer and ends too early, and the question itself, which is valid and no answer.
        byte[] nothing = [.. Enumerable.Repeat((byte)0xA5, 64)];
        byte[] truncated = [0x01, 0x01, 0x00, 0x0C, 0x21, 0x12, 0xA4, 0x42];
        try
        {
            while (true)
            {
                var from = await socket.ReceiveFromAsync(question, new IPEndPoint(IPAddress.Any, 0), end);
                foreach (var answer in (ReadOnlyMemory<byte>[])[nothing, truncated, question.AsMemory(0, from.ReceivedBytes)])
                {
                    _ = await socket.SendToAsync(answer, from.RemoteEndPoint, end);
                }

                answered++;
            }
        }
        catch (OperationCanceledException)
        {
            return answered;
        }
    }
}
