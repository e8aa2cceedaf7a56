using System.Diagnostics;
using Gimlet.NatLab.Lab;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>One dial between two lab hosts with the real command line on both, as a script would do it.</summary>
internal static class Dial
{
    private const string Direct = "direct";
    private const string Relay = "relay";

    /// <summary>How a callee waits.</summary>
    internal static GimletProcess Listen(LabHost host, string server, params IReadOnlyList<string> more)
        => GimletProcess.Start(host, ["listen", "--server", server, "--ephemeral", .. more]);

    /// <summary>Both sides must end up on a direct path and agree about it.</summary>
    internal static async Task<CellRun> ExpectDirectAsync(
        string cell, int run, string server, LabHost caller, LabHost callee, double? network, params IReadOnlyList<string> listenMore)
    {
        await using var listening = Listen(callee, server, listenMore);
        var result = await ConnectAsync(cell, run, server, caller, listening, network);
        await listening.EndAsync();
        return result;
    }

    /// <summary>The same, to a callee that listens already.</summary>
    internal static async Task<CellRun> ConnectAsync(string cell, int run, string server, LabHost caller, GimletProcess listening, double? network)
    {
        await using var dialling = await StartAsync(server, caller, listening);
        var (connected, accepted) = await ConnectedAsync(dialling, listening);
        var direct = await DirectAsync(dialling);
        _ = await DirectAsync(listening, accepted.Text("peer"));

        // What is said of the path must be true of data, in both directions, and stay true.
        var pong = await dialling.WaitForAsync("pong", pong => pong.Text("path") == Direct);
        _ = await listening.WaitForAsync("ping", ping => ping.Text("path") == Direct && ping.Text("peer") == accepted.Text("peer"));
        Demand(dialling, !dialling.Has("path", path => path.Text("path") != Direct), "it left the direct path");
        Demand(listening, !listening.Has("path", path => path.Text("path") != Direct), "it left the direct path");

        var result = new CellRun(cell, run, Direct) { Remote = pong.Text("remote"), DirectMs = direct.Number("elapsed_ms"), NetworkMs = network };
        result = await MeasureAsync(result, dialling, listening, connected, accepted);
        await EndAsync(dialling, listening, accepted);
        return result;
    }

    /// <summary>
    /// No direct path is possible: both sides must be connected over the relay, go on there, and say why: one of <paramref name="reason"/>, where there are any.
    /// </summary>
    internal static async Task<CellRun> ExpectRelayAsync(string cell, int run, string server, LabHost caller, LabHost callee, double? network, params IReadOnlyList<string> reason)
    {
        await using var listening = Listen(callee, server);
        await using var dialling = await StartAsync(server, caller, listening);
        var (connected, accepted) = await ConnectedAsync(dialling, listening);
        Demand(dialling, connected.Text("path") == Relay, "it is not on the relay");
        Demand(listening, accepted.Text("path") == Relay, "it is not on the relay");

        foreach (var side in reason.Count > 0 ? new[] { dialling, listening } : [])
        {
            var why = await WhyAsync(side);
            Demand(side, reason.Contains(why.Text("why_kind")), $"it gives another reason than {string.Join(" or ", reason)}: {why.Text("why_kind")}");
            Demand(side, !side.Has("path", path => path.Text("path") != Relay), "it left the relay where no direct path is possible");
        }

        var result = await MeasureAsync(new CellRun(cell, run, Relay) { NetworkMs = network }, dialling, listening, connected, accepted);
        await EndAsync(dialling, listening, accepted);
        return result;
    }

    /// <summary>The first event with which a side says that its data goes directly.</summary>
    internal static async Task<GimletEvent> DirectAsync(GimletProcess side, string? peer = null)
    {
        var connected = await side.WaitForAsync("connected", connected => peer is null || connected.Text("peer") == peer);
        return connected.Text("path") == Direct
            ? connected
            : await side.WaitForAsync("path", path => path.Text("path") == Direct && (peer is null || path.Text("peer") == peer));
    }

    internal static void Demand(GimletProcess process, bool isTrue, string otherwise)
    {
        if (!isTrue)
        {
            throw process.Failure(otherwise);
        }
    }

    /// <summary>The first event that gives the reason for the relay. While the search goes on there is none.</summary>
    private static async Task<GimletEvent> WhyAsync(GimletProcess side)
    {
        static bool IsDecided(GimletEvent news) => news.Text("why_kind") is not (null or "still-trying");
        var connected = await side.WaitForAsync("connected");
        return IsDecided(connected) ? connected : await side.WaitForAsync("path", IsDecided);
    }

    private static async Task<GimletProcess> StartAsync(string server, LabHost caller, GimletProcess listening)
    {
        var peer = (await listening.WaitForAsync("listening")).Text("peer");
        Assert.NotNull(peer);
        return GimletProcess.Start(caller, "connect", peer, "--server", server, "--ephemeral");
    }

    private static async Task<(GimletEvent Connected, GimletEvent Accepted)> ConnectedAsync(GimletProcess dialling, GimletProcess listening)
    {
        var connected = await dialling.WaitForAsync("connected");
        var listener = (await listening.WaitForAsync("listening")).Text("peer");
        Demand(dialling, connected.Text("peer") == listener, "it connected to someone else");
        var accepted = await listening.WaitForAsync("connected", accepted => accepted.Text("call") == connected.Text("call"));
        Demand(listening, accepted.Text("peer") is not null, "it does not say who is connected");
        return (connected, accepted);
    }

    private static async Task<CellRun> MeasureAsync(CellRun run, GimletProcess dialling, GimletProcess listening, GimletEvent connected, GimletEvent accepted)
    {
        var dialing = await dialling.WaitForAsync("dialing");
        var pong = await dialling.WaitForAsync("pong");
        var ping = await listening.WaitForAsync("ping", ping => ping.Text("peer") == accepted.Text("peer"));
        return run with
        {
            ConnectedMs = connected.Number("elapsed_ms"),
            FirstByteMs = Math.Round(ping.Number("clock_ms") - dialing.Number("clock_ms"), 1),
            RoundTripMs = pong.Number("elapsed_ms"),
        };
    }

    private static async Task EndAsync(GimletProcess dialling, GimletProcess listening, GimletEvent accepted)
    {
        await dialling.EndAsync();
        _ = await listening.WaitForAsync("closed", closed => closed.Text("peer") == accepted.Text("peer"));
    }
}
