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

        string[] words = peer == Foreign.QuicGo ? ["--key-update-packets", "100"] : [];
        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length, words);
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
        if (role == Role.Client)
        {
            QuicConnection? connection = null;
            int begun = 0;
            var update = new Every(50, WireDirection.ToClient, _ => begun += connection?.UpdateKeys() == true ? 1 : 0);
            IReadOnlyCollection<QuicConnection> ended = await new Meeting(peer, role)
            {
                Length = 4 * Length,
                Rules = [update],
                OnConnection = ours => connection ??= ours,
            }.TransferAsync();
            Assert.True(begun >= 1, $"no update of {update.Times} was permitted");
            AssertUpdated(ended.First(), begun);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);

        // RFC 9001 section 6.5: the next update must wait for three probe timeouts, which is how long this goes on.
        for (int begun = 0; begun < 3; begun += client.Connection.UpdateKeys() ? 1 : 0)
        {
            await client.DownloadAsync(Length);
        }

        await client.DownloadAsync(Length);
        AssertUpdated(client.Connection, times: 3);
    }

    private static void AssertUpdated(QuicConnection connection, int times)
    {
        long updates = connection.GetStatistics().KeyUpdates;
        Assert.True(updates >= times, $"{updates} key updates, {times} were expected");
    }
}
