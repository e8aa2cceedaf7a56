using System.Net;
using Gimlet.Sockets;

namespace Gimlet.Candidates;

/// <summary>Which addresses a node may be made to send to by what a peer or a server told it.</summary>
internal static class CandidatePolicy
{
    // Addresses that clouds answer metadata on: a check there would be a request to a service of the machine's own owner.
    private static readonly TransportAddress[] MetadataAddresses =
    [
        new(IPAddress.Parse("169.254.169.254"), 1),
        new(IPAddress.Parse("169.254.170.2"), 1),
        new(IPAddress.Parse("100.100.100.200"), 1),
        new(IPAddress.Parse("168.63.129.16"), 1),
        new(IPAddress.Parse("fd00:ec2::254"), 1),
        new(IPAddress.Parse("fd20:ce::254"), 1),
    ];

    /// <summary>
    /// True for an address that checks may go to. Loopback (unless allowed), unspecified, multicast, broadcast, metadata
    /// addresses, 0.0.0.0/8 and 240.0.0.0/4 never are.
    /// </summary>
    public static bool MaySendTo(TransportAddress address, bool allowLoopback)
    {
        if (address.IsEmpty || address.Port == 0 || address.IsUnspecified || address.IsMulticast || address.IsBroadcast)
        {
            return false;
        }

        if (address.IsLoopback)
        {
            return allowLoopback;
        }

        if (address.IsIPv4)
        {
            Span<byte> bytes = stackalloc byte[4];
            _ = address.WriteAddress(bytes);
            if (bytes[0] is 0 or >= 240)
            {
                return false;
            }
        }

        foreach (TransportAddress metadata in MetadataAddresses)
        {
            if (metadata.SameAddress(address))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True for an address worth telling a peer as our own.</summary>
    public static bool MayAdvertise(TransportAddress address, bool allowLoopback) =>
        MaySendTo(address, allowLoopback) && !address.IsLinkLocal;
}
