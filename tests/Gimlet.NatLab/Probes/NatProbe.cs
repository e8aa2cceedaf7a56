using System.Net;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Probes;

/// <summary>Finds out how a NAT behaves, from a host behind it. The site's wire must not lose packets meanwhile.</summary>
internal static class NatProbe
{
    private const int SamePortOtherAddress = 2;
    private const int OtherPort = 1;
    private const int OtherPortOtherAddress = 3;
    // Several sockets' first mappings: enough to tell counting from chance (a random NAT counts up five times in 10^22).
    private const int PortSamples = 6;

    internal static async Task<NatReport?> RunAsync(LabHost host, ProbeServer server)
    {
        using var mapper = new ProbeSocket(host);
        if (await mapper.MappedAsync(server, 0, OtherPort, SamePortOtherAddress, OtherPortOtherAddress) is not { } mapped)
        {
            return NatReport.Blocked;
        }

        var mapping = mapped.Distinct().Count() == 1 ? Behaviour.EndpointIndependent
            : mapped[0].Equals(mapped[1]) && mapped[2].Equals(mapped[3]) ? Behaviour.AddressDependent
            : Behaviour.AddressAndPortDependent;
        var ports = mapped[0].Equals(mapper.Local) ? PortChoice.Untranslated
            : mapping == Behaviour.EndpointIndependent ? Judge(await SampleAsync(host, server))
            : Judge(mapped);
        return new NatReport(mapping, await FilteringAsync(host, server), ports);
    }

    private static async Task<Behaviour> FilteringAsync(LabHost host, ProbeServer server)
    {
        using var socket = new ProbeSocket(host);
        var through = await socket.WhoGetsThroughAsync(server, OtherPortOtherAddress, SamePortOtherAddress, OtherPort);
        var fromOtherAddress = through.Contains(SamePortOtherAddress) && through.Contains(OtherPortOtherAddress);
        return (fromOtherAddress, through.Contains(OtherPort), through.Count) switch
        {
            (true, true, 3) => Behaviour.EndpointIndependent,
            (false, true, 1) => Behaviour.AddressDependent,
            (false, false, 0) => Behaviour.AddressAndPortDependent,
            _ => throw new LabException($"a filter that lets only {string.Join(", ", through)} through has no name"),
        };
    }

    private static async Task<IReadOnlyList<IPEndPoint>> SampleAsync(LabHost host, ProbeServer server)
    {
        var mapped = new List<IPEndPoint>();
        for (var sample = 0; sample < PortSamples; sample++)
        {
            using var socket = new ProbeSocket(host);
            mapped.AddRange(await socket.MappedAsync(server, 0) ?? throw new LabException("a NAT that answered before answers no more"));
        }

        return mapped;
    }

    private static PortChoice Judge(IReadOnlyList<IPEndPoint> mapped)
        => mapped.Zip(mapped.Skip(1)).All(pair => pair.Second.Port - pair.First.Port is 1) ? PortChoice.OneByOne : PortChoice.Random;
}
