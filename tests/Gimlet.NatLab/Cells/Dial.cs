using Gimlet.NatLab.Lab;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>One dial between two lab hosts with the real command line on both, as a script would do it.</summary>
internal static class Dial
{
    private const string Direct = "direct";

    /// <summary>How a callee waits.</summary>
    internal static GimletProcess Listen(LabHost host, string server, params IReadOnlyList<string> more)
        => GimletProcess.Start(host, ["listen", "--server", server, "--ephemeral", .. more]);

    /// <summary>Both sides must end up on a direct path and agree about it.</summary>
    internal static async Task<CellRun> ExpectDirectAsync(
        string cell, int run, string server, LabHost caller, LabHost callee, double? network, params IReadOnlyList<string> listenMore)
    {
        await using var listening = Listen(callee, server, listenMore);
        var peer = (await listening.WaitForAsync("listening")).Text("peer");
        var result = await ConnectAsync(cell, run, server, caller, listening, peer, network);
        await listening.EndAsync();
        return result;
    }

    /// <summary>The same, to a callee that listens already.</summary>
    internal static async Task<CellRun> ConnectAsync(
        string cell, int run, string server, LabHost caller, GimletProcess listening, string? peer, double? network)
    {
        Assert.NotNull(peer);
        await using var dialling = GimletProcess.Start(caller, "connect", peer, "--server", server, "--ephemeral", "--once");

        var connected = await dialling.WaitForAsync("connected");
        var pong = await dialling.WaitForAsync("pong");
        Demand(dialling, connected.Text("peer") == peer, "it connected to someone else");
        Demand(dialling, connected.Text("path") == Direct && pong.Text("path") == Direct, "its path is not direct");

        var accepted = await listening.WaitForAsync("connected");
        Demand(listening, accepted.Text("peer") is not null, "it does not say who is connected");
        var ping = await listening.WaitForAsync("ping", ping => ping.Text("peer") == accepted.Text("peer"));
        Demand(listening, accepted.Text("path") == Direct && ping.Text("path") == Direct, "its path is not direct");

        Demand(dialling, await dialling.WaitForExitAsync() == 0, "it did not end with code 0");
        _ = await listening.WaitForAsync("closed");
        return new CellRun(
            cell, run, connected.Number("elapsed_ms"), pong.Number("elapsed_ms"), pong.Number("rtt_ms"), network, Direct, Failure: null);
    }

    /// <summary>No direct path is possible: the caller must say so, and why, and the callee must go on.</summary>
    internal static async Task<CellRun> ExpectPunchFailedAsync(
        string cell, int run, string server, LabHost caller, LabHost callee, string reason)
    {
        await using var listening = Listen(callee, server);
        var peer = (await listening.WaitForAsync("listening")).Text("peer");
        Assert.NotNull(peer);
        await using var dialling = GimletProcess.Start(caller, "connect", peer, "--server", server, "--ephemeral", "--once");

        var error = await dialling.WaitForAsync("error");
        Demand(dialling, await dialling.WaitForExitAsync() != 0, "it ended with code 0 after an error");
        Demand(dialling, !dialling.Has("connected"), "it was connected where no direct path is possible");
        Demand(dialling, error.Text("kind") == "punch-failed", "the kind of the error is not punch-failed");
        Assert.Matches(reason, $"{error.Text("message")} {error.Text("hint")}");

        Demand(listening, !listening.Has("connected"), "it was connected where no direct path is possible");
        await listening.EndAsync();
        return new CellRun(cell, run, null, null, null, null, "punch-failed", Failure: null);
    }

    internal static void Demand(GimletProcess process, bool isTrue, string otherwise)
    {
        if (!isTrue)
        {
            throw process.Failure(otherwise);
        }
    }
}
