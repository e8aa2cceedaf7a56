using System.Net.Sockets;
using Gimlet.Sockets.Linux;

namespace Gimlet.Sockets;

/// <summary>Switches off the fragmentation of what a socket sends, which every system calls differently.</summary>
internal static class Fragmentation
{
    private const int LevelIp = 0;
    private const int LevelIpv6 = 41;

    // ws2ipdef.h: IP_DONTFRAGMENT and IPV6_DONTFRAG have the same value.
    private const int WindowsDontFragment = 14;

    // Darwin's netinet/in.h and netinet6/in6.h: IP_DONTFRAG and IPV6_DONTFRAG; since macOS 11.
    private const int DarwinIpDontFragment = 28;
    private const int DarwinIpv6DontFragment = 62;

    /// <summary>Asks the system; false when it has no such option.</summary>
    public static bool TryForbid(Socket socket)
    {
        bool ipv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        int level = ipv6 ? LevelIpv6 : LevelIp;
        if (OperatingSystem.IsLinux())
        {
            // PROBE, not DO: DO also holds every datagram to the path MTU the kernel remembers, and anybody who can forge an
            // ICMP message chooses that one. A probe of the path MTU must be allowed to be larger (RFC 8899 section 3).
            return SocketOption.TrySet(
                socket, level, ipv6 ? Constants.Ipv6MtuDiscover : Constants.IpMtuDiscover, Constants.MtuDiscoverProbe);
        }

        if (OperatingSystem.IsWindows())
        {
            return SocketOption.TrySet(socket, level, WindowsDontFragment, 1);
        }

        return OperatingSystem.IsMacOS()
            && SocketOption.TrySet(socket, level, ipv6 ? DarwinIpv6DontFragment : DarwinIpDontFragment, 1);
    }
}
