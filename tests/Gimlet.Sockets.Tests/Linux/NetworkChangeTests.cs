using System.Net;

namespace Gimlet.Sockets.Tests.Linux;

/// <summary>What happens to a socket when the network under it changes, seen in a namespace of its own.</summary>
public sealed class NetworkChangeTests
{
    [Fact]
    public void Without_a_route_a_send_is_unreachable_and_works_once_there_is_one() => NetworkNamespace.Run(() =>
    {
        using DatagramSocket socket = Bind(IPAddress.Any);
        TransportAddress remote = TransportAddress.Parse("198.51.100.7:9");
        Assert.Equal(DatagramSendResult.Unreachable, socket.Send("x"u8, remote));
        NetworkNamespace.Command("ip", "link set lo up");
        NetworkNamespace.Command("ip", "link add here type veth peer name there");
        NetworkNamespace.Command("ip", "addr add 198.51.100.1/24 dev here");
        NetworkNamespace.Command("ip", "link set there up");
        NetworkNamespace.Command("ip", "link set here up");
        Assert.Equal(DatagramSendResult.Sent, socket.Send("x"u8, remote));
    });

    [Fact]
    public void A_socket_survives_the_removal_of_its_interface_and_uses_the_next_one() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Command("ip", "link set lo up");
        AddInterface("first", "198.51.100.1/24");
        using DatagramSocket wildcard = Bind(IPAddress.Any);
        using DatagramSocket bound = Bind(IPAddress.Parse("198.51.100.1"));
        TransportAddress own = TransportAddress.Parse("198.51.100.1:1").WithPort(bound.LocalAddress.Port);
        Assert.Equal(DatagramSendResult.Sent, wildcard.Send("x"u8, bound.LocalAddress, own));
        var batch = new DatagramReceiveBatch(4);
        Assert.Equal(1, bound.ReceiveBlocking(batch));

        NetworkNamespace.Command("ip", "link del first");
        Assert.Equal(DatagramSendResult.Unreachable, wildcard.Send("x"u8, TransportAddress.Parse("198.51.100.7:9"), own));
        Assert.Equal(DatagramSendResult.Unreachable, wildcard.Send("x"u8, TransportAddress.Parse("198.51.100.7:9")));
        Assert.Equal(DatagramSendResult.Unreachable, bound.Send("x"u8, TransportAddress.Parse("198.51.100.7:9")));
        Assert.Equal(0, bound.Receive(batch));
        Assert.Equal(0, wildcard.Receive(batch));

        AddInterface("second", "203.0.113.1/24");
        TransportAddress there = TransportAddress.Parse("203.0.113.1:1").WithPort(wildcard.LocalAddress.Port);
        Assert.Equal(DatagramSendResult.Sent, wildcard.Send("y"u8, there));
        Assert.Equal(1, wildcard.ReceiveBlocking(batch));
        Assert.Equal(there, batch[0].Local);
    });

    [Fact]
    public void A_firewall_that_forbids_sending_is_named() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Command("ip", "link set lo up");
        NetworkNamespace.Command("nft", "add table inet t");
        NetworkNamespace.Command("nft", "add chain inet t out { type filter hook output priority 0; }");
        NetworkNamespace.Command("nft", "add rule inet t out udp dport 9 drop");
        using DatagramSocket socket = Bind(IPAddress.Loopback);
        Assert.Equal(DatagramSendResult.Denied, socket.Send("x"u8, TransportAddress.Parse("127.0.0.1:9")));
        Assert.Equal(DatagramSendResult.Sent, socket.Send("x"u8, TransportAddress.Parse("127.0.0.1:10")));
        var batch = new DatagramSendBatch(2, 16);
        batch.TryAdd("x"u8, TransportAddress.Parse("127.0.0.1:9"));
        batch.TryAdd("x"u8, TransportAddress.Parse("127.0.0.1:10"));
        Assert.Equal(1, socket.Send(batch));
        Assert.Equal(DatagramSendResult.Denied, batch.ResultOf(0));
    });

    [Fact]
    public void A_full_send_buffer_would_block_and_the_rest_of_a_batch_is_not_tried() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Command("ip", "link set lo up");
        AddInterface("slow", "198.51.100.1/24");
        NetworkNamespace.Command("ip", "neigh add 198.51.100.7 lladdr 02:00:00:00:00:07 dev slow");

        // A queue that lets next to nothing out and never drops: what is sent stays charged to the socket.
        NetworkNamespace.Command("tc", "qdisc add dev slow root tbf rate 8kbit burst 1600 limit 100000000");
        using DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Any, 0),
            SendBufferBytes = 16384,
        });
        var batch = new DatagramSendBatch(200, 1000);
        for (int i = 0; i < 200; i++)
        {
            batch.Commit(1000, TransportAddress.Parse("198.51.100.7:9"));
        }

        int sent = socket.Send(batch);
        Assert.InRange(sent, 1, 199);
        Assert.All(Enumerable.Range(0, 200), i => Assert.Equal(i < sent ? DatagramSendResult.Sent : DatagramSendResult.WouldBlock, batch.ResultOf(i)));
        Assert.Equal(DatagramSendResult.WouldBlock, socket.Send(new byte[1000], TransportAddress.Parse("198.51.100.7:9")));
        Assert.Equal(201 - sent, socket.Counters.WouldBlock);
    });

    private static DatagramSocket Bind(IPAddress address) =>
        DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(address, 0) });

    private static void AddInterface(string name, string address)
    {
        NetworkNamespace.Command("ip", $"link add {name} type veth peer name {name}-peer");
        NetworkNamespace.Command("ip", $"addr add {address} dev {name}");
        NetworkNamespace.Command("ip", $"link set {name}-peer up");
        NetworkNamespace.Command("ip", $"link set {name} up");
    }
}
