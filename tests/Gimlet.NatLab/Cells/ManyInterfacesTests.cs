using System.Globalization;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>A machine full of bridges and tunnels, as container hosts are.</summary>
[Collection(nameof(CellLab))]
public sealed class ManyInterfacesTests(CellLab lab, ITestOutputHelper output)
{
    // More than a node advertises of a family (32): the addresses that work must not be crowded out by those that do not.
    private const int Interfaces = 40;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_with_forty_interfaces_more_calls_and_is_called()
    {
        var (full, far) = (await lab.SiteAsync(StandardLab.Left(NatKind.RestrictedCone)), await lab.SiteAsync(StandardLab.Right(NatKind.PortRestricted)));
        var server = await lab.ServerAsync();
        var network = await lab.NetworkRoundTripAsync(full, full.Host, far, far.Host, Cancellation);
        await IpAsync(full.Host, "link add g{0} type bridge", "link set g{0} up", "address add 10.77.{0}.1/24 dev g{0}", "address add fd77:0:0:{0}::1/64 dev g{0} nodad");
        try
        {
            await lab.RepeatAsync("40 interfaces > PortRestricted", output, run => Dial.ExpectDirectAsync("40 interfaces > PortRestricted", run, server, full.Host, far.Host, network));
            await lab.RepeatAsync("PortRestricted > 40 interfaces", output, run => Dial.ExpectDirectAsync("PortRestricted > 40 interfaces", run, server, far.Host, full.Host, network));
        }
        finally
        {
            await IpAsync(full.Host, "link del g{0}");
        }
    }

    private static async Task IpAsync(LabHost host, params string[] lines)
    {
        IEnumerable<string> batch = Enumerable.Range(1, Interfaces).SelectMany(i => lines.Select(line => string.Format(CultureInfo.InvariantCulture, line, i)));
        _ = await Command.RunAsync("ip", ["-n", host.Namespace, "-batch", "-"], string.Join('\n', batch) + "\n", Cancellation);
    }
}
