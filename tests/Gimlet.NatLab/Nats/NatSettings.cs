using System.Net;

namespace Gimlet.NatLab.Nats;

/// <summary>One router's translation. Its outer interface is called <c>wan</c>, its inner one <c>lan</c>.</summary>
/// <param name="Kind">The behaviour.</param>
/// <param name="Outside">The address of <c>wan</c>.</param>
/// <param name="Hairpin">Whether hosts inside reach each other by their outside addresses (RFC 4787 section 6). Needs an endpoint-independent mapping.</param>
/// <param name="MappingSeconds">How long a mapping lives without outbound packets. RFC 4787 REQ-5: at least 120 s; homes do less.</param>
/// <param name="PortBase">The first port that is given out where ports are given out in order.</param>
internal sealed record NatSettings(NatKind Kind, IPAddress Outside, bool Hairpin, int MappingSeconds, int PortBase)
{
    internal const int UsualMappingSeconds = 120;

    /// <summary>
    /// Ports given out in order come back to the first after this many. Far more than a lab opens within the life of a mapping, few enough to load at once.
    /// </summary>
    internal const int PortCount = 1_000;
}
