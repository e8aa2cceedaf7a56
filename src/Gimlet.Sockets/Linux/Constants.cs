namespace Gimlet.Sockets.Linux;

/// <summary>Numbers of Linux' system call interface that are the same on x64, arm64, riscv64 and loongarch64.</summary>
internal static class Constants
{
    public const int SolIp = 0;
    public const int SolIpv6 = 41;

    public const int SolSocket = 1;
    public const int SolUdp = 17;

    public const int SoNoCheck = 11;

    public const int UdpNoCheck6Send = 101;
    public const int UdpNoCheck6Receive = 102;
    public const int UdpSegment = 103;
    public const int UdpReceiveOffload = 104; // UDP_GRO

    public const int IpTypeOfService = 1;
    public const int IpReceiveTypeOfService = 13;
    public const int IpMtuDiscover = 10;
    public const int Ipv6MtuDiscover = 23;
    public const int MtuDiscoverProbe = 3; // IP_PMTUDISC_PROBE and IPV6_PMTUDISC_PROBE
    public const int Ipv6ReceiveTrafficClass = 66;
    public const int Ipv6TrafficClass = 67;

    public const int IpTtl = 2;
    public const int IpPacketInfo = 8;
    public const int IpReceiveErrors = 11;
    public const int Ipv6ReceiveErrors = 25;
    public const int Ipv6ReceivePacketInfo = 49;
    public const int Ipv6PacketInfo = 50;
    public const int Ipv6HopLimit = 52;

    public const int MsgTruncated = 0x20;
    public const int MsgDontWait = 0x40;
    public const int MsgErrorQueue = 0x2000;
    public const int MsgNoSignal = 0x4000;

    public const short PollIn = 1;
    public const short PollOut = 4;
    public const short PollError = 8;

    public const int EventCloseOnExec = 0x80000;
    public const int EventNonBlocking = 0x800;

    public const int EpollCloseOnExec = 0x80000;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const uint EpollOut = 4;
    public const uint EpollEdgeTriggered = 1u << 31;

    public const ushort FamilyInet = 2;
    public const ushort FamilyInet6 = 10;

    // struct sockaddr_in and struct sockaddr_in6
    public const int InetNameLength = 16;
    public const int Inet6NameLength = 28;
}
