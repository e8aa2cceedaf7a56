using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Worker;

/// <summary>A test with workers: a rendezvous of their own, ports that nobody else has.</summary>
public abstract class WorkerTest : CliTest
{
    /// <summary>Starts <c>gimlet serve --workers</c>.</summary>
    internal Task<(string Url, string Stun, GimletProcess Process)> RendezvousAsync(params IReadOnlyList<string> more) => ServeAsync(["--workers", .. more]);

    /// <summary>Starts a worker with a key of its own.</summary>
    internal GimletProcess StartWorker(string url, string id, params IReadOnlyList<string> more) =>
        Start(["worker", "--rendezvous", url, "--worker-id", id, "--port", "0", "--health-port", "off", "--ephemeral", .. more]);

    /// <summary>Starts a worker whose standard streams are the data; events are on standard error.</summary>
    internal PipeProcess StartWorkerPipe(string url, string id, params IReadOnlyList<string> more) => StartData(
        ["worker", "--rendezvous", url, "--worker-id", id, "--port", "0", "--health-port", "off", "--ephemeral", .. more, "--json"]);
}
