using Gimlet.Node;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>A peer that opens streams and never the control stream.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class FloodedTests
{
    // A stream that is not permitted within this is not going to be: all that it takes is a round trip on one machine.
    private static readonly TimeSpan NotPermitted = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Empty_streams_in_front_of_the_control_stream_wait_for_the_application_like_any_others()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        a.Host.TryRun(static (host, now, to) => Assert.True(host.Peers.TryBeginDial(new DialRequest(host.Core.NewCallId(), to, "test") { WantsPaths = false }, now)), b.Id);
        await using QuicConnection flood = await a.Host.Quic.ConnectAsync(
            a.Host.Paths.ToRelay(b.Id, session: -1), a.Host.QuicOptions.Client("test", b.Id), Cancelled).Within();
        GimletConnection accepted = await b.AcceptAsync(Cancelled).Within();
        int opened = 0;
        Task<QuicStream>? next = null;
        while (opened < 2000)
        {
            next = flood.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).AsTask();
            if (await Task.WhenAny(next, Task.Delay(NotPermitted, Cancelled)) != next)
            {
                break;
            }

            (await next).CompleteWrites();
            opened++;
        }

        // What waits in QUIC, what waits in the connection, and the one between the two.
        Assert.InRange(opened, 100, 201);

        // Each that the application takes lets another one come, and all come in their order.
        for (int i = 0; i < opened; i++)
        {
            Assert.Equal((4 * i) + 2, (await accepted.AcceptStreamAsync(Cancelled).Within()).Id);
        }

        (await next!.Within()).CompleteWrites();
        Assert.Equal((4 * opened) + 2, (await accepted.AcceptStreamAsync(Cancelled).Within()).Id);

        // The control stream, at last, is none of them.
        QuicStream control = await flood.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        await control.WriteAsync(new byte[1], Cancelled).Within();
        QuicStream two = await flood.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        await two.WriteAsync(new byte[1], Cancelled).Within();
        Assert.Equal(4, (await accepted.AcceptStreamAsync(Cancelled).Within()).Id);
    }

    [Theory]
    [InlineData(150)]
    [InlineData(201)]
    public async Task What_came_before_the_end_is_given_out_in_its_order_and_then_the_end_is_told(int count)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        a.Host.TryRun(static (host, now, to) => Assert.True(host.Peers.TryBeginDial(new DialRequest(host.Core.NewCallId(), to, "test") { WantsPaths = false }, now)), b.Id);
        await using QuicConnection flood = await a.Host.Quic.ConnectAsync(
            a.Host.Paths.ToRelay(b.Id, session: -1), a.Host.QuicOptions.Client("test", b.Id), Cancelled).Within();
        GimletConnection accepted = await b.AcceptAsync(Cancelled).Within();
        var all = new List<QuicStream>();
        for (int i = 0; i < count; i++)
        {
            QuicStream stream = await flood.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
            stream.CompleteWrites();
            all.Add(stream);
        }

        await Task.WhenAll(all.Select(static s => s.WritesClosed)).Within();
        await flood.CloseAsync(0, cancellationToken: Cancelled);
        _ = await accepted.Closed.Within();
        for (int i = 0; i < count; i++)
        {
            Assert.Equal((4 * i) + 2, (await accepted.AcceptStreamAsync(Cancelled).Within()).Id);
        }

        _ = await Assert.ThrowsAsync<GimletException>(() => accepted.AcceptStreamAsync(Cancelled).Within());
    }
}
