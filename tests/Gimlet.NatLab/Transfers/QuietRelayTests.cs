using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Transfers;

/// <summary>What is direct costs the server nothing.</summary>
[Collection(nameof(TransferLab))]
public sealed class QuietRelayTests(TransferLab lab, ITestOutputHelper output)
{
    // Registration is over and so is the call: what is left are keep-alives and the end of the connection, some hundred bytes each.
    private const long QuietBytes = 20_000;

    private const long Length = 5_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StandardLab.Household)]
    [InlineData(StandardLab.HairpinHousehold)]
    public async Task On_one_LAN(string name)
    {
        var site = await lab.SiteAsync(name);
        await ExpectQuietAsync(name, site.Hosts[0], site.Hosts[1], remote: $"{site.Hosts[1].Address}:");
    }

    [Theory]
    [InlineData(NatKind.PortRestricted, NatKind.PortRestricted)]
    [InlineData(NatKind.Symmetric, NatKind.RestrictedCone)]
    public async Task Across_the_internet(NatKind from, NatKind to)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(from)), await lab.SiteAsync(StandardLab.Right(to)));
        await ExpectQuietAsync($"{from} > {to}", a.Host, b.Host, remote: $"{b.PublicAddress}:");
    }

    private async Task ExpectQuietAsync(string name, LabHost from, LabHost to, string remote)
    {
        await using var server = await lab.ServeAsync();
        await lab.RepeatAsync($"quiet relay, {name}", output, TimeSpan.FromSeconds(1), async () =>
        {
            await using var transfer = await (await Transfer.ConnectAsync(server.Url, from, to)).DirectAsync();
            var meters = new[] { new RelayMeter(from), new RelayMeter(to) };
            foreach (var meter in meters)
            {
                await meter.BeginAsync(OwnServer.HttpPort, Cancellation);
            }

            var run = await transfer.RunAsync(Length, () => Task.CompletedTask);
            foreach (var meter in meters)
            {
                var bytes = await meter.ReadAsync(Cancellation);
                output.WriteLine($"{bytes} bytes to and from the server");
                Assert.InRange(bytes, 1, QuietBytes);
            }

            Cells.Dial.Demand(transfer.Sender, transfer.Sender.LastRemote?.StartsWith(remote, StringComparison.Ordinal) == true, $"its path does not lead to {remote}");
            return run;
        });
    }
}
