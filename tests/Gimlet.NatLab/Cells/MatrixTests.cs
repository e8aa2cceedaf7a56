using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>Every kind of NAT against every other, in both roles, 40 ms apart.</summary>
[Collection(nameof(CellLab))]
public sealed class MatrixTests(CellLab lab, ITestOutputHelper output)
{
    public static TheoryData<NatKind, NatKind> PossiblePairs => Pairs(canMeet: true);

    public static TheoryData<NatKind, NatKind> ImpossiblePairs => Pairs(canMeet: false);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(PossiblePairs))]
    public async Task Two_nodes_talk_directly(NatKind caller, NatKind callee)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(caller)), await lab.SiteAsync(StandardLab.Right(callee)));
        var (cell, server) = ($"{caller} > {callee}", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectDirectAsync(cell, run, server, a.Host, b.Host, network));
    }

    [Theory]
    [MemberData(nameof(ImpossiblePairs))]
    public async Task Two_nodes_that_cannot_meet_stay_on_the_relay_and_say_why(NatKind caller, NatKind callee)
    {
        var (a, b) = (await lab.SiteAsync(StandardLab.Left(caller)), await lab.SiteAsync(StandardLab.Right(callee)));
        var (cell, server) = ($"{caller} > {callee}", await lab.ServerAsync());
        var network = await lab.NetworkRoundTripAsync(a, a.Host, b, b.Host, Cancellation);

        await lab.RepeatAsync(cell, output, run => Dial.ExpectRelayAsync(cell, run, server, a.Host, b.Host, network, Reasons(caller, callee)));
    }

    // Both sides' reasons are the same finding, each in its own words.
    private static string[] Reasons(NatKind caller, NatKind callee) => caller == callee
        ? ["both-nats-map-per-destination"]
        : ["own-nat-hard-peer-filters", "peer-nat-hard-own-filters"];

    private static TheoryData<NatKind, NatKind> Pairs(bool canMeet) =>
        [.. StandardLab.MatrixKinds.SelectMany(a => StandardLab.MatrixKinds.Select(b => (a, b))).Where(pair => PairRules.CanMeet(pair.a, pair.b) == canMeet)];
}
