using System.Diagnostics.Metrics;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Dials that are given up, and dials that are sooner than the server's word of them. Where a clock stands still, nothing waits for a timer.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class GivenUpTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(AcceptMode.Open)]
    [InlineData(AcceptMode.OnAccept)]
    public async Task Whom_a_cancelled_dial_was_meant_for_is_told(string accept)
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0], accept: accept);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task<GimletConnection> dial = a.ConnectAsync(b.Node.Id, new ConnectOptions { Policy = PathPolicy.DirectOnly }, cancel.Token);
        IncomingMessage incoming = await b.NextAsync<IncomingMessage>();
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
        Assert.Equal(incoming.Call, (await b.UntilAsync<HangupMessage>()).Call);
    }

    [Fact]
    public async Task Who_waits_for_the_peers_dial_calls_at_once_when_the_peer_hangs_up()
    {
        await using GimletServer server = await Servers.StartAsync();
        var clock = new HaltingClock();
        await using GimletNode a = await StartAsync(server, o => o with { TimeProvider = clock, IntroduceOnAccept = true });
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        ConnectMessage call = b.Node.Call(a.Id) with { Protocol = "test" };
        await b.SendAsync(call);
        Assert.Equal(call.Call, (await b.UntilAsync<IntroduceMessage>()).Call);
        using IDisposable halt = clock.Halt();
        Task<GimletConnection> dial = a.ConnectAsync(b.Node.Id, new ConnectOptions { Policy = PathPolicy.DirectOnly }, Cancelled);
        await b.SendAsync(new HangupMessage { Call = call.Call });
        IncomingMessage back = await b.UntilAsync<IncomingMessage>();
        Assert.Equal((a.Id.ToString(), "test"), (back.Peer, back.Protocol));
        await b.SendAsync(new RejectMessage { Call = back.Call, Reason = RejectReason.Refused });
        Assert.Equal(GimletErrorKind.Refused, (await Assert.ThrowsAsync<GimletException>(() => dial.Within())).Kind);
    }

    [Fact]
    public async Task A_direct_first_datagram_that_comes_before_the_call_is_not_lost()
    {
        await using GimletServer server = await Servers.StartAsync();
        var clock = new HaltingClock();
        using var ground = new LateGround();
        await using GimletNode a = await StartAsync(server, o => o with { TimeProvider = clock });
        await using GimletNode b = await StartAsync(server, o => o with { Ground = ground });
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await ofA.OnPathAsync(PathKind.Direct);
        await ofB.OnPathAsync(PathKind.Direct);

        // The word of the call comes when the datagram was there and might not begin a connection; a clock that stands still sends it no second time.
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, self) =>
            {
                if (instrument.Name == "gimlet.quic.datagrams.dropped")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        int early = 0;
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (tags.Contains(new KeyValuePair<string, object?>("reason", "not-invited")))
            {
                early++;
                ground.Release();
            }
        });
        listener.Start();
        ground.HoldBack();
        using (clock.Halt())
        {
            GimletConnection second = await a.ConnectAsync(b.Id, Cancelled).Within();
            Assert.Equal(PathKind.Direct, second.Path!.Kind);
        }

        Assert.True(early > 0, "the word of the call was there first");
        _ = await b.AcceptAsync(Cancelled).Within();
    }
}
