using System.Net.WebSockets;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Hosting;

public sealed class RelayEndpointTests
{
    [Fact]
    public async Task Datagrams_go_both_ways_over_real_WebSockets_with_the_proven_sender_in_front()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await a.MeetAsync(b);
        foreach (int length in new[] { 1, 1200, 2015, 2016, 20_000, RelayFrame.MaxLength - RelayFrame.SingleHeaderLength })
        {
            byte[] datagram = new byte[length];
            new Random(length).NextBytes(datagram);
            await a.RelayAsync(b, datagram);
            (PeerId from, byte[][] datagrams) = Frames.Read(await b.NextBinaryAsync());
            Assert.Equal(a.Node.Id, from);
            Assert.Equal(datagram, Assert.Single(datagrams));
            await b.RelayAsync(a, datagram);
            (from, datagrams) = Frames.Read(await a.NextBinaryAsync());
            Assert.Equal(b.Node.Id, from);
            Assert.Equal(datagram, Assert.Single(datagrams));
        }

        byte[] batch = Frames.Batch(b.Node.Id, 1200, 50, tail: 7);
        await a.SendAsync(batch, WebSocketMessageType.Binary);
        byte[] received = await b.NextBinaryAsync();
        RelayFrame.WritePeer(batch, a.Node.Id);
        Assert.Equal(batch, received);
    }

    [Fact]
    public async Task A_binary_frame_beyond_the_limit_ends_the_session()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await node.SendAsync(new byte[RelayFrame.MaxLength + 1], WebSocketMessageType.Binary);
        await node.ShouldBeClosedAsync(ErrorCode.MessageTooLarge, 1009);
    }
}
