using Gimlet.Server.Hosting.WebSockets;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>The way out to one worker: the queue that nodes have, and pings.</summary>
internal sealed class WorkerSocket(WebSocketOutput output, PingStream stream) : IWorkerOutput
{
    public bool TrySend(ReadOnlyMemory<byte> utf8) => output.TrySend(utf8);

    public void Ping() => stream.TryPing();

    public void Close(int code, string reason) => output.Close(code, reason);

    public void Abort() => output.Abort();
}
