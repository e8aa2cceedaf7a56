namespace Gimlet.Simulation.Tests;

/// <summary>The nine combinations of RFC 4787's mapping and filtering.</summary>
internal static class NatTable
{
    public static IEnumerable<NatBehaviour> All(PortAllocation ports)
    {
        foreach (Dependence mapping in Enum.GetValues<Dependence>())
        {
            foreach (Dependence filtering in Enum.GetValues<Dependence>())
            {
                yield return new NatBehaviour { Mapping = mapping, Filtering = filtering, Ports = ports };
            }
        }
    }
}
