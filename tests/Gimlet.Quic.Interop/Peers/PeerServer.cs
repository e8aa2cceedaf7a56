using System.Net;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>A foreign server of <c>gimlet-interop</c> that listens on the loopback.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly PeerProcess _process;

    private PeerServer(PeerProcess process, IPEndPoint endPoint)
    {
        _process = process;
        EndPoint = endPoint;
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>
    /// The events so far with this name: <c>connection</c>, <c>request</c>, <c>datagrams</c>, <c>closed</c>, <c>refused</c>, <c>exit</c>.
    /// </summary>
    public IReadOnlyList<PeerResult> Events(string name) =>
        [.. _process.LinesLike(line => IsEvent(line, name)).Select(PeerResult.Parse)];

    /// <summary>The first event with this name, whether it came already or not.</summary>
    public async Task<PeerResult> WaitForEventAsync(string name) => PeerResult.Parse(await _process.WaitForLineAsync(line => IsEvent(line, name)));

    /// <summary>The first event with this name that fits.</summary>
    public async Task<PeerResult> WaitForEventAsync(string name, Func<PeerResult, bool> fits) =>
        PeerResult.Parse(await _process.WaitForLineAsync(line => IsEvent(line, name) && fits(PeerResult.Parse(line))));

    internal static async Task<PeerServer> StartAsync(string program, IReadOnlyList<string> arguments)
    {
        PeerProcess process = PeerProcess.Start(program, ["server", "--stop-on-stdin", .. arguments], PeerResult.IsResult);
        try
        {
            const string Listening = "listening ";
            string line = await process.WaitForLineAsync(line => line.StartsWith(Listening, StringComparison.Ordinal));
            return new PeerServer(process, IPEndPoint.Parse(line[Listening.Length..]));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the server in order; its last event says how much processor time it took.</summary>
    public async Task<PeerResult> StopAsync()
    {
        int code = await _process.StopAsync();
        return code == 0 && Events("exit") is [PeerResult exit] ? exit : throw _process.Failure($"the server ended with code {code}");
    }

    /// <summary>Ends the server as a crash would: its clients learn nothing.</summary>
    public Task KillAsync() => _process.KillAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static bool IsEvent(string line, string name) => PeerResult.IsResult(line) && PeerResult.Parse(line).Event == name;
}
