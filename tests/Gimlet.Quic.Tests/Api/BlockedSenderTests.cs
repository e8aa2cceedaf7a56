using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>What is due while the sender has no room waits for room, not for a timer that fires every millisecond.</summary>
public sealed class BlockedSenderTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_without_room_costs_a_handful_of_timers_and_nothing_is_lost_by_it()
    {
        var time = new ManualTime();
        await using var endpoints = new MemoryEndpoints(clientTime: time);
        MemoryNetwork toServer = endpoints.ToServer;
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        await Eventually.TrueAsync(() => client.UpdateKeys());

        toServer.Room = 0;
        byte[] data = new byte[300_000];
        new Random(1).NextBytes(data);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        Task write = stream.WriteAsync(data, completeWrites: true, Token).AsTask();
        await Eventually.TrueAsync(() => toServer.WouldBlocks > 0);

        // An acknowledgement becomes due beside the data.
        Assert.Equal(QuicDatagramSendResult.Queued, server.SendDatagram("?"u8));
        Assert.Equal(1, await client.ReceiveDatagramAsync(new byte[10], Token));
        int before = time.Callbacks, asked = toServer.Sends;
        for (int i = 0; i < 1000; i++)
        {
            time.Advance(Millisecond);
        }

        // Probe timeouts double, the acknowledgement is due once.
        Assert.InRange(time.Callbacks - before, 1, 30);
        Assert.Equal(asked, toServer.Sends);

        toServer.Room = -1;
        endpoints.Client.NotifyWritable();
        Task<byte[]> read = (await server.AcceptStreamAsync(Token)).ReadAllAsync();
        await Eventually.TrueAsync(() =>
        {
            // The pacer lets out what the clock has earned.
            time.Advance(5 * Millisecond);
            return read.IsCompleted;
        });
        Assert.True((await read).AsSpan().SequenceEqual(data));
        await write;
    }
}
