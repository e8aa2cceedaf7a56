using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>Bytes in all directions, on many streams, in small windows, over bad networks.</summary>
public sealed class TransferTests
{
    private const long Large = 100_000_000;

    // Half as much again as the initial stream windows of quic-go (512 KiB), and odd.
    private const long Middle = 800_001;

    // Some 800 datagrams each way that data goes: 1 % of them are several.
    private const long Lossy = 1_000_000;

    // Three times what our servers and the peers' permit at once.
    private const int Streams = 300;

    [Theory(Timeout = Deadlines.LargeTest)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.LargeDownload, MemberType = typeof(InteropMatrix))]
    public async Task A_large_file_arrives(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(length: Large);
            _ = await ForeignClient.DownloadAsync(peer, server.EndPoint, Large);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Large);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await client.DownloadAsync(Large);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Transfers, MemberType = typeof(InteropMatrix))]
    public async Task Bytes_go_up_and_back_and_on_streams_of_the_server(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start();
            foreach (string scenario in (string[])["put", "echo", "call"])
            {
                PeerResult result = await ForeignClient.RunAsync(peer, server.EndPoint, scenario, "--bytes", $"{Middle}");
                Assert.Equal((Middle, InteropPattern.Sha256(Middle)), (result.Bytes, result.Sha256));
            }

            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Middle);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await client.UploadAsync(10 * Middle);
        await client.EchoAsync(Middle);
        await using QuicStream call = await client.RequestAsync($"CALL {Middle}", isEnd: true);
        await new RequestReader(call).ExpectLineAsync(InteropPattern.Sha256(Middle), TestContext.Current.CancellationToken);

        // On the loopback every mark arrives, and both tell of them.
        Assert.True(client.Connection.GetStatistics().IsEcnCapable);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.ManyStreams, MemberType = typeof(InteropMatrix))]
    public async Task More_streams_than_may_be_open_at_once(Foreign peer, Role role)
    {
        const long Length = 5000;
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(length: Length);
            if (peer == Foreign.Ngtcp2)
            {
                // The paths in turn, so that each is asked for again and again.
                _ = await ForeignClient.DownloadAsync(peer, server.EndPoint, Length, "-n", $"{Streams}");
                Assert.Equal(Streams, server.RequestCount);
                return;
            }

            PeerResult result = await ForeignClient.RunAsync(peer, server.EndPoint, "streams", "--count", $"{Streams}", "--bytes", $"{Length}");
            Assert.Equal(Streams, result.Count);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => client.DownloadAsync(Length)));
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.OneWayStreams, MemberType = typeof(InteropMatrix))]
    public async Task Streams_of_one_direction(Foreign peer, Role role)
    {
        const int Rounds = 5;
        const long Length = 20_000;
        if (role == Role.Client)
        {
            await using var server = OurServer.Start();
            Assert.Equal(Rounds, (await ForeignClient.RunAsync(peer, server.EndPoint, "uni", "--count", $"{Rounds}", "--bytes", $"{Length}")).Count);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, Length);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol, serve: false);
        CancellationToken token = TestContext.Current.CancellationToken;
        for (int i = 0; i < Rounds; i++)
        {
            await using QuicStream get = await client.RequestAsync($"GET {Length}", isEnd: true, QuicStreamType.Unidirectional);
            await using QuicStream answer = await client.Connection.AcceptStreamAsync(token);
            await new RequestReader(answer).ExpectPatternAsync(Length, token);

            await using QuicStream put = await client.RequestAsync($"PUT {Length}", isEnd: false, QuicStreamType.Unidirectional);
            await put.WritePatternAsync(Length, token);
            await using QuicStream digest = await client.Connection.AcceptStreamAsync(token);
            await new RequestReader(digest).ExpectLineAsync(InteropPattern.Sha256(Length), token);
        }
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.SmallWindows, MemberType = typeof(InteropMatrix))]
    public async Task Windows_of_a_few_packets(Foreign peer, Role role) =>
        _ = await new Meeting(peer, role)
        {
            Length = 60_000,
            Options = o => o with { StreamWindow = 4096, ConnectionWindow = 6000 },
            Words = (foreign, _) => foreign == Foreign.Ngtcp2
                ?
                [
                    "--max-data=10K", "--max-stream-data-bidi-local=4K", "--max-stream-data-bidi-remote=4K", "--max-window=10K", "--max-stream-window=4K",
                ]
                : ["--stream-window", "4096", "--connection-window", "6000"],
        }.TransferAsync();

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.LossOf1Percent, MemberType = typeof(InteropMatrix))]
    public Task One_datagram_in_a_hundred_is_lost(Foreign peer, Role role) => TransferWithLossAsync(peer, role, 0.01);

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.LossOf5Percent, MemberType = typeof(InteropMatrix))]
    public Task One_datagram_in_twenty_is_lost(Foreign peer, Role role) => TransferWithLossAsync(peer, role, 0.05);

    private static async Task TransferWithLossAsync(Foreign peer, Role role, double probability)
    {
        var loss = new RandomLoss(probability, seed: 20);
        _ = await new Meeting(peer, role) { Length = Lossy, Rules = [loss] }.TransferAsync();
        Assert.True(loss.Lost > 0, "nothing was lost");
    }
}
