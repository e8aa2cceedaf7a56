using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>The addresses of this machine's interfaces that are worth being candidates.</summary>
internal static class HostAddresses
{
    /// <summary>
    /// IPv4, global IPv6 and ULA addresses of interfaces that are up; with a default route first, then in the system's order; at most
    /// <paramref name="max"/> per family. Loopback only when asked for. An interface that vanishes while it is read is left out.
    /// </summary>
    public static List<IPAddress> Find(int max, bool includeLoopback)
    {
        var found = new List<(bool Gateway, bool Loopback, IPAddress Address)>();
        foreach (NetworkInterface card in ReadInterfaces())
        {
            bool loopback = card.NetworkInterfaceType == NetworkInterfaceType.Loopback;
            if (loopback && !includeLoopback)
            {
                continue;
            }

            try
            {
                IPInterfaceProperties properties = card.GetIPProperties();
                bool gateway = properties.GatewayAddresses.Count > 0;
                foreach (UnicastIPAddressInformation unicast in properties.UnicastAddresses)
                {
                    var address = new TransportAddress(unicast.Address, 1);
                    if (Candidates.CandidatePolicy.MayAdvertise(address, includeLoopback))
                    {
                        found.Add((gateway, loopback, unicast.Address));
                    }
                }
            }
            catch (Exception e) when (IsAboutTheSystem(e))
            {
                // The interface went away between the listing and the look at it.
            }
        }

        var result = new List<IPAddress>();
        int v4 = 0;
        int v6 = 0;
        foreach ((_, _, IPAddress address) in found.OrderByDescending(f => f.Gateway).ThenBy(f => f.Loopback))
        {
            int count = address.AddressFamily == AddressFamily.InterNetwork ? v4++ : v6++;
            if (count < max && !result.Contains(address))
            {
                result.Add(address);
            }
        }

        return result;
    }

    private static IEnumerable<NetworkInterface> ReadInterfaces()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces().Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown);
        }
        catch (Exception e) when (IsAboutTheSystem(e))
        {
            // A system that does not tell its interfaces still has STUN.
            return [];
        }
    }

    // Sandboxes forbid the files behind it, and some systems do not know gateways.
    private static bool IsAboutTheSystem(Exception e) =>
        e is NetworkInformationException or IOException or UnauthorizedAccessException or PlatformNotSupportedException;
}
