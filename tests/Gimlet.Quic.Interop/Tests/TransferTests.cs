using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;

namespace Gimlet.Quic.Interop.Tests;

public sealed class TransferTests
{
    private const long Large = 100_000_000;

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
}
