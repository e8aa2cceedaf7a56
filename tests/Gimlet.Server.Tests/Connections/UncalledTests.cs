using Gimlet.Connections;
using Gimlet.Node;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>A peer that begins other connections than it has called for.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class UncalledTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_call_has_one_connection_for_its_protocol_and_what_else_the_peer_begins_is_closed()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, static o => o with { Protocols = ["one", "two", "three"] });
        Task<GimletConnection> two = b.AcceptAsync("two", Cancelled);
        CallId forOne = Call(a, b, "one");
        CallId forThree = Call(a, b, "three");

        // For a protocol that b speaks, and a has not called for.
        await using QuicConnection uncalled = await BeginAsync(a, b, "two");
        Assert.Equal(CloseCodes.NotCalled, (await uncalled.Closed.Within()).ApplicationErrorCode);
        await using QuicConnection called = await BeginAsync(a, b, "one");
        await ScriptedCaller.GreetAsync(called);
        GimletConnection accepted = await b.AcceptAsync("one", Cancelled).Within();
        Assert.Equal(forOne, accepted.Call);

        // Twice for one call; the other call, which still waits, lets it begin.
        await using QuicConnection again = await BeginAsync(a, b, "one");
        Assert.Equal(CloseCodes.NotCalled, (await again.Closed.Within()).ApplicationErrorCode);
        await using QuicConnection last = await BeginAsync(a, b, "three");
        await ScriptedCaller.GreetAsync(last);
        Assert.Equal(forThree, (await b.AcceptAsync("three", Cancelled).Within()).Call);
        Assert.False(two.IsCompleted);
        Assert.False(called.Closed.IsCompleted);
        Assert.Equal(2, b.GetStatistics().ConnectionsAccepted);
    }

    [Fact]
    public async Task The_time_of_an_incoming_connection_runs_from_the_arrival_of_its_call()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        _ = Call(a, b, "test");
        await UntilAsync(() => b.CountTables().Calls > 0, () => "no call");
        TimeSpan begun = TimeProvider.System.GetElapsedTime(0);
        await using QuicConnection late = await BeginAsync(a, b, "test");
        await ScriptedCaller.GreetAsync(late);
        TimeSpan handshake = TimeProvider.System.GetElapsedTime(0) - begun;
        GimletConnection accepted = await b.AcceptAsync(Cancelled).Within();

        // Half of the handshake at the least: its second half is the client's.
        Assert.InRange(accepted.ConnectTime, handshake / 4, Deadline);
    }

    private static CallId Call(GimletNode from, GimletNode to, string protocol) => from.Host.Run(
        static (host, now, s) =>
        {
            CallId call = host.Core.NewCallId();
            Assert.True(host.Peers.TryBeginDial(new DialRequest(call, s.Id, s.protocol) { WantsPaths = false }, now));
            return call;
        },
        (to.Id, protocol));

    private static Task<QuicConnection> BeginAsync(GimletNode from, GimletNode to, string protocol) =>
        from.Host.Quic.ConnectAsync(from.Host.Paths.ToRelay(to.Id, session: -1), from.Host.QuicOptions.Client(protocol, to.Id), Cancelled).Within();
}
