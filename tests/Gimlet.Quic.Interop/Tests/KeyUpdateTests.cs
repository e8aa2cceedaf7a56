using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>Keys change in the middle of transfers (RFC 9001 section 6).</summary>
public sealed class KeyUpdateTests
{
    private const long Length = 500_000;

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.KeyUpdateByThem, MemberType = typeof(InteropMatrix))]
    public async Task The_peer_updates_its_keys(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(length: Length);
            _ = peer == Foreign.Ngtcp2
                ? await ForeignClient.DownloadAsync(peer, server.EndPoint, Length, "--key-update=1ms")
                : [(await ForeignClient.RunAsync(peer, server.EndPoint, "keyupdate", "--bytes", $"{Length}")).Text];
            AssertUpdated(await server.FirstConnection, times: peer == Foreign.Ngtcp2 ? 1 : 2);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length, peer == Foreign.QuicGo ? ["--key-update-packets", "100"] : []);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        for (int i = 0; i < 2; i++)
        {
            if (peer == Foreign.Quinn)
            {
                await using QuicStream order = await client.RequestAsync("REKEY", isEnd: true);
                await new RequestReader(order).ExpectLineAsync("yes", TestContext.Current.CancellationToken);
            }

            await client.DownloadAsync(Length);
            await client.UploadAsync(Length);
        }

        AssertUpdated(client.Connection, times: 2);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.KeyUpdateByUs, MemberType = typeof(InteropMatrix))]
    public async Task We_update_our_keys(Foreign peer, Role role)
    {
        QuicConnection? connection = null;
        int begun = 0;

        // Refused as long as the peer has not acknowledged the update before.
        var update = new Every(100, role == Role.Client ? WireDirection.ToClient : WireDirection.ToServer, _ => begun += connection?.UpdateKeys() == true ? 1 : 0);
        QuicConnection ended = await new Meeting(peer, role)
        {
            Length = 4 * Length,
            Rules = [update],
            OnConnection = ours => connection ??= ours,
        }.TransferAsync();
        Assert.True(begun >= 2, $"{begun} updates of {update.Times} were permitted");
        AssertUpdated(ended, begun);
    }

    private static void AssertUpdated(QuicConnection connection, int times)
    {
        long updates = connection.GetStatistics().KeyUpdates;
        Assert.True(updates >= times, $"{updates} key updates, {times} were expected");
    }
}
