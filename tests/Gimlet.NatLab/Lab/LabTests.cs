using System.Diagnostics;
using Gimlet.NatLab.Nats;
using Gimlet.NatLab.Wire;
using Xunit;

namespace Gimlet.NatLab.Lab;

/// <summary>The lab comes and goes without a trace, beside others.</summary>
public sealed class LabTests(ITestOutputHelper output)
{
    private static readonly SitePlan[] TwoHomes = [new("left", NatKind.PortRestricted), new("right", NatKind.Symmetric)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_labs_with_the_same_plan_live_side_by_side()
    {
        LabRequirements.Demand();
        var watch = Stopwatch.StartNew();
        await using var first = await LabNetwork.CreateAsync(TwoHomes, Cancellation);
        output.WriteLine($"a lab of two NATs was built in {watch.ElapsedMilliseconds} ms");
        await using var second = await LabNetwork.CreateAsync(TwoHomes, Cancellation);

        Assert.NotEqual(first["left"].Host.Namespace, second["left"].Host.Namespace);
        Assert.Equal(first["left"].PublicAddress, second["left"].PublicAddress);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_lab_that_was_closed()
    {
        LabRequirements.Demand();
        string name;
        Process left;
        await using (var lab = await LabNetwork.CreateAsync(TwoHomes, Cancellation))
        {
            name = lab["left"].Host.Namespace;
            left = Process.Start(lab["left"].Host.Command("sleep", ["600"]))!;
        }

        using (left)
        {
            await left.WaitForExitAsync(Cancellation);
        }

        Assert.False(File.Exists($"{NetworkNamespace.Folder}/{name}"));
    }

    [Fact]
    public async Task What_a_crashed_lab_left_behind_is_removed_by_the_next_one()
    {
        LabRequirements.Demand();
        // A process that has ended and was waited for: its id belongs to nobody, or to someone with another start time.
        using var dead = Process.Start("true");
        await dead.WaitForExitAsync(Cancellation);
        var abandoned = $"gimlet-{dead.Id}-1-1-left-host0";
        await Command.RunAsync("ip", ["netns", "add", abandoned], "", Cancellation);
        using var orphan = Process.Start(new LabHost(abandoned, Address: null, Address6: null).Command("sleep", ["600"]))!;
        // `ip netns exec` has moved once the namespace knows the process.
        while (!(await Command.RunAsync("ip", ["netns", "pids", abandoned], "", Cancellation)).Contains($"{orphan.Id}", StringComparison.Ordinal))
        {
            await Task.Yield();
        }

        await using var next = await LabNetwork.CreateAsync(TwoHomes, Cancellation);

        await orphan.WaitForExitAsync(Cancellation);
        Assert.False(File.Exists($"{NetworkNamespace.Folder}/{abandoned}"));
    }
}
