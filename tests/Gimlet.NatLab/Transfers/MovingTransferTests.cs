using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Transfers;

/// <summary>Whatever the network does in the middle of a transfer, its bytes arrive: complete, in order, once, and soon.</summary>
[Collection(nameof(TransferLab))]
public sealed class MovingTransferTests(TransferLab lab, ITestOutputHelper output)
{
    // "The transfer moves again within 1.5 s (median)".
    private static readonly TimeSpan MovesAgain = TimeSpan.FromSeconds(1.5);

    // "Relay restart with a direct path up: no stall above 200 ms".
    private static readonly TimeSpan Unmoved = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(5);

    // The outage itself, and then the next probe: those go on whatever the backoff (docs/connections.md).
    private static readonly TimeSpan OutageAndAfter = Outage + MovesAgain;

    // A relay that is gone is looked for again and again while its listener is not there: until the process is up, registration, and the next probe.
    private static readonly TimeSpan RelayAgain = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_NAT_that_restarts_with_another_address(bool atSender)
    {
        var (from, to) = (await lab.SenderAsync(), await lab.ReceiverAsync());
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync($"NAT reboot at the {(atSender ? "sender" : "receiver")}", output, MovesAgain, async () =>
        {
            await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
            return await transfer.RunAsync(Transfer.FullLength, () => (atSender ? from : to).RebootNatAsync(changeAddress: true, Cancellation));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_host_that_moves_to_another_network(bool isSender)
    {
        var (from, to, elsewhere) = (await lab.SenderAsync(), await lab.ReceiverAsync(), await lab.SiteAsync(StandardLab.Elsewhere));
        var moving = isSender ? from : to;
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync($"host switch of the {(isSender ? "sender" : "receiver")}", output, MovesAgain, async () =>
        {
            try
            {
                await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
                return await transfer.RunAsync(Transfer.Length, () => moving.MoveHostAsync(elsewhere, SiteAddresses.HomeHost(64), Cancellation));
            }
            finally
            {
                await moving.MoveHostAsync(moving, moving.Host.Address!, CancellationToken.None);
            }
        });
    }

    [Fact]
    public async Task A_direct_path_that_swallows_everything()
    {
        var (from, to) = (await lab.SenderAsync(), await lab.ReceiverAsync());
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync("direct path black-holed", output, MovesAgain, async () =>
        {
            try
            {
                await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
                return await transfer.RunAsync(Transfer.Length, () => from.CutUdpAsync(to, Cancellation));
            }
            finally
            {
                await from.JoinAsync(CancellationToken.None);
            }
        });
    }

    [Fact]
    public async Task Five_seconds_without_any_network()
    {
        var (from, to) = (await lab.SenderAsync(), await lab.ReceiverAsync());
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync("5 s without a network", output, OutageAndAfter, async () =>
        {
            await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
            return await transfer.RunAsync(Transfer.Length, async () =>
            {
                await to.SetWireAsync("up=0");
                try
                {
                    // The outage is what is tested.
                    await Task.Delay(Outage, Cancellation);
                }
                finally
                {
                    await to.SetWireAsync("up=1");
                }
            });
        });
    }

    [Fact]
    public async Task A_relay_that_is_killed_and_comes_back()
    {
        var (from, to) = (await lab.SiteAsync(StandardLab.Left(NatKind.Symmetric)), await lab.SiteAsync(StandardLab.Right(NatKind.Symmetric)));
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync("relay killed and restarted, no direct path", output, RelayAgain, async () =>
        {
            await using var transfer = await Transfer.ConnectAsync(server.Url, from.Host, to.Host);
            return await transfer.RunAsync(Transfer.Length, server.RestartAsync);
        });
    }

    [Fact]
    public async Task A_relay_that_restarts_beside_a_direct_path()
    {
        var (from, to) = (await lab.SenderAsync(), await lab.ReceiverAsync());
        await using var server = await lab.ServeAsync();

        await lab.RepeatAsync("relay killed and restarted, direct path up", output, Unmoved, async () =>
        {
            await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
            return await transfer.RunAsync(Transfer.Length, server.RestartAsync);
        });
    }

    [Fact]
    public async Task A_server_that_is_gone_for_good_beside_a_direct_path()
    {
        var (from, to) = (await lab.SenderAsync(), await lab.ReceiverAsync());

        await lab.RepeatAsync("server gone, direct path up", output, Unmoved, async () =>
        {
            await using var server = await lab.ServeAsync();
            await using var transfer = await (await Transfer.ConnectAsync(server.Url, from.Host, to.Host)).DirectAsync();
            return await transfer.RunAsync(Transfer.Length, server.KillAsync);
        });
    }
}
