using System.Net;
using Gimlet.Sockets;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Stun.Tests.Server.Hosting;

/// <summary>Runs alone: the server's threads can only be measured by what the whole process allocates.</summary>
[CollectionDefinition(nameof(StunServerAllocationTests), DisableParallelization = true)]
[Collection(nameof(StunServerAllocationTests))]
public sealed class StunServerAllocationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answering_allocates_nothing(bool withProof)
    {
        const int rounds = 200;
        const int perRound = 32;
        await using StunServer server = StunServer.Start(StunServerDiscoveryTests.TwoAddresses() with { ProofKey = new byte[32] });
        using DatagramSocket client = DatagramSocket.Bind(new DatagramSocketOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        byte[] request = StunTestClient.BindingRequest(observe: withProof);
        var requests = new DatagramSendBatch(perRound, 128);
        var answers = new DatagramReceiveBatch(perRound, 256);
        for (int i = 0; i < perRound; i++)
        {
            requests.TryAdd(request, server.EndPoints[0]);
        }

        long smallest = long.MaxValue;
        for (int window = 0; window < 6; window++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int round = 0; round < rounds; round++)
            {
                int outstanding = client.Send(requests);
                while (outstanding > 0)
                {
                    outstanding -= client.ReceiveBlocking(answers);
                }
            }

            smallest = Math.Min(smallest, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // Less than one byte per request: the smallest object has 24, so no request allocates any. What is left is the
        // test framework's own timers.
        Assert.InRange(smallest, 0, rounds * perRound - 1);
        Assert.Equal(6 * rounds * perRound, server.Counters.Answered);
    }
}
