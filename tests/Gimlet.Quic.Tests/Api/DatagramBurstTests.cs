using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class DatagramBurstTests
{
    private const int Count = 500;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_burst_arrives_whole_and_in_order_whether_the_application_waits_or_comes_late()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        byte[] buffer = new byte[1000];
        ValueTask<int> waiting = server.ReceiveDatagramAsync(buffer, Token);
        SendBurst(client);
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(buffer.Length, i == 0 ? await waiting : await server.ReceiveDatagramAsync(buffer, Token));
            Assert.Equal(i, BitConverter.ToInt32(buffer));
        }

        SendBurst(client);
        await Eventually.TrueAsync(() => server.GetStatistics().DatagramFramesReceived == 2 * Count);
        for (int i = 0; i < Count; i++)
        {
            ValueTask<int> ready = server.ReceiveDatagramAsync(buffer, Token);
            Assert.True(ready.IsCompletedSuccessfully);
            Assert.Equal(buffer.Length, await ready);
            Assert.Equal(i, BitConverter.ToInt32(buffer));
        }

        waiting = server.ReceiveDatagramAsync(buffer, Token);
        Assert.False(waiting.IsCompleted);
        _ = await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.ReceiveDatagramAsync(buffer, Token));
        Assert.Equal(QuicDatagramSendResult.Queued, client.SendDatagram("!"u8));
        Assert.Equal(1, await waiting);
    }

    [Fact]
    public async Task A_burst_goes_out_in_few_sends()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        byte[] buffer = new byte[1000];
        SendBurst(client);
        for (int i = 0; i < Count; i++)
        {
            _ = await server.ReceiveDatagramAsync(buffer, Token);
        }

        // One acknowledgement answers a batch: of datagrams that went out one by one there would be hundreds.
        Assert.InRange(server.GetStatistics().PacketsSent, 1, Count / 4);
    }

    private static void SendBurst(QuicConnection connection)
    {
        byte[] datagram = new byte[1000];
        for (int i = 0; i < Count; i++)
        {
            Assert.True(BitConverter.TryWriteBytes(datagram, i));
            Assert.Equal(QuicDatagramSendResult.Queued, connection.SendDatagram(datagram));
        }
    }
}
