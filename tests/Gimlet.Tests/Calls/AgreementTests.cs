using Gimlet.Calls;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class AgreementTests
{
    [Fact]
    public void Two_sides_that_know_each_other_are_connected_after_one_round_trip()
    {
        using Pair pair = new Pair().Introduce();
        pair.Run(1);
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.A.TimeOf("proven"));
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.B.TimeOf("proven"));
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
        Assert.Equal(Pair.AddressOfB, pair.A.NominatedRemote);
        Assert.Equal(Pair.AddressOfA, pair.B.NominatedRemote);
    }
}
