using Gimlet.Connections;
using Gimlet.Node;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>A peer that opens streams before the control stream, or that one never.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class FloodedTests
{
    // A stream that is not permitted within this is not going to be: all that it takes is a round trip on one machine.
    private static readonly TimeSpan NotPermitted = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_that_opens_streams_and_never_the_control_stream_is_bounded_and_then_closed()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        await using QuicConnection flood = await BeginAsync(a, b);
        int opened = 0;
        for (; opened < 2000; opened++)
        {
            Task<QuicStream> next = flood.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).AsTask();
            if (await Task.WhenAny(next, Task.Delay(NotPermitted, Cancelled)) != next)
            {
                break;
            }

            (await next).CompleteWrites();
        }

        // What waits in QUIC, what waits in the connection, and the one between the two.
        Assert.InRange(opened, 100, 201);

        // No application ever sees it.
        Assert.Equal(CloseCodes.NobodyAccepts, (await flood.Closed.Within()).ApplicationErrorCode);
        await using GimletConnection other = await a.ConnectAsync(b.Id, Cancelled).Within();
        await using GimletConnection accepted = await b.AcceptAsync(Cancelled).Within();
        Assert.Equal(other.Call, accepted.Call);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(90)]
    public async Task What_came_before_the_control_stream_is_given_out_in_its_order_and_then_what_came_behind_it_and_then_the_end(int count)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        await using QuicConnection caller = await BeginAsync(a, b);
        var all = new List<QuicStream>();
        for (int i = 0; i < count + 5; i++)
        {
            if (i == count)
            {
                await Task.WhenAll(all.Select(static s => s.WritesClosed)).Within();
                await ScriptedCaller.GreetAsync(caller);
            }

            QuicStream stream = await caller.OpenStreamAsync(QuicStreamType.Unidirectional, Cancelled).Within();
            stream.CompleteWrites();
            all.Add(stream);
        }

        GimletConnection accepted = await b.AcceptAsync(Cancelled).Within();
        await Task.WhenAll(all.Select(static s => s.WritesClosed)).Within();
        await caller.CloseAsync(0, cancellationToken: Cancelled);
        _ = await accepted.Closed.Within();
        for (int i = 0; i < all.Count; i++)
        {
            Assert.Equal((4 * i) + 2, (await accepted.AcceptStreamAsync(Cancelled).Within()).Id);
        }

        _ = await Assert.ThrowsAsync<GimletException>(() => accepted.AcceptStreamAsync(Cancelled).Within());
    }

    private static async Task<QuicConnection> BeginAsync(GimletNode from, GimletNode to)
    {
        from.Host.TryRun(static (host, now, to) => Assert.True(host.Peers.TryBeginDial(new DialRequest(host.Core.NewCallId(), to, "test") { WantsPaths = false }, now)), to.Id);
        return await from.Host.Quic.ConnectAsync(from.Host.Paths.ToRelay(to.Id, session: -1), from.Host.QuicOptions.Client("test", to.Id), Cancelled).Within();
    }
}
