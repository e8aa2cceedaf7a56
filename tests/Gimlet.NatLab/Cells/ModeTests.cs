using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Gimlet.NatLab.Wire;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>Other ways to be called, lossy lines, idle nodes, and the end.</summary>
[Collection(nameof(CellLab))]
public sealed class ModeTests(CellLab lab, ITestOutputHelper output)
{
    // One run of a lossy cell says little; the closing figures take 50 (GIMLET_LAB_RUNS=50).
    private const int LeastLossyRuns = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Seconds of silence before the second dial: longer than the mapping lives only where long tests are wanted.</summary>
    public static TheoryData<int> IdleSeconds => LabRequirements.IsLong ? [5, 120] : [5];

    [Fact]
    public async Task A_callee_that_decides_first_is_reached_directly()
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted)), await lab.SiteAsync(StandardLab.Right(NatKind.PortRestricted)));
        var (cell, server) = ("on-accept: PortRestricted > same", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectDirectAsync(cell, run, server, a.Host, b.Host, network, "--on-accept"));
    }

    [Fact]
    public async Task Ten_per_cent_loss_on_both_sides_does_not_stop_a_punch()
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted)), await lab.SiteAsync(StandardLab.Right(NatKind.PortRestricted)));
        var (cell, server) = ("10 % loss: PortRestricted > same", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);
        // Each wire loses in both directions: of a packet from one node to the other 19 % are lost, of round trips 34 %.
        await a.SetWireAsync("loss_ppm=100000");
        await b.SetWireAsync("loss_ppm=100000");
        try
        {
            await lab.RepeatAsync(
                cell, output, run => Dial.ExpectDirectAsync(cell, run, server, a.Host, b.Host, network), Math.Max(CellLab.Runs, LeastLossyRuns));
        }
        finally
        {
            await a.SetWireAsync("loss_ppm=0");
            await b.SetWireAsync("loss_ppm=0");
        }
    }

    [Theory]
    [MemberData(nameof(IdleSeconds))]
    public async Task An_idle_node_behind_a_forgetful_NAT_is_still_reached(int seconds)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted)), await lab.SiteAsync(StandardLab.ShortLived));
        var server = await lab.ServerAsync();
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);
        await using var listening = Dial.Listen(b.Host, server);
        _ = await listening.WaitForAsync("listening");

        // The silence is what is tested: nobody calls meanwhile, and the NAT forgets mappings after 30 s.
        await Task.Delay(TimeSpan.FromSeconds(seconds), Cancellation);
        var cell = $"idle for {seconds} s: PortRestricted > 30 s NAT";
        await lab.RepeatAsync(cell, output, run => Dial.ConnectAsync(cell, run, server, a.Host, listening, network), runs: 1);
        await listening.EndAsync();
    }

    [Theory]
    [InlineData(NatKind.PortRestricted, NatKind.PortRestricted)]
    [InlineData(NatKind.Symmetric, NatKind.RestrictedCone)]
    public async Task Two_people_connect_without_a_server(NatKind left, NatKind right)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(left)), await lab.SiteAsync(StandardLab.Right(right)));
        var (cell, stun) = ($"serverless: {left} > {right}", await lab.StunAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Serverless.ExpectDirectAsync(cell, run, stun, a.Host, b.Host, network));
    }

    [Theory]
    [InlineData(Kernel.SignalInterrupt)]
    [InlineData(Kernel.SignalTerminate)]
    public async Task A_listener_ends_cleanly_when_asked_to(int signal)
    {
        var site = await lab.SiteAsync(StandardLab.Right(NatKind.PortRestricted));
        await using var listening = Dial.Listen(site.Host, await lab.ServerAsync());
        _ = await listening.WaitForAsync("listening");

        await listening.EndAsync(signal);
    }
}
