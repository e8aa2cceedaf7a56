namespace Gimlet.Sockets.Linux;

/// <summary>Numbers of Linux' system call interface that are the same on x64, arm64, riscv64 and loongarch64.</summary>
internal static class Constants
{
    public const int SolIp = 0;
    public const int SolIpv6 = 41;

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
    public const short PollError = 8;

    public const int EventCloseOnExec = 0x80000;
    public const int EventNonBlocking = 0x800;

    public const ushort FamilyInet = 2;
    public const ushort FamilyInet6 = 10;

    // struct sockaddr_in and struct sockaddr_in6
    public const int InetNameLength = 16;
    public const int Inet6NameLength = 28;
}
