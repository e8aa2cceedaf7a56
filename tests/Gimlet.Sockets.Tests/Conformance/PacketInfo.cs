using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public async Task An_answer_leaves_from_the_address_that_was_asked()
    {
        DatagramSocket server = Bind(Wildcard);
        SkipWithoutPacketInfo(server);
        IPAddress[] asked = _loopback.AddressFamily == AddressFamily.InterNetwork
            ? [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.3"), IPAddress.Loopback]
            : [.. OwnIPv6Addresses()];
        DatagramSocket client = Bind(Wildcard);
        foreach (IPAddress address in asked)
        {
            var destination = new TransportAddress(address, server.LocalAddress.Port);
            Assert.Equal(DatagramSendResult.Sent, client.Send("who"u8, destination));
            Copy request = Assert.Single(await ReceiveAsync(server));
            Assert.Equal(destination, request.Local);
            Assert.Equal(client.LocalAddress.Port, request.Remote.Port);

            Assert.Equal(DatagramSendResult.Sent, server.Send("me"u8, request.Remote, request.Local));
            var batch = new DatagramSendBatch(1, 16);
            batch.TryAdd("me"u8, request.Remote, request.Local);
            Assert.Equal(1, server.Send(batch));
            Assert.All(await ReceiveAsync(client, 2), answer => Assert.Equal(destination, answer.Remote));
        }
    }

    [Fact]
    public void Sending_from_an_address_that_is_not_ours_is_unreachable()
    {
        DatagramSocket socket = Bind(Wildcard);
        SkipWithoutPacketInfo(socket);
        DatagramSocket peer = Bind();
        bool four = _loopback.AddressFamily == AddressFamily.InterNetwork;
        TransportAddress foreign = TransportAddress.Parse(four ? "203.0.113.77:1" : "[2001:db8:77::77]:1");
        TransportAddress otherFamily = TransportAddress.Parse(four ? "[::1]:1" : "127.0.0.1:1");
        Assert.Equal(DatagramSendResult.Unreachable, socket.Send("x"u8, peer.LocalAddress, foreign));
        Assert.Equal(DatagramSendResult.Unreachable, socket.Send("x"u8, peer.LocalAddress, otherFamily));
        Assert.Equal(DatagramSendResult.Sent, socket.Send("x"u8, peer.LocalAddress));
        Assert.Equal(2, socket.Counters.Unreachable);
    }

    [Fact]
    public async Task A_link_local_address_keeps_its_interface()
    {
        if (_loopback.AddressFamily != AddressFamily.InterNetworkV6)
        {
            Assert.Skip("Interfaces of addresses are an IPv6 matter.");
        }

        IPAddress? linkLocal = OwnIPv6Addresses().FirstOrDefault(a => a.IsIPv6LinkLocal);
        if (linkLocal is null)
        {
            Assert.Skip("This machine has no IPv6 link-local address.");
        }

        DatagramSocket bound = Bind(linkLocal);
        Assert.Equal((uint)linkLocal.ScopeId, bound.LocalAddress.ScopeId);
        DatagramSocket any = Bind(Wildcard);
        var destination = new TransportAddress(linkLocal, any.LocalAddress.Port);
        Assert.Equal(DatagramSendResult.Sent, bound.Send("x"u8, destination, bound.LocalAddress));
        Copy copy = Assert.Single(await ReceiveAsync(any));
        Assert.Equal(bound.LocalAddress, copy.Remote);
        if (any.Capabilities.HasFlag(DatagramSocketCapabilities.PacketInfo))
        {
            Assert.Equal(destination, copy.Local);
        }

        Assert.Equal(DatagramSendResult.Sent, any.Send("y"u8, copy.Remote, copy.Local.IsUnspecified ? default : copy.Local));
        Assert.Equal(destination, Assert.Single(await ReceiveAsync(bound)).Remote);
    }

    private static void SkipWithoutPacketInfo(DatagramSocket socket)
    {
        if (!socket.Capabilities.HasFlag(DatagramSocketCapabilities.PacketInfo))
        {
            Assert.Skip("This implementation offers no packet info, and says so in its capabilities.");
        }
    }

    private static IEnumerable<IPAddress> OwnIPv6Addresses() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(i => i.OperationalStatus == OperationalStatus.Up || i.NetworkInterfaceType == NetworkInterfaceType.Loopback)
        .SelectMany(i => i.GetIPProperties().UnicastAddresses)
        .Select(a => a.Address)
        .Where(a => a.AddressFamily == AddressFamily.InterNetworkV6);
}
