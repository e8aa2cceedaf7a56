using Gimlet.Sockets;

namespace Gimlet.Stun.Server;

/// <summary>
/// How long an answer to a stranger may be. Whoever forges a source address must not get a lever: the answer stays within 2.1 times
/// the request, both
/// counted as IP packets. 2.1 is what RFC 5780's attributes need at most on a bare request (84 on 48 bytes in IPv4, 140 on 68 in
/// IPv6), and Gimlet's proof.
/// </summary>
internal static class AnswerBudget
{
    private const int UdpHeader = 8;
    private const int IPv4Header = 20;
    private const int IPv6Header = 40;

    /// <summary>The length of the IP packet that carries a UDP payload.</summary>
    public static int PacketLength(TransportAddress address, int payload) =>
        payload + UdpHeader + (address.IsIPv6 ? IPv6Header : IPv4Header);

    /// <summary>The most bytes of payload that an answer may have.</summary>
    public static int MaxAnswer(TransportAddress from, int requestLength)
    {
        int headers = PacketLength(from, 0);
        return (((requestLength + headers) * 21) / 10) - headers;
    }
}
