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
    private readonly IReadOnlyList<string> _more;
    private GimletProcess _process;

    private OwnServer(LabHost host, IReadOnlyList<string> more) => (_host, _more, _process) = (host, more, Serve(host, more));

    internal string Url => $"http://{_host.Address}:{HttpPort}";

    /// <summary>Starts one, with <paramref name="more"/> options.</summary>
    internal static async Task<OwnServer> StartAsync(LabHost host, params IReadOnlyList<string> more)
    {
        var server = new OwnServer(host, more);
        _ = await server._process.WaitForAsync("ready");
        return server;
    }

    /// <summary>As a power failure does.</summary>
    internal Task KillAsync() => _process.KillAsync();

    /// <summary>Kills it and starts another one in its place, which knows nothing of the first.</summary>
    internal async Task RestartAsync()
    {
        await _process.KillAsync();
        await StartAgainAsync();
    }

    /// <summary>Starts another one in the place of the one that was killed.</summary>
    internal async Task StartAgainAsync()
    {
        await _process.DisposeAsync();
        _process = Serve(_host, _more);
        _ = await _process.WaitForAsync("ready");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static GimletProcess Serve(LabHost host, IReadOnlyList<string> more) => GimletProcess.Start(
        host, ["serve", "--http", $"{host.Address}:{HttpPort}", "--stun", $"{host.Address}:{StunPort}", "--relay-rate", "0", .. more]);
}
