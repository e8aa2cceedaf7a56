using System.Net;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>A caller and a callee at home at different servers, or at one by different names; the ticket tells.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class TwoServersTests
{
    private static readonly ConnectOptions RelayOnly = new() { Policy = PathPolicy.RelayOnly };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_to_a_peer_of_another_server_goes_by_that_and_does_without_the_callers_own()
    {
        GimletServer x = await Servers.StartAsync();
        await using GimletServer y = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(x);
        await using GimletNode b = await StartAsync(y);
        Uri home = x.HttpUrls[0];
        (GimletConnection ofA, GimletConnection ofB) = await DialAsync(a, b);
        Assert.Equal((y.HttpUrls[0], y.HttpUrls[0]), (ofA.Path!.Server, ofB.Path!.Server));
        await ExchangeAsync(ofA, ofB);

        // The caller's home server goes, and comes back.
        TaskCompletionSource lost = Await(a, home, isRegistered: false);
        await x.DisposeAsync();
        await lost.Task.Within();
        await ExchangeAsync(ofA, ofB);
        TaskCompletionSource back = Await(a, home, isRegistered: true);
        x = await Servers.StartAsync(o => o with { Http = new IPEndPoint(IPAddress.Loopback, home.Port) });
        await back.Task.Within();
        await ExchangeAsync(ofA, ofB);
        Assert.Equal((y.HttpUrls[0], y.HttpUrls[0]), (ofA.Path!.Server, ofB.Path!.Server));

        // The way back: the callee dials the caller, whom its server knows as well by now.
        (GimletConnection again, _) = await ConnectAsync(b, a, RelayOnly);
        Assert.Equal(y.HttpUrls[0], again.Path!.Server);
        await x.DisposeAsync();
    }

    [Fact]
    public async Task A_relayed_connection_waits_for_the_restart_of_the_server_that_carries_it()
    {
        await using GimletServer x = await Servers.StartAsync();
        GimletServer y = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(x);
        await using GimletNode b = await StartAsync(y);
        Uri carrier = y.HttpUrls[0];
        (GimletConnection ofA, GimletConnection ofB) = await DialAsync(a, b);
        TaskCompletionSource lost = Await(a, carrier, isRegistered: false);
        await y.DisposeAsync();
        await lost.Task.Within();
        Task exchange = ExchangeAsync(ofA, ofB);
        y = await Servers.StartAsync(o => o with { Http = new IPEndPoint(IPAddress.Loopback, carrier.Port) });
        await exchange.Within();
        Assert.Equal(carrier, ofA.Path!.Server);
        await y.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_that_names_the_home_server_otherwise_leads_there_and_ends_nothing()
    {
        await using GimletServer server = await Servers.StartAsync();
        var otherName = new Uri($"http://localhost:{server.HttpUrls[0].Port}/");
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server, o => o with { Servers = [otherName] });
        var news = new List<ServerStatus>();
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        a.ServerStatusChanged += status =>
        {
            news.Add(status);
            if (status.Server == otherName || !status.IsRegistered)
            {
                _ = left.TrySetResult();
            }
        };
        (GimletConnection ofA, GimletConnection ofB) = await DialAsync(a, b);
        await ExchangeAsync(ofA, ofB);
        Assert.Equal(server.HttpUrls[0], ofA.Path!.Server);
        await left.Task.Within();
        ServerStatus only = Assert.Single(news);
        Assert.Equal((otherName, false), (only.Server, only.IsRegistered));
        Assert.Contains(server.HttpUrls[0].ToString(), only.Detail, StringComparison.Ordinal);
    }

    private static async Task<(GimletConnection Dialled, GimletConnection Accepted)> DialAsync(GimletNode from, GimletNode to)
    {
        Task<GimletConnection> accept = to.AcceptAsync(Cancelled);
        GimletConnection dialled = await from.ConnectAsync(Ticket.Parse(to.Ticket.ToString()), RelayOnly, Cancelled).Within();
        return (dialled, await accept.Within());
    }

    private static async Task ExchangeAsync(GimletConnection one, GimletConnection other)
    {
        await using QuicStream there = await one.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled).Within();
        Task<long> first = Bytes.WriteAsync(there, 200_000);
        await using QuicStream here = await other.AcceptStreamAsync(Cancelled).Within();
        Task<long> second = Bytes.WriteAsync(here, 200_000);
        long[] read = await Task.WhenAll(Bytes.ReadAsync(here), Bytes.ReadAsync(there)).Within();
        Assert.Equal([await first.Within(), await second.Within()], read);
    }

    private static TaskCompletionSource Await(GimletNode node, Uri server, bool isRegistered)
    {
        var come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.ServerStatusChanged += status =>
        {
            if (status.Server == server && status.IsRegistered == isRegistered)
            {
                _ = come.TrySetResult();
            }
        };
        return come;
    }
}
