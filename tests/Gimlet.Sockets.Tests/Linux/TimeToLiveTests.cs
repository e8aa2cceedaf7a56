using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets.Tests.Linux;

/// <summary>The time to live on the wire, read by a packet socket inside a namespace.</summary>
public sealed class TimeToLiveTests
{
    private const short EthernetAll = 3; // ETH_P_ALL

    [Theory]
    [InlineData(false, "127.0.0.1")]
    [InlineData(false, "::1")]
    [InlineData(true, "127.0.0.1")]
    [InlineData(true, "::1")]
    public void A_datagram_has_the_time_to_live_it_was_given_and_the_next_has_the_usual(bool portable, string address) => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Command("ip", "link set lo up");
        using DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Parse(address), 0),
            Implementation = portable ? DatagramSocketImplementation.Portable : DatagramSocketImplementation.Best,
        });
        using var sniffer = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(EthernetAll));
        Assert.Equal(DatagramSendResult.Sent, socket.Send("a"u8, socket.LocalAddress, socket.LocalAddress, new DatagramSendOptions { TimeToLive = 3 }));
        Assert.Equal(DatagramSendResult.Sent, socket.Send("b"u8, socket.LocalAddress));
        var batch = new DatagramSendBatch(1, 16);
        batch.TryAdd("c"u8, socket.LocalAddress, socket.LocalAddress, new DatagramSendOptions { TimeToLive = 200 });
        Assert.Equal(1, socket.Send(batch));

        var seen = new Dictionary<byte, byte>();
        byte[] frame = new byte[2048];
        while (seen.Count < 3)
        {
            int length = sniffer.Receive(frame);
            const int ethernet = 14;
            bool six = frame[ethernet] >> 4 == 6;
            bool udp = frame[ethernet + (six ? 6 : 9)] == 17;
            if (udp)
            {
                seen[frame[length - 1]] = frame[ethernet + (six ? 7 : 8)];
            }
        }

        Assert.Equal(3, seen[(byte)'a']);
        Assert.Equal(64, seen[(byte)'b']);
        Assert.Equal(200, seen[(byte)'c']);
    });
}
