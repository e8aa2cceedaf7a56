using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>Memory of the whole process: nothing else may run beside these.</summary>
[Collection(nameof(MeasurementTests))]
[CollectionDefinition(nameof(MeasurementTests), DisableParallelization = true)]
public sealed class MeasurementTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_idle_connection_costs_less_than_20_KB_at_each_end()
    {
        const int Count = 400;
        await using var endpoints = TestEndpoints.Create();
        var connections = new List<QuicConnection>();
        for (int i = 0; i < 50; i++)
        {
            await AddAsync();
        }

        // Certificates and TLS's leftovers are garbage by then.
        await Eventually.AtRestAsync(connections);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Count; i++)
        {
            await AddAsync();
        }

        await Eventually.AtRestAsync(connections);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (2 * Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes of managed memory for each end of a connection");
        Assert.InRange(each, 0, 20 * 1024);
        GC.KeepAlive(connections);

        async Task AddAsync()
        {
            (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
            connections.Add(client);
            connections.Add(server);
        }
    }

    [Fact]
    public async Task Reads_and_writes_allocate_nothing_once_they_are_warm()
    {
        await using var pair = await StreamPair.CreateAsync();
        byte[] question = new byte[1000];
        byte[] answer = new byte[1000];
        Task echo = Task.Run(
            async () =>
            {
                byte[] buffer = new byte[1000];
                while (await pair.Remote.ReadAsync(buffer, Token) is int count and > 0)
                {
                    await pair.Remote.WriteAsync(buffer.AsMemory(0, count), Token);
                }
            },
            Token);
        long allocated = long.MaxValue;
        for (int round = 0; round < 4; round++)
        {
            await Eventually.AtRestAsync([pair.Client, pair.Server]);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 3000; i++)
            {
                await pair.Local.WriteAsync(question, Token);
                for (int at = 0; at < answer.Length;)
                {
                    at += await pair.Local.ReadAsync(answer.AsMemory(at), Token);
                }
            }

            // What the runtime does by itself falls into one round or another; what an operation allocates is in each.
            allocated = round == 0 ? allocated : Math.Min(allocated, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        pair.Local.CompleteWrites();
        await echo;

        // Of the whole process, with the test's own tasks and the first touch of pooled memory. An object for each operation would be 24 bytes at least,
        // four times per round trip.
        TestContext.Current.TestOutputHelper?.WriteLine($"{allocated / 3000.0} bytes per round trip");
        Assert.InRange(allocated / 3000, 0, 40);
    }
}
