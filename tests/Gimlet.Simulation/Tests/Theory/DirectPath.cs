namespace Gimlet.Simulation.Tests;

/// <summary>
/// Whether two nodes behind different NATs can have a direct path, from RFC 4787 behaviours alone: each knows the other's
/// server-reflexive address, learns peer-reflexive ones from what arrives, and predicts no ports.
/// </summary>
internal static class DirectPath
{
    public static bool IsPossible(NatBehaviour a, NatBehaviour b)
    {
        bool steadyA = a.Mapping == Dependence.Endpoint;
        bool steadyB = b.Mapping == Dependence.Endpoint;
        return (steadyA, steadyB) switch
        {
            // Each sends to the address that the other really uses, which opens its own filter for exactly that address.
            (true, true) => true,

            // The other side's packets come from a port that nobody could know. A filter that does not look at ports lets them in, and the
            // answer goes back to the port they came from. A filter that does, does not.
            (true, false) => a.Filtering != Dependence.AddressAndPort,
            (false, true) => b.Filtering != Dependence.AddressAndPort,
            (false, false) => (OpensFor(a, b) || OpensFor(b, a)) && (a.Mapping == Dependence.Address || b.Mapping == Dependence.Address),
        };
    }

    /// <summary>
    /// Neither side's server-reflexive port is what its packets to the peer come from. The first packet enters where nothing is
    /// filtered; what goes back comes from a new port, so the first sender must not filter by port. From then on both know a port that
    /// works, if one of them keeps its port while the other's changes: that is address-dependent mapping on at least one side.
    /// </summary>
    private static bool OpensFor(NatBehaviour open, NatBehaviour sender) =>
        open.Filtering == Dependence.Endpoint && sender.Filtering != Dependence.AddressAndPort;
}
