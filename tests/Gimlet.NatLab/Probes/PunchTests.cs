using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Probes;

/// <summary>What the lab's NATs allow, shown with the plainest punch: the expectation that the cells of Gimlet are held against.</summary>
public sealed class PunchTests(StandardLab lab)
{
    public static TheoryData<NatKind, NatKind> Pairs
        => [.. StandardLab.MatrixKinds.SelectMany(a => StandardLab.MatrixKinds.Select(b => (a, b)))];

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_raw_punch_succeeds_exactly_where_theory_says(NatKind left, NatKind right)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var a = await lab.SiteAsync(StandardLab.Left(left));
        var b = await lab.SiteAsync(StandardLab.Right(right));

        Assert.Equal(PairRules.CanMeet(left, right), await RawPunch.TryAsync(a.Host, b.Host, await lab.ProbeAsync()));
    }
}
