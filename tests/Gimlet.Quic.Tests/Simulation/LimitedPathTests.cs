using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>The anti-amplification limit is one path's (RFC 9000 section 8.1): it does not stop the timers of another one.</summary>
public sealed class LimitedPathTests
{
    [Fact]
    public void After_a_move_to_a_limited_path_and_back_the_probe_timeout_of_the_validated_one_runs()
    {
        using var world = new HostileWorld(EndpointRole.Server);
        world.Handshake();
        Way limited = world.Network.AddWay().Both(link => link.Loss = 1);
        Assert.True(world.Core.Streams.TryOpen(StreamDirection.Unidirectional, out QuicStreamState? stream));
        world.Peer.Acknowledges = false;
        Assert.Equal(100, stream.Write(new byte[100]));
        world.Run(TimeSpan.FromMilliseconds(30));
        Assert.Equal(1, world.Peer.Received[FrameType.Stream]);

        // Three times what came from there is less than a full datagram.
        Ping(limited);
        Ping(limited);
        Assert.Equal(limited.Server, world.Core.CurrentPath);
        Ping(world.Network.Ways[0]);
        Assert.Equal(world.Network.Ways[0].Server, world.Core.CurrentPath);

        // Nothing comes from now on: only a timer can send the lost bytes again. (Less than the validation of a path takes.)
        long timeouts = world.Core.Counters.ProbeTimeouts;
        world.Run(TimeSpan.FromSeconds(2));
        Assert.InRange(world.Core.Counters.ProbeTimeouts - timeouts, 2, 20);
        Assert.InRange(world.Peer.Received[FrameType.Stream], 2, 20);
        Assert.Null(world.Core.Closed);

        void Ping(Way way)
        {
            world.Network.Inject(EndpointRole.Server, way.Server, world.Peer.Seal(PacketType.OneRtt, RawFrames.Ping));
            world.Run(TimeSpan.FromMilliseconds(1));
        }
    }
}
