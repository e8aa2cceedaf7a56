using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>What a connection tells of its paths, and what it says when it can tell nothing any more.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class PathFiguresTests
{
    private const int Size = 300_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_path_has_its_addresses_state_round_trip_bytes_and_loss()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);
        await using QuicStream stream = await ofA.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
        Task<long> written = Bytes.WriteAsync(stream, Size);
        await using QuicStream atB = await ofB.AcceptStreamAsync(Cancelled).Within();
        Assert.Equal(await written.Within(), await Bytes.ReadAsync(atB).Within());
        foreach ((GimletConnection connection, GimletNode own, GimletNode other) in new[] { (ofA, a, b), (ofB, b, a) })
        {
            IReadOnlyList<ConnectionPathFigures> all = connection.Paths;
            ConnectionPathFigures direct = Assert.Single(all, static p => p.State == PathState.InUse);
            Assert.Equal((PathKind.Direct, connection.Path!.Remote), (direct.Path.Kind, direct.Path.Remote));
            Assert.Contains(direct.Path.Remote!.Port, new[] { other.LocalPorts.IPv4, other.LocalPorts.IPv6 });
            Assert.Contains(direct.Local!.Port, new[] { own.LocalPorts.IPv4, own.LocalPorts.IPv6 });
            Assert.Equal(direct.Path.Remote.AddressFamily, direct.Local.AddressFamily);
            Assert.False(direct.Local.Address.Equals(System.Net.IPAddress.Any) || direct.Local.Address.Equals(System.Net.IPAddress.IPv6Any));
            Assert.InRange(direct.Path.RoundTripTime, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(5));
            Assert.InRange(connection == ofA ? direct.BytesSent : direct.BytesReceived, Size * 9 / 10, Size * 2);
            Assert.True(direct.PacketsSent > 0 && direct.BytesSent > direct.PacketsSent * 20);
            Assert.InRange(direct.Loss, 0, 0.5);
            Assert.Equal((double)direct.PacketsLost / direct.PacketsSent, direct.Loss);

            // Where the handshake was on the relay, that stays as the backup.
            foreach (ConnectionPathFigures relay in all.Where(static p => p.Path.Kind == PathKind.Relay))
            {
                Assert.Equal((PathState.Backup, null, null), (relay.State, relay.Local, relay.Path.Remote));
                Assert.Equal(server.HttpUrls[0], relay.Path.Server);
            }

            Assert.True(connection.BytesLost > 0 || all.All(static p => p.PacketsLost == 0));
        }
    }

    [Fact]
    public async Task What_nobody_knows_after_the_node_is_said_to_be_so_and_figures_stay()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        (GimletConnection ofA, _) = await ConnectAsync(a, b, new ConnectOptions { Policy = PathPolicy.RelayOnly });
        Assert.Equal(RelayCause.RelayOnlyPolicy, ofA.WhyRelayed.Cause);
        _ = await ofA.PingAsync(Cancelled).Within();
        await a.DisposeAsync().Within();
        ConnectionPathFigures relay = Assert.Single(ofA.Paths);
        Assert.True(relay is { BytesSent: > 0, Local: null });
        _ = Assert.Throws<ObjectDisposedException>(() => a.PublicAddress);
        Assert.Equal(1, a.GetStatistics().ConnectionsOpened);
    }
}
