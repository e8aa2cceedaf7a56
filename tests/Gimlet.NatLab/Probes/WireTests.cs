using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Probes;

/// <summary>The wire delays and loses what it was told to.</summary>
public sealed class WireTests(StandardLab lab, ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NatKind.None)]
    [InlineData(NatKind.PortRestricted)]
    [InlineData(NatKind.Symmetric)]
    public async Task Any_two_sites_are_40_ms_apart(NatKind kind)
    {
        var site = await lab.SiteAsync(StandardLab.Left(kind));
        var far = await lab.SiteAsync(StandardLab.Right(NatKind.None));

        var median = await RoundTrip.MedianAsync(site.Host, far.PublicAddress, count: 50, Cancellation);

        // The lab's own gauge, not a demand on a program: both ends of the measurement are kernels.
        output.WriteLine($"{kind}: median {median} ms");
        Assert.InRange(median, 40.0, 42.0);
    }

    [Fact]
    public async Task IPv6_sites_are_40_ms_apart_too()
    {
        var left = await lab.SiteAsync(StandardLab.IPv6Left);
        var right = await lab.SiteAsync(StandardLab.IPv6FirewallRight);

        Assert.InRange(await RoundTrip.MedianAsync(left.Host, right.Host.Address6!, count: 50, Cancellation), 40.0, 42.0);
    }

    [Fact]
    public async Task A_wire_loses_the_share_it_was_told_to()
    {
        const int Packets = 4_000;
        var site = await lab.SiteAsync(StandardLab.Left(NatKind.FullCone));
        var server = await lab.ProbeAsync();
        var before = (await site.CountAsync()).Left;
        using var socket = new ProbeSocket(site.Host);
        await site.SetWireAsync("loss_ppm=100000");
        try
        {
            for (var packet = 0; packet < Packets; packet++)
            {
                // To the server's port, which ignores what is no question: only the way out counts.
                await socket.SendAsync("x"u8.ToArray(), server.Endpoints[0]);
            }

            // The wire is asked until it has seen them all: on a busy machine they still queue in the device when the last one is sent.
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            deadline.CancelAfter(TimeSpan.FromSeconds(20));
            for (var seen = before; seen.Lost + seen.Passed - before.Lost - before.Passed < Packets; seen = (await site.CountAsync()).Left)
            {
                deadline.Token.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await site.SetWireAsync("loss_ppm=0");
        }

        _ = await socket.MappedAsync(server, 0);
        var after = (await site.CountAsync()).Left;
        var lost = after.Lost - before.Lost;
        output.WriteLine($"{lost} of {Packets} lost, {after.Overflowed - before.Overflowed} overflowed");

        // Ten per cent of 4,000 are 400; six standard deviations (19 each) either way.
        Assert.InRange(lost, 286, 514);
        Assert.Equal(Packets + 1, lost + after.Passed - before.Passed);
    }

    [Fact]
    public async Task A_cut_wire_carries_nothing_until_it_is_mended()
    {
        var site = await lab.SiteAsync(StandardLab.Left(NatKind.RestrictedCone));
        var server = await lab.ProbeAsync();
        using var socket = new ProbeSocket(site.Host);

        await site.SetWireAsync("up=0");
        var cut = await socket.MappedAsync(server, 0);
        await site.SetWireAsync("up=1");
        var mended = await socket.MappedAsync(server, 0);

        Assert.Null(cut);
        Assert.NotNull(mended);
    }
}
