using System.Buffers.Binary;

namespace Gimlet.Sockets.Linux;

/// <summary>
/// The control messages (cmsg(3)) that travel beside a datagram: its local address, its time to live, its congestion mark,
/// how long its segments are.
/// </summary>
internal static class ControlMessages
{
    /// <summary>
    /// Room for packet info (40 bytes for IPv6) and three small ones (24 each), or for an extended error with the address
    /// of who reported it (64) and packet info.
    /// </summary>
    public const int MaxLength = 128;

    private const int HeaderLength = 16;
    private const int PacketInfoLength = 12; // struct in_pktinfo
    private const int PacketInfo6Length = 20; // struct in6_pktinfo
    private const int EcnBits = 3; // of the byte whose other six are the differentiated services code point (RFC 3168 section 5)

    /// <summary>Writes what a datagram needs beyond the socket's defaults.</summary>
    /// <returns>The length of all control messages; 0 when none is needed.</returns>
    public static int Write(Span<byte> control, bool ipv6, in TransportAddress from, DatagramSendOptions options)
    {
        int length = 0;
        if (!from.IsEmpty)
        {
            length += ipv6 ? WritePacketInfo6(control, from) : WritePacketInfo(control, from);
        }

        if (options.TimeToLive != 0)
        {
            Span<byte> data = Start(
                control[length..],
                ipv6 ? Constants.SolIpv6 : Constants.SolIp,
                ipv6 ? Constants.Ipv6HopLimit : Constants.IpTtl,
                sizeof(int));
            BinaryPrimitives.WriteInt32LittleEndian(data, options.TimeToLive);
            length += Space(sizeof(int));
        }

        if (options.Ecn != EcnMark.NotEct)
        {
            Span<byte> data = Start(
                control[length..],
                ipv6 ? Constants.SolIpv6 : Constants.SolIp,
                ipv6 ? Constants.Ipv6TrafficClass : Constants.IpTypeOfService,
                sizeof(int));
            BinaryPrimitives.WriteInt32LittleEndian(data, (int)options.Ecn & EcnBits);
            length += Space(sizeof(int));
        }

        return length;
    }

    /// <summary>Writes how long the datagrams are that the kernel shall cut the payload into.</summary>
    /// <returns>The length of the control message.</returns>
    public static int WriteSegmentSize(Span<byte> control, int segmentSize)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(
            Start(control, Constants.SolUdp, Constants.UdpSegment, sizeof(ushort)), checked((ushort)segmentSize));
        return Space(sizeof(ushort));
    }

    /// <summary>Reads what the kernel says of a datagram it received.</summary>
    /// <param name="control">The control messages the kernel wrote.</param>
    /// <param name="port">The bound port.</param>
    /// <param name="local">The local address the datagram came to; empty when the kernel did not say.</param>
    /// <param name="ecn">Its mark of explicit congestion notification.</param>
    /// <param name="segmentSize">The length of the datagrams that the kernel joined; 0 when it did not.</param>
    public static void Read(ReadOnlySpan<byte> control, int port, out TransportAddress local, out EcnMark ecn, out int segmentSize)
    {
        local = default;
        ecn = EcnMark.NotEct;
        segmentSize = 0;
        while (TryTake(ref control, out int level, out int type, out ReadOnlySpan<byte> data))
        {
            if (level == Constants.SolIp && type == Constants.IpPacketInfo && data.Length >= PacketInfoLength)
            {
                // ipi_spec_dst, not ipi_addr: for a broadcast it is the address that an answer can leave from.
                local = new TransportAddress(data.Slice(4, 4), port);
            }
            else if (level == Constants.SolIpv6 && type == Constants.Ipv6PacketInfo && data.Length >= PacketInfo6Length)
            {
                local = new TransportAddress(data[..16], port);
                if (local.IsLinkLocal)
                {
                    local = new TransportAddress(data[..16], port, BinaryPrimitives.ReadUInt32LittleEndian(data[16..]));
                }
            }
            else if ((level == Constants.SolIp && type == Constants.IpTypeOfService && data.Length >= 1)
                || (level == Constants.SolIpv6 && type == Constants.Ipv6TrafficClass && data.Length >= sizeof(int)))
            {
                ecn = (EcnMark)(data[0] & EcnBits); // one byte for IPv4; for IPv6 an int, whose lowest byte comes first
            }
            else if (level == Constants.SolUdp && type == Constants.UdpReceiveOffload && data.Length >= sizeof(int))
            {
                segmentSize = Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(data));
            }
        }
    }

    /// <summary>Finds the struct sock_extended_err of a message from the error queue; empty when there is none.</summary>
    public static ReadOnlySpan<byte> FindExtendedError(ReadOnlySpan<byte> control)
    {
        while (TryTake(ref control, out int level, out int type, out ReadOnlySpan<byte> data))
        {
            if ((level == Constants.SolIp && type == Constants.IpReceiveErrors)
                || (level == Constants.SolIpv6 && type == Constants.Ipv6ReceiveErrors))
            {
                return data;
            }
        }

        return default;
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> control, out int level, out int type, out ReadOnlySpan<byte> data)
    {
        if (control.Length >= HeaderLength)
        {
            ulong stated = BinaryPrimitives.ReadUInt64LittleEndian(control);
            if (stated >= HeaderLength && stated <= (ulong)control.Length)
            {
                level = BinaryPrimitives.ReadInt32LittleEndian(control[8..]);
                type = BinaryPrimitives.ReadInt32LittleEndian(control[12..]);
                data = control[HeaderLength..(int)stated];
                control = control[Math.Min(Align((int)stated), control.Length)..];
                return true;
            }
        }

        level = type = 0;
        data = default;
        return false;
    }

    private static int WritePacketInfo(Span<byte> control, in TransportAddress from)
    {
        Span<byte> data = Start(control, Constants.SolIp, Constants.IpPacketInfo, PacketInfoLength);
        data.Clear(); // ipi_ifindex 0: the route decides; ipi_addr is not read when sending
        from.WriteAddress(data[4..]); // ipi_spec_dst
        return Space(PacketInfoLength);
    }

    private static int WritePacketInfo6(Span<byte> control, in TransportAddress from)
    {
        Span<byte> data = Start(control, Constants.SolIpv6, Constants.Ipv6PacketInfo, PacketInfo6Length);
        from.WriteAddress(data);

        // ipi6_ifindex: a link-local address means nothing without its interface (RFC 4007); else the route decides.
        BinaryPrimitives.WriteUInt32LittleEndian(data[16..], from.ScopeId);
        return Space(PacketInfo6Length);
    }

    private static Span<byte> Start(Span<byte> control, int level, int type, int length)
    {
        control[..Space(length)].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(control, (ulong)(HeaderLength + length));
        BinaryPrimitives.WriteInt32LittleEndian(control[8..], level);
        BinaryPrimitives.WriteInt32LittleEndian(control[12..], type);
        return control.Slice(HeaderLength, length);
    }

    private static int Space(int length) => HeaderLength + Align(length);

    private static int Align(int length) => (length + 7) & ~7;
}
