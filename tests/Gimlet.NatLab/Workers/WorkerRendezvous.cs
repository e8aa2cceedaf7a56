using System.Text.Json;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Transfers;

namespace Gimlet.NatLab.Workers;

/// <summary>A <c>gimlet serve --workers</c> of one test's own, and what its operator is told.</summary>
internal sealed class WorkerRendezvous : IAsyncDisposable
{
    private const string Token = "the-token-of-this-lab";

    private readonly LabHost _host;
    private readonly OwnServer _server;

    private WorkerRendezvous(LabHost host, OwnServer server) => (_host, _server) = (host, server);

    internal string Url => _server.Url;

    internal static async Task<WorkerRendezvous> StartAsync(LabHost host) =>
        new(host, await OwnServer.StartAsync(host, "--workers", "--operator-token", Token));

    /// <summary>As a power failure does.</summary>
    internal Task KillAsync() => _server.KillAsync();

    /// <summary>Another one in the place of the one that was killed, which knows nothing of the first.</summary>
    internal Task StartAgainAsync() => _server.StartAgainAsync();

    /// <summary>What <c>/debug/list_workers</c> tells.</summary>
    internal Task<JsonElement> ListAsync(CancellationToken cancellation) => AskAsync("/debug/list_workers", cancellation);

    /// <summary>Asks <c>/api/workers</c> until it tells what is waited for: the server has no event for it, and a round trip is a pause.</summary>
    /// <exception cref="TimeoutException">It never did; the message has the last answer.</exception>
    internal async Task<JsonElement> WaitForAsync(Func<JsonElement, bool> isRight, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(GimletProcess.Deadline);
        while (true)
        {
            var answer = await AskAsync("/api/workers", cancellation);
            if (isRight(answer))
            {
                return answer;
            }

            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"the rendezvous never told what was waited for, but last {answer.GetRawText()}");
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<JsonElement> AskAsync(string path, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await LabHttp.GetAsync(_host, new Uri(Url + path), Token, cancellation));
        return document.RootElement.Clone();
    }
}
