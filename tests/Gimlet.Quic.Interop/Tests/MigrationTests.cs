using System.Threading.Channels;
using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>The client's address changes in the middle of transfers, with and without its knowing (RFC 9000 section 9).</summary>
public sealed class MigrationTests
{
    private const long Length = 2_000_000;

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Rebind, MemberType = typeof(InteropMatrix))]
    public async Task The_nat_gives_the_client_another_port(Foreign peer, Role role)
    {
        // By a datagram of the client, which is the first from there: a client that only reads says nothing until something comes. Handshakes are
        // over by then.
        var rebind = new Every(25, WireDirection.ToServer, wire => wire.Rebind(), times: 1);
        IReadOnlyCollection<QuicConnection> ended = await new Meeting(peer, role) { Length = Length, Rules = [rebind] }.TransferAsync();
        Assert.Equal(1, rebind.Times);
        if (role == Role.Server)
        {
            return;
        }

        Assert.Equal(1, ended.Sum(connection => connection.GetStatistics().Migrations));

        // And the same by the client's own means, while it sends: one that only reads would say nothing on its new socket.
        await using var server = OurServer.Start(length: Length);
        if (peer == Foreign.Ngtcp2)
        {
            using var folder = new TemporaryFolder();
            string upload = folder.PathOf("upload");
            await File.WriteAllBytesAsync(upload, new byte[Length], TestContext.Current.CancellationToken);
            string[] words = ["-m", "POST", "-d", upload, "--change-local-addr=1ms", "--nat-rebinding"];
            _ = await ForeignClient.DownloadAsync(peer, server.EndPoint, Length, words);
        }
        else
        {
            // It moves in the middle of a GET and of a PUT; in the first it would wait for ever, if it were not for the keep-alive.
            Assert.Equal(2, (await ForeignClient.RunAsync(peer, server.EndPoint, "rebind", "--bytes", $"{Length}", "--keep-alive-ms", "200")).Count);
        }

        Assert.Equal(peer == Foreign.Ngtcp2 ? 1 : 2, (await server.FirstConnection).GetStatistics().Migrations);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Migration, MemberType = typeof(InteropMatrix))]
    public async Task The_client_moves_to_a_path_that_it_validated(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(length: Length);
            IReadOnlyList<string> log = await ForeignClient.DownloadAsync(peer, server.EndPoint, Length, "--change-local-addr=1ms");
            Assert.Contains(log, line => line.Contains("frm tx", StringComparison.Ordinal) && line.Contains("PATH_CHALLENGE", StringComparison.Ordinal));
            Assert.Equal(1, (await server.FirstConnection).GetStatistics().Migrations);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length);
        await using var sockets = new TwoSockets(foreign.EndPoint);
        var endpoint = new QuicEndpoint(sockets, Protocols.Endpoint);
        sockets.Start(endpoint);
        CancellationToken token = TestContext.Current.CancellationToken;
        await using OurClient client = await OurClient.ConnectAsync(
            endpoint, o => endpoint.ConnectAsync(TwoSockets.First, o, token), foreign.Protocol);
        await client.DownloadAsync(Length);

        ChannelReader<QuicPathEvent> events = client.Connection.PathEvents;
        Assert.True(client.Connection.TryMigrate(TwoSockets.Second), "the server gave no connection id for another path");
        Assert.Equal(new QuicPathEvent(QuicPathEventKind.Validated, TwoSockets.Second), await events.ReadAsync(token));
        Assert.Equal(new QuicPathEvent(QuicPathEventKind.InUse, TwoSockets.Second), await events.ReadAsync(token));
        int before = sockets.SentOn(TwoSockets.First);
        await client.DownloadAsync(Length);
        Assert.Equal(TwoSockets.Second, client.Connection.CurrentPath);
        Assert.True(sockets.SentOn(TwoSockets.Second) > 10, "the second socket was not used");

        // It may have asked us there whether the first address is still ours.
        Assert.InRange(sockets.SentOn(TwoSockets.First) - before, 0, 5);
    }
}
