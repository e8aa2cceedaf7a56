using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Streams;

namespace Gimlet.Quic.Tests.Connections;

/// <summary>What a connection does for every packet, sending and receiving, once its buffers have their size: it allocates nothing.</summary>
// Streams take their segments from a pool of the whole process: tests beside these could empty it, and a segment would be made.
[Collection(nameof(SteadyStateTests))]
[CollectionDefinition(nameof(SteadyStateTests), DisableParallelization = true)]
public sealed class SteadyStateTests
{
    public static TheoryData<bool> Protections => ProtectionSelection.Select(ProtectionChoice.Automatic).Provider.Name
        == ProtectionSelection.Select(ProtectionChoice.BaseClassLibrary).Provider.Name
            ? [false]
            : [false, true];

    [Theory]
    [MemberData(nameof(Protections))]
    public void A_stream_of_bytes_allocates_nothing_on_either_side(bool isAutomatic)
    {
        using var pair = new DirectPair(isAutomatic ? ProtectionChoice.Automatic : ProtectionChoice.BaseClassLibrary);
        Assert.True(pair.Client.Streams.TryOpen(StreamDirection.Unidirectional, out QuicStreamState? sender));
        byte[] data = new byte[256 * 1024];
        byte[] room = new byte[64 * 1024];
        Assert.Equal(data.Length, sender.Write(data));
        QuicStreamState receiver = pair.Exchange()!;
        long received = Drain(receiver, room);
        long sent = data.Length;
        long packets = pair.Server.Counters.PacketsReceived;
        Allocations.AssertNone(() =>
        {
            sent += sender.Write(data);
            pair.Exchange();
            received += Drain(receiver, room);
        });
        pair.Exchange();
        received += Drain(receiver, room);
        Assert.Equal(sent, received);
        Assert.True(pair.Server.Counters.PacketsReceived - packets > 100_000);
        Assert.Equal(0, pair.Client.Counters.PacketsLost);
    }

    // The receiver stays on another path than the one that data and acknowledgements take.
    [Fact]
    public void Acknowledgements_on_another_path_allocate_nothing()
    {
        using var pair = new DirectPair(ProtectionChoice.Automatic, isGimlet: true);
        PathId first = pair.Client.CurrentPath, second = new(2);
        Assert.True(pair.Client.TryUsePath(pair.Now, second));
        Assert.True(pair.Server.TryUsePath(pair.Now, second));
        pair.Exchange();
        Assert.True(pair.Server.TryUsePath(pair.Now, first));
        Assert.True(pair.Client.Streams.TryOpen(StreamDirection.Unidirectional, out QuicStreamState? sender));
        byte[] data = new byte[256 * 1024];
        byte[] room = new byte[64 * 1024];
        Assert.Equal(data.Length, sender.Write(data));
        QuicStreamState receiver = pair.Exchange()!;
        long received = Drain(receiver, room);
        long sent = data.Length;
        long before = PacketsOn(second);
        // Not more runs: the list of received ranges doubles now and then, up to ReceivedRanges.MaxRanges.
        Allocations.AssertNone(() =>
        {
            sent += sender.Write(data);
            pair.Exchange();
            received += Drain(receiver, room);
        }, runs: 500);
        pair.Exchange();
        received += Drain(receiver, room);
        Assert.Equal(sent, received);
        Assert.True(PacketsOn(second) - before > 1000);

        long PacketsOn(PathId path) => pair.Server.Paths.Single(p => p.Id == path).PacketsSent;
    }

    [Fact]
    public void Datagrams_allocate_nothing_on_either_side()
    {
        using var pair = new DirectPair(ProtectionChoice.Automatic);
        byte[] data = new byte[1000];
        byte[] room = new byte[1500];
        int received = 0;
        int sent = 0;

        for (int i = 0; i < 500; i++)
        {
            SendAndReceive();
        }

        // Packet numbers that are skipped leave gaps, ever more seldom: the list of ranges that came may double once more, and has 256 at most.
        const int OneGrowth = 512;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            SendAndReceive();
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, OneGrowth);
        Assert.Equal(sent, received);

        void SendAndReceive()
        {
            for (int i = 0; i < 20; i++)
            {
                sent += pair.Client.TrySendDatagram(data) ? 1 : 0;
            }

            pair.Exchange();
            while (pair.Server.TryReceiveDatagram(room, out int length))
            {
                received += length == data.Length ? 1 : 0;
            }
        }
    }

    private static long Drain(QuicStreamState stream, byte[] room)
    {
        long total = 0;
        int length;
        while ((length = stream.Read(room)) > 0)
        {
            total += length;
        }

        return total;
    }
}
