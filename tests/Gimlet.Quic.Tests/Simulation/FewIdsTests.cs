using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>
/// A client that never gives a connection id beside the one of the handshake, as small implementations do: when its NAT rebinds, that id goes along
/// to the new path. Retiring it would leave the server without any.
/// </summary>
public sealed class FewIdsTests : IDisposable
{
    private const int Chunk = 500;

    private readonly HostileWorld _world = new(EndpointRole.Server);
    private long _read;

    public FewIdsTests()
    {
        _world.Peer.OnFrame = TakeFrame;
        _world.Handshake();

        // A strict client: what does not carry its id is nobody's.
        ConnectionId own = _world.Peer.Own;
        _world.Network.OnSent = d => Assert.True(
            d.From == EndpointRole.Client || d.Bytes.AsSpan(1, own.Length).SequenceEqual(Bytes(own)), "a packet to an id that is not the client's");
    }

    private Way Way => _world.Network.Ways[0];

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_nat_that_rebinds_again_and_again_leaves_the_id_in_use_in_use()
    {
        Assert.True(_world.Core.Streams.TryOpen(StreamDirection.Unidirectional, out QuicStreamState? stream));
        for (int i = 0; i < 12; i++)
        {
            _world.Network.Rebind(Way);
            _world.Peer.Send(PacketType.OneRtt, RawFrames.Stream(0, i, "x"));
            _world.Run(TimeSpan.FromSeconds(1));
            Assert.Equal(Way.Server, _world.Core.CurrentPath);
            Assert.Equal(Chunk, stream.Write(new byte[Chunk]));

            // The validation of the path before fails in that time, and the path is forgotten: with whatever id it has.
            _world.Run(TimeSpan.FromSeconds(5));
            Assert.Equal((i + 1) * Chunk, _read);
            Assert.Null(_world.Core.Closed);
        }

        Assert.Equal(0, _world.Peer.Received.GetValueOrDefault(FrameType.RetireConnectionId));
        Assert.Equal(12, _world.Core.Counters.Migrations);
    }

    [Fact]
    public void The_ids_that_come_at_last_are_used_and_the_first_one_is_not_retired_for_them()
    {
        _world.Network.Rebind(Way);
        _world.Peer.Send(PacketType.OneRtt, RawFrames.Ping);
        _world.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(Way.Server, _world.Core.CurrentPath);
        _world.Network.OnSent = null;
        _world.Peer.Send(PacketType.OneRtt, RawFrames.NewConnectionId(1, 0, [1, 1, 1, 1, 1, 1, 1, 1], 1));
        _world.Network.Rebind(Way);
        _world.Peer.Send(PacketType.OneRtt, RawFrames.Ping);
        _world.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(Way.Server, _world.Core.CurrentPath);

        // Only the path before is let go, with the id that it had: a path of its own has an id of its own.
        Assert.Equal(1, _world.Peer.Received.GetValueOrDefault(FrameType.RetireConnectionId));
        Assert.Null(_world.Core.Closed);
    }

    private static byte[] Bytes(in ConnectionId id)
    {
        byte[] bytes = new byte[id.Length];
        id.CopyTo(bytes);
        return bytes;
    }

    private bool TakeFrame(ref FrameReader reader)
    {
        if (reader.Type == FrameType.PathChallenge)
        {
            Assert.True(PathChallengeFrame.TryRead(ref reader, out PathChallengeFrame challenge));
            _world.Peer.Send(PacketType.OneRtt, RawFrames.PathResponse(challenge.Data));
            return true;
        }

        if (FrameRules.IsStream(reader.Type))
        {
            Assert.True(StreamFrame.TryRead(ref reader, out StreamFrame stream));
            _read = Math.Max(_read, stream.End);
            return true;
        }

        return false;
    }
}
