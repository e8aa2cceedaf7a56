using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Transfers;

/// <summary>A server of one test's own, which the test may kill. It relays without a limit: what is measured is the program, not the limit.</summary>
internal sealed class OwnServer : IAsyncDisposable
{
    /// <summary>Beside the ports of the server that all cells share.</summary>
    internal const int HttpPort = 8090;
    private const int StunPort = 3490;

    private readonly LabHost _host;
    private GimletProcess _process;

    private OwnServer(LabHost host) => (_host, _process) = (host, Serve(host));

    internal string Url => $"http://{_host.Address}:{HttpPort}";

    internal static async Task<OwnServer> StartAsync(LabHost host)
    {
        var server = new OwnServer(host);
        _ = await server._process.WaitForAsync("ready");
        return server;
    }

    /// <summary>As a power failure does.</summary>
    internal Task KillAsync() => _process.KillAsync();

    /// <summary>Kills it and starts another one in its place, which knows nothing of the first.</summary>
    internal async Task RestartAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
        _process = Serve(_host);
        _ = await _process.WaitForAsync("ready");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static GimletProcess Serve(LabHost host) => GimletProcess.Start(
        host, "serve", "--http", $"{host.Address}:{HttpPort}", "--stun", $"{host.Address}:{StunPort}", "--relay-rate", "0");
}
