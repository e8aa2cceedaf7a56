using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Hosting;

public sealed class RelayEndpointTests
{
    [Fact]
    public async Task Datagrams_go_both_ways_over_real_WebSockets_with_the_proven_sender_in_front()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await a.MeetAsync(b);
        foreach (int length in new[] { 1, 1200, 2015, 2016, 20_000, RelayFrame.MaxLength - RelayFrame.SingleHeaderLength, 3, 3, 3 })
        {
            byte[] datagram = new byte[length];
            new Random(length).NextBytes(datagram);
            await a.RelayAsync(b, datagram);
            (PeerId from, byte[][] datagrams) = Frames.Read(await b.NextBinaryAsync());
            Assert.Equal(a.Node.Id, from);
            Assert.Equal(datagram, Assert.Single(datagrams));
            await b.RelayAsync(a, datagram);
            (from, datagrams) = Frames.Read(await a.NextBinaryAsync());
            Assert.Equal(b.Node.Id, from);
            Assert.Equal(datagram, Assert.Single(datagrams));
        }

        byte[] batch = Frames.Batch(b.Node.Id, 1200, 50, tail: 7);
        await a.SendAsync(batch, WebSocketMessageType.Binary);
        byte[] received = await b.NextBinaryAsync();
        RelayFrame.WritePeer(batch, a.Node.Id);
        Assert.Equal(batch, received);
    }

    [Fact]
    public async Task A_binary_frame_in_fragments_is_one_frame_and_one_beyond_the_limit_ends_the_session()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await a.MeetAsync(b);
        byte[] batch = Frames.Batch(b.Node.Id, 1200, 50);
        foreach (byte[] fragment in batch.Chunk(1777))
        {
            await a.Socket.SendAsync(fragment, WebSocketMessageType.Binary, endOfMessage: false, TestContext.Current.CancellationToken);
        }

        await a.Socket.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken);
        RelayFrame.WritePeer(batch, a.Node.Id);
        Assert.Equal(batch, await b.NextBinaryAsync());

        await a.SendAsync(new byte[RelayFrame.MaxLength + 1], WebSocketMessageType.Binary);
        await a.ShouldBeClosedAsync(ErrorCode.MessageTooLarge, 1009);
    }

    [Fact]
    public async Task A_flood_starves_no_other_pair_and_no_other_sender_to_the_same_receiver()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Limits = new RendezvousLimits { RelayBytesPerSecond = 0 } });
        await using LiveNode flooder = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode flooded = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await flooder.MeetAsync(flooded);
        await a.MeetAsync(flooded);
        await a.MeetAsync(b);
        using var enough = new CancellationTokenSource();
        byte[] flood = Frames.Batch(flooded.Node.Id, 1200, 50);
        Task flooding = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    await flooder.SendAsync(flood, WebSocketMessageType.Binary);
                }
            },
            TestContext.Current.CancellationToken);

        // The receiver reads nothing meanwhile: its queue stays full.
        _ = await flooder.UntilAsync<LimitedMessage>();
        for (byte i = 0; i < 100; i++)
        {
            await a.RelayAsync(b, [i]);
            Assert.Equal(i, Assert.Single(Frames.Read(await b.NextBinaryAsync()).Datagrams)[0]);
            await a.RelayAsync(flooded, [i, 0]);
        }

        List<byte> came = [];
        while (came.Count < 100)
        {
            (PeerId from, byte[][] datagrams) = Frames.Read(await flooded.NextBinaryAsync());
            if (from == a.Node.Id)
            {
                came.AddRange(datagrams.Select(static d => d[0]));
            }
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(static i => (byte)i), came);
        await enough.CancelAsync();
        await flooding;
    }

    [Fact]
    public async Task Who_reads_slowly_loses_the_oldest_and_is_not_closed()
    {
        await using GimletServer server = await Servers.StartAsync(o => o with { Limits = new RendezvousLimits { RelayBytesPerSecond = 0 } });
        await using LiveNode slow = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode sender = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode caller = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await sender.MeetAsync(slow);

        // Until frames of the receiver, which reads nothing, were dropped.
        Task<LimitedMessage> told = sender.UntilAsync<LimitedMessage>();
        int sent = 0;
        while (!told.IsCompleted)
        {
            byte[] frame = Frames.Batch(slow.Node.Id, 1200, 50);
            _ = BitConverter.TryWriteBytes(frame.AsSpan(RelayFrame.BatchHeaderLength), sent++);
            await sender.SendAsync(frame, WebSocketMessageType.Binary);
        }

        Assert.Equal(RelayLimit.Queue, (await told).Limit);
        await sender.SendAsync(new PingMessage { Id = 1 });
        _ = await sender.UntilAsync<PongMessage>();
        await caller.SendAsync(caller.Node.Call(slow.Node.Id));
        _ = await caller.NextAsync<IntroduceMessage>();

        // How many of them the system's buffers took, and so what the text comes before, is its own affair (WebSocketOutputTests has the order).
        var came = new List<int>();
        bool isTold = false;
        while (!isTold || came is [] || came[^1] != sent - 1)
        {
            (WebSocketMessageType type, byte[] frame) = await slow.NextFrameAsync();
            if (type == WebSocketMessageType.Binary)
            {
                came.Add(BitConverter.ToInt32(frame, RelayFrame.BatchHeaderLength));
                continue;
            }

            Assert.True(SignalCodec.TryRead(frame, out SignalMessage? message, out _));
            _ = Assert.IsType<IncomingMessage>(message);
            Assert.False(isTold);
            isTold = true;
        }

        Assert.Equal(came.Distinct().Order(), came);
        Assert.True(came.Count < sent, "the oldest that waited were dropped");
        await slow.SendAsync(new PingMessage { Id = 2 });
        Assert.Equal(2, (await slow.NextAsync<PongMessage>()).Id);
    }

    [Fact]
    public async Task A_node_that_comes_back_is_relayed_to_on_its_new_session()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode older = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await a.MeetAsync(older);
        await using LiveNode newer = await LiveNode.RegisterAsync(server.HttpUrls[0], older.Node);
        await older.ShouldBeClosedAsync(ErrorCode.Replaced, 4001);
        await a.RelayAsync(newer, [1]);
        Assert.Equal(RejectReason.NoCall, (await a.NextAsync<UnreachableMessage>()).Reason);
        await newer.RelayAsync(a, [2]);
        Assert.Equal(2, Frames.Read(await a.NextBinaryAsync()).Datagrams[0][0]);
        await a.RelayAsync(newer, [3]);
        Assert.Equal(3, Frames.Read(await newer.NextBinaryAsync()).Datagrams[0][0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_binary_frames_come_the_session_goes_on(int seed)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode a = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        await a.MeetAsync(b);
        var random = new Random(seed);
        for (int i = 0; i < 500; i++)
        {
            byte[] frame = new byte[random.Next(4) == 0 ? random.Next(60_000) : random.Next(80)];
            random.NextBytes(frame);
            if (frame.Length > RelayFrame.SingleHeaderLength && random.Next(2) == 0)
            {
                frame[0] = (byte)random.Next(3);
                RelayFrame.WritePeer(frame, random.Next(2) == 0 ? b.Node.Id : a.Node.Id);
            }

            await a.SendAsync(frame, WebSocketMessageType.Binary);
        }

        await a.SendAsync(new PingMessage { Id = 7 });
        Assert.Equal(7, (await a.UntilAsync<PongMessage>()).Id);
        await b.SendAsync(new PingMessage { Id = 8 });
        while (await b.NextFrameAsync() is (WebSocketMessageType.Binary, { } frame))
        {
            Assert.Equal(a.Node.Id, Frames.Read(frame).From);
        }
    }

    [Fact]
    public async Task The_servers_sockets_send_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the server's end of a connection is found by /proc");
        await using GimletServer server = await Servers.StartAsync();
        await using LiveNode node = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        List<Socket> accepted = [.. OpenSockets().Where(s => s.LocalEndPoint is IPEndPoint local && local.Port == server.HttpUrls[0].Port && s.RemoteEndPoint is not null)];
        Assert.NotEmpty(accepted);
        Assert.All(accepted, static s => Assert.True(s.NoDelay, "a datagram must not wait for an acknowledgement (Nagle)"));
    }

    // The TCP connections of this process. The sockets are lent: to dispose of one would close what is somebody else's.
    private static IEnumerable<Socket> OpenSockets()
    {
        foreach (string link in Directory.GetFiles("/proc/self/fd"))
        {
            Socket? socket = null;
            try
            {
                if (File.ResolveLinkTarget(link, returnFinalTarget: false)?.Name.StartsWith("socket:", StringComparison.Ordinal) == true)
                {
                    var lent = new SafeSocketHandle(nint.Parse(Path.GetFileName(link), CultureInfo.InvariantCulture), ownsHandle: false);
                    socket = new Socket(lent);
                }
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Closed in this very moment, or no socket of a kind that .NET knows.
                continue;
            }

            if (socket is { SocketType: SocketType.Stream, Connected: true })
            {
                yield return socket;
            }
        }
    }
}
