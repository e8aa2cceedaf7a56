using System.Buffers.Binary;
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
    /// addresses, 0.0.0.0/8, 240.0.0.0/4 and IPv6 addresses that wrap an IPv4 address never are.
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

        Span<byte> bytes = stackalloc byte[16];
        _ = address.WriteAddress(bytes);
        if (address.IsIPv4 ? bytes[0] is 0 or >= 240 : WrapsIPv4(bytes))
        {
            return false;
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

    /// <summary>
    /// A gateway on the way would unwrap these, behind every filter that looked at the IPv6 address: IPv4-compatible and IPv4-translated addresses
    /// (RFC 4291 section 2.5.5.1, RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056) and Teredo (RFC 4380). Whoever has one of them has
    /// the IPv4 address as well, which is a candidate of its own.
    /// </summary>
    private static bool WrapsIPv4(ReadOnlySpan<byte> address)
    {
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(address);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
        return (high == 0 && low >> 32 is 0 or 0xffff_0000)
            || (high == 0x0064_ff9b_0000_0000 && low >> 32 == 0)
            || high >> 16 == 0x0064_ff9b_0001
            || high >> 48 == 0x2002
            || high >> 32 == 0x2001_0000;
    }

    /// <summary>True for an address worth telling a peer as our own.</summary>
    public static bool MayAdvertise(TransportAddress address, bool allowLoopback) =>
        MaySendTo(address, allowLoopback) && !address.IsLinkLocal;
}
