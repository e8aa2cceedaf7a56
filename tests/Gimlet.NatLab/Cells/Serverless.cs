using Gimlet.NatLab.Lab;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>Two people who tell each other their addresses: <c>discover</c>, then <c>connect --peer</c> on both sides.</summary>
internal static class Serverless
{
    internal static async Task<CellRun> ExpectDirectAsync(string cell, int run, string stun, LabHost left, LabHost right, double? network)
    {
        // The key is what ties the two commands together: connect takes the port that discover used with it.
        var keys = Directory.CreateTempSubdirectory("gimlet-natlab-");
        try
        {
            var (leftKey, rightKey) = (Path.Combine(keys.FullName, "left.key"), Path.Combine(keys.FullName, "right.key"));
            var addresses = await Task.WhenAll(DiscoverAsync(left, stun, leftKey), DiscoverAsync(right, stun, rightKey));

            await using var first = Connect(left, addresses[1], leftKey);
            await using var second = Connect(right, addresses[0], rightKey);
            var (connected, pong) = await ExpectPongAsync(first);
            _ = await ExpectPongAsync(second);
            Dial.Demand(first, await first.WaitForExitAsync() == 0, "it did not end with code 0");
            Dial.Demand(second, await second.WaitForExitAsync() == 0, "it did not end with code 0");
            return new CellRun(cell, run, "direct")
            {
                ConnectedMs = connected.Number("elapsed_ms"),
                RoundTripMs = pong.Number("elapsed_ms"),
                DirectMs = connected.Number("elapsed_ms"),
                NetworkMs = network,
            };
        }
        finally
        {
            keys.Delete(recursive: true);
        }
    }

    private static GimletProcess Connect(LabHost host, string peer, string key)
        => GimletProcess.Start(host, "connect", "--peer", peer, "--key", key, "--once");

    private static async Task<(GimletEvent Connected, GimletEvent Pong)> ExpectPongAsync(GimletProcess process)
    {
        var connected = await process.WaitForAsync("connected");
        var pong = await process.WaitForAsync("pong");
        Dial.Demand(process, connected.Text("path") == "direct" && pong.Text("path") == "direct", "its path is not direct");
        var isAuthenticated = connected.Fields.TryGetProperty("authenticated", out var value) && value.ValueKind == System.Text.Json.JsonValueKind.True;
        Dial.Demand(process, isAuthenticated, "both ids were typed in, but it is not authenticated");
        return (connected, pong);
    }

    private static async Task<string> DiscoverAsync(LabHost host, string stun, string key)
    {
        await using var process = GimletProcess.Start(host, "discover", "--stun", stun, "--key", key);
        var discovered = await process.WaitForAsync("discovered", found => found.Text("source") == "stun");
        Dial.Demand(process, await process.WaitForExitAsync() == 0, "it did not end with code 0");
        var address = discovered.Text("address");
        Assert.NotNull(address);
        return address;
    }
}
