using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Tests.Calls;

public sealed class UnvouchedBoundTests
{
    [Fact]
    public void A_peer_that_names_many_unobserved_addresses_makes_this_node_try_eight_of_them()
    {
        var list = new CheckList(new TraversalOptions());
        for (byte i = 1; i <= 64; i++)
        {
            _ = list.Add(new Candidate(CandidateKind.ServerReflexive, new TransportAddress([45, 1, 2, i], 4000), Unverified: true), TimeSpan.Zero, static _ => false);
        }

        Assert.Equal(8, list.Pairs.Count);
        Assert.NotNull(list.Add(new Candidate(CandidateKind.ServerReflexive, new TransportAddress([45, 9, 9, 9], 4000)), TimeSpan.Zero, static _ => false));
    }
}
