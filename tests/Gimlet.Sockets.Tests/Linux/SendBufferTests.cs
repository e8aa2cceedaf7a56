using System.Net;

namespace Gimlet.Sockets.Tests.Linux;

/// <summary>What happens when a send buffer is full, behind an interface that lets next to nothing out.</summary>
public sealed class SendBufferTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Implementations { get; } =
    [
        nameof(DatagramSocketImplementation.Best),
        nameof(DatagramSocketImplementation.LinuxWithoutBatches),
        nameof(DatagramSocketImplementation.LinuxWithoutOffloads),
        nameof(DatagramSocketImplementation.LinuxRefusingSegmentation),
        nameof(DatagramSocketImplementation.Portable),
    ];

    [Theory]
    [MemberData(nameof(Implementations))]
    public void The_wait_to_send_lasts_until_there_is_room(string implementation) => NetworkNamespace.Run(() =>
    {
        AddSlowInterface("slow", "198.51.100.1/24", "198.51.100.7");
        TransportAddress remote = TransportAddress.Parse("198.51.100.7:9");
        using DatagramSocket socket = Bind(implementation);
        using DatagramSocket closed = Bind(implementation);
        Fill(socket, remote);
        Fill(closed, remote);
        using var cancel = new CancellationTokenSource();
        Task wait = socket.WaitToSendAsync(CancellationToken.None).AsTask();
        Task second = socket.WaitToSendAsync(CancellationToken.None).AsTask();
        Task cancelled = socket.WaitToSendAsync(cancel.Token).AsTask();
        Task disposed = closed.WaitToSendAsync(CancellationToken.None).AsTask();
        Assert.False(wait.IsCompleted || second.IsCompleted || cancelled.IsCompleted || disposed.IsCompleted);

        cancel.Cancel();
        Assert.IsType<OperationCanceledException>(Outcome(cancelled), exactMatch: false);
        closed.Dispose();
        Assert.IsType<ObjectDisposedException>(Outcome(disposed));
        Assert.False(wait.IsCompleted || second.IsCompleted);

        NetworkNamespace.Command("tc", "qdisc del dev slow root"); // lets go of what it held
        Assert.Null(Outcome(wait));
        Assert.Null(Outcome(second));
        Assert.Equal(DatagramSendResult.Sent, socket.Send("x"u8, remote));
        Assert.True(socket.WaitToSendAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    });

    [Fact]
    public void An_error_report_that_nobody_takes_does_not_end_the_wait_to_send() => NetworkNamespace.Run(() =>
    {
        AddSlowInterface("slow", "198.51.100.1/24", "198.51.100.7");
        AddSlowInterface("other", "203.0.113.1/24", "203.0.113.7");
        TransportAddress remote = TransportAddress.Parse("198.51.100.7:9");
        TransportAddress elsewhere = TransportAddress.Parse("203.0.113.7:9");
        using DatagramSocket socket = Bind(nameof(DatagramSocketImplementation.Best), new DatagramSocketOptions { ReportErrors = true, DontFragment = true });
        using DatagramSocket other = Bind(nameof(DatagramSocketImplementation.Best));
        Assert.Equal(DatagramSendResult.TooLarge, socket.Send(new byte[1473], remote)); // the kernel queues a report
        Fill(socket, remote);
        Fill(other, elsewhere);
        Task wait = socket.WaitToSendAsync(CancellationToken.None).AsTask();
        Task later = other.WaitToSendAsync(CancellationToken.None).AsTask();

        // Events come in order: when the later wait has ended, what the report made happen has been seen.
        NetworkNamespace.Command("tc", "qdisc del dev other root");
        Assert.Null(Outcome(later));
        Assert.False(wait.IsCompleted);
        Assert.False(socket.TryReadError(out _)); // the send has said it already
        NetworkNamespace.Command("tc", "qdisc del dev slow root");
        Assert.Null(Outcome(wait));
    });

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Segments_that_find_the_buffer_full_say_how_many_left_before(string implementation) => NetworkNamespace.Run(() =>
    {
        AddSlowInterface("slow", "198.51.100.1/24", "198.51.100.7");
        TransportAddress remote = TransportAddress.Parse("198.51.100.7:9");
        using DatagramSocket socket = Bind(implementation);
        byte[] payload = new byte[200_000];
        Assert.Equal(DatagramSendResult.WouldBlock, socket.SendSegments(payload, 1000, remote, out int sent));
        Assert.InRange(sent, 1, 199);
        Assert.Equal(sent, socket.Counters.Sent);
        Assert.Equal(sent * 1000, socket.Counters.SentBytes);
        Assert.Equal(1, socket.Counters.WouldBlock);
        Assert.Equal(DatagramSendResult.WouldBlock, socket.SendSegments(payload, 1000, remote, out sent));
        Assert.Equal(0, sent);

        using DatagramSocket another = Bind(implementation);
        var batch = new DatagramSendBatch(8, 50_000);
        for (int i = 0; i < 8; i++)
        {
            batch.Commit(50_000, remote, segmentSize: 1000);
        }

        int slots = another.Send(batch);
        Assert.InRange(slots, 0, 7);
        Assert.All(
            Enumerable.Range(0, 8),
            i => Assert.Equal(i < slots ? DatagramSendResult.Sent : DatagramSendResult.WouldBlock, batch.ResultOf(i)));
        Assert.All(Enumerable.Range(0, slots), i => Assert.Equal(50, batch.SegmentsSentOf(i)));
        Assert.InRange(batch.SegmentsSentOf(slots), 0, 49);
        Assert.All(Enumerable.Range(slots + 1, 7 - slots), i => Assert.Equal(0, batch.SegmentsSentOf(i)));
        Assert.Equal(Enumerable.Range(0, 8).Sum(batch.SegmentsSentOf), another.Counters.Sent);
    });

    private static DatagramSocket Bind(string implementation, DatagramSocketOptions? options = null) =>
        DatagramSocket.Bind((options ?? new DatagramSocketOptions()) with
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Any, 0),
            SendBufferBytes = 16384,
            Implementation = Enum.Parse<DatagramSocketImplementation>(implementation),
        });

    private static void Fill(DatagramSocket socket, TransportAddress remote)
    {
        byte[] payload = new byte[1000];
        for (int i = 0; i < 200; i++)
        {
            if (socket.Send(payload, remote) == DatagramSendResult.WouldBlock)
            {
                return;
            }
        }

        Assert.Fail("the buffer never filled");
    }

    private static Exception? Outcome(Task task)
    {
        Assert.True(((IAsyncResult)task).AsyncWaitHandle.WaitOne(Patience), "the wait never ended");
        return task.IsCanceled ? new OperationCanceledException() : task.Exception?.InnerException;
    }

    private static void AddSlowInterface(string name, string address, string neighbour)
    {
        NetworkNamespace.Command("ip", "link set lo up");
        NetworkNamespace.Command("ip", $"link add {name} type veth peer name {name}-peer");
        NetworkNamespace.Command("ip", $"addr add {address} dev {name}");
        NetworkNamespace.Command("ip", $"link set {name}-peer up");
        NetworkNamespace.Command("ip", $"link set {name} up");
        NetworkNamespace.Command("ip", $"neigh add {neighbour} lladdr 02:00:00:00:00:07 dev {name}");

        // A queue that lets next to nothing out and never drops: what is sent stays charged to the socket.
        NetworkNamespace.Command("tc", $"qdisc add dev {name} root tbf rate 8kbit burst 1600 limit 100000000");
    }
}
