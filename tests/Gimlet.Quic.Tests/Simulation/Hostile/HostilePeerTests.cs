using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Hostile;

/// <summary>Two hostile peers against each other: that they can speak QUIC at all, and that the wire's tap reads it.</summary>
public sealed class HostilePeerTests
{
    [Fact]
    public void Two_of_them_make_a_handshake_and_send_frames()
    {
        using var client = new HostilePeer(EndpointRole.Client, seed: 1, new PathId(1));
        using var server = new HostilePeer(EndpointRole.Server, seed: 2, new PathId(101));
        var network = new Network(3, client, server);
        client.Start();
        Run(network);
        Assert.True(client.IsComplete && server.IsComplete);
        Assert.Equal(1, client.Received[FrameType.HandshakeDone]);

        client.Send(PacketType.OneRtt, RawFrames.Ping, RawFrames.Stream(0, 0, "hello"));
        server.UpdateKeys();
        server.Send(PacketType.OneRtt, RawFrames.Of(FrameType.ConnectionClose, 0x0a, (long)FrameType.Stream, 0));
        Run(network);
        Assert.Equal(1, server.Received[FrameType.Stream]);
        Assert.Equal((false, 0x0a, FrameType.Stream, string.Empty), client.Close);
    }

    private static void Run(Network network)
    {
        network.Flush();
        while (network.Step(network.Now + TimeSpan.FromSeconds(1)))
        {
        }
    }
}
