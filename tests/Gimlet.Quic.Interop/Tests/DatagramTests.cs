using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>Unreliable datagrams (RFC 9221).</summary>
public sealed class DatagramTests
{
    private const int Count = 100;
    private const int Size = 900;

    // What a receive buffer of the system may lose on a busy machine.
    private const int MinPercent = 50;

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Datagrams, MemberType = typeof(InteropMatrix))]
    public async Task Datagrams_come_back_and_come(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start();
            PeerResult result = await ForeignClient.RunAsync(
                peer, server.EndPoint, "datagrams", "--count", $"{Count}", "--size", $"{Size}", "--min-percent", $"{MinPercent}");
            Assert.Equal(2 * Count, result.Sent);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol, serve: false);
        CancellationToken token = TestContext.Current.CancellationToken;
        byte[] pattern = new byte[Size];
        InteropPattern.Fill(pattern, 0);
        Assert.True(client.Connection.MaxDatagramSize > Size, "the server does not take them");

        // One at a time: what is lost is missing at once, and none may be.
        for (int i = 0; i < 10; i++)
        {
            pattern[0] = (byte)i;
            Assert.Equal(QuicDatagramSendResult.Queued, client.Connection.SendDatagram(pattern));
            Assert.Equal(pattern, (await client.Connection.ReceiveDatagramAsync(token)).ToArray());
        }

        await using QuicStream order = await client.RequestAsync($"DATAGRAMS {Count} {Size}", isEnd: true);
        await new RequestReader(order).ExpectLineAsync($"{Count}", token);
        for (int i = 0; i < Count * MinPercent / 100; i++)
        {
            ReadOnlyMemory<byte> datagram = await client.Connection.ReceiveDatagramAsync(token);
            Assert.Equal(pattern.AsMemory(sizeof(long)).ToArray(), datagram[sizeof(long)..].ToArray());
        }
    }
}
