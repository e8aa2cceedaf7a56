using System.Threading.Channels;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>What the owner of the paths between two nodes says and is told, by the public face (docs/connections.md, "The choice of path").</summary>
public sealed class OwnedPathApiTests : IAsyncDisposable
{
    private static readonly QuicPath Relay = new(1);
    private static readonly QuicPath Direct = new(2);
    private static readonly QuicPath Dead = new(MemoryNetwork.Nowhere);

    private readonly MemoryEndpoints _endpoints = new(gimletPaths: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _endpoints.DisposeAsync();

    [Fact]
    public async Task Either_side_moves_and_the_other_hears_of_it()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        ChannelReader<QuicPathEvent> events = server.PathEvents;
        Assert.True(client.TryUsePath(Direct));
        Assert.Equal((Direct, Relay), (client.CurrentPath, client.InitialPath));
        await SendAsync(client, server, 50_000);
        while (await events.ReadAsync(Token) != new QuicPathEvent(QuicPathEventKind.PeerMoved, Direct))
        {
        }

        Assert.Equal((Relay, Relay), (server.CurrentPath, server.InitialPath));
        Assert.True(server.TryUsePath(Direct));
        await SendAsync(server, client, 50_000);
        await Eventually.TrueAsync(() => _endpoints.ToServer.Held.ContainsKey(Direct) && _endpoints.ToClient.Held.ContainsKey(Direct));
    }

    [Fact]
    public async Task Only_a_handshake_that_is_under_way_is_taken_back()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        Assert.False(client.Host.TryCloseHandshake(static () => throw new InvalidOperationException("The peer has this connection."), 7, "again"));
        await SendAsync(client, server, 10_000);

        QuicConnection waiting = _endpoints.Client.BeginConnect(Dead, TestEndpoints.ClientOptions);
        Assert.True(waiting.Host.TryCloseHandshake(static () => false, 7, "somebody else has it"));
        Assert.False(waiting.Connected.IsCompleted);
        Assert.True(waiting.Host.TryCloseHandshake(static () => true, 7, "again"));
        _ = await Assert.ThrowsAsync<QuicException>(() => waiting.Connected.WaitAsync(Token));
        Assert.True(waiting.Host.TryCloseHandshake(static () => true, 7, "it is over"));
    }

    [Fact]
    public async Task A_dead_path_falls_silent_and_what_it_had_arrives_by_another_one()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        ChannelReader<QuicPathEvent> events = client.PathEvents;
        Assert.True(client.TryUsePath(Direct));
        await SendAsync(client, server, 10_000);
        await Eventually.TrueAsync(() => Of(client, Direct) is { IsValidated: true });

        // The relay carries nothing from now on: what is on the dead path is nowhere else.
        client.RemovePath(Relay);
        Assert.True(client.TryUsePath(Dead));
        client.RemovePath(Direct);
        Task sending = SendAsync(client, server, 10_000);
        while (await events.ReadAsync(Token) != new QuicPathEvent(QuicPathEventKind.Silent, Dead))
        {
        }

        Assert.False(client.AbandonPath(Dead, Dead));
        Assert.True(client.AbandonPath(Dead, Direct));
        await sending;
        Assert.Equal(Direct, client.CurrentPath);
        QuicPathStatistics dead = Of(client, Dead)!;
        Assert.Equal((false, false, 0L, TimeSpan.Zero), (dead.IsValidated, dead.IsCurrent, dead.BytesReceived, dead.Rtt));
        Assert.InRange(dead.PacketsLost, 1, dead.PacketsSent);
        Assert.True(_endpoints.ToServer.Held.ContainsKey(Dead), "it is challenged, so it is held");

        // The connection's own sum stays when the path takes its figures along.
        long lost = client.GetStatistics().BytesLost;
        Assert.InRange(lost, dead.PacketsLost, client.GetStatistics().BytesSent);
        client.RemovePath(Dead);
        Assert.Null(Of(client, Dead));
        Assert.True(client.GetStatistics().BytesLost >= lost);
    }

    [Fact]
    public async Task A_path_that_is_known_before_the_handshake_is_complete_is_used_from_then_on()
    {
        var serverBegan = new TaskCompletionSource<QuicConnection>();
        await _endpoints.Listener.DisposeAsync();
        await using QuicListener listener = _endpoints.Server.Listen(
            TestEndpoints.ServerOptions with { GimletPaths = true, ConnectionBegun = c => serverBegan.SetResult(Begin(c)) });
        QuicConnection? began = null;
        QuicConnection client = await _endpoints.Client.ConnectAsync(Relay, Options with { ConnectionBegun = c => began = Begin(c) }, Token);
        Assert.Same(client, began);
        Assert.Equal((Direct, Relay), (client.CurrentPath, client.InitialPath));
        QuicConnection server = await listener.AcceptConnectionAsync(Token);
        Assert.Same(await serverBegan.Task, server);
        Assert.Equal((Direct, Relay), (server.CurrentPath, server.InitialPath));
        await SendAsync(client, server, 10_000);

        static QuicConnection Begin(QuicConnection connection)
        {
            Assert.False(connection.Closed.IsCompleted);
            Assert.True(connection.TryUsePath(Direct));
            return connection;
        }
    }

    [Fact]
    public async Task An_owner_that_throws_ends_its_connection_alone()
    {
        QuicClientOptions options = Options with { ConnectionBegun = static _ => throw new InvalidOperationException("no") };
        QuicException failed = await Assert.ThrowsAsync<QuicException>(async () => await _endpoints.Client.ConnectAsync(Relay, options, Token));
        Assert.Contains("no", failed.Message, StringComparison.Ordinal);
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        await SendAsync(client, server, 10_000);
    }

    [Fact]
    public async Task Each_path_has_figures_of_its_own()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        Assert.True(client.TryUsePath(Direct));
        await SendAsync(client, server, 500_000);
        await Eventually.TrueAsync(() => Of(client, Direct) is { IsValidated: true, IsCurrent: true });
        IReadOnlyList<QuicPathStatistics> all = client.GetPathStatistics();
        Assert.Equal([Relay, Direct], all.Select(p => p.Path).Order(Comparer<QuicPath>.Create((a, b) => a.Value.CompareTo(b.Value))));
        Assert.Single(all, p => p.IsCurrent);
        Assert.All(all, p => Assert.True(p is { IsValidated: true, BytesSent: > 1200, PacketsSent: > 0, Rtt.Ticks: > 0, MinRtt.Ticks: > 0 }, p.ToString()));
        Assert.InRange(Of(client, Direct)!.BytesSent, 500_000, 1_000_000);

        // All that a connection sends and receives it does on some path.
        await client.CloseAsync(0, cancellationToken: Token);
        _ = await server.Closed;
        QuicConnectionStatistics sum = server.GetStatistics();
        all = server.GetPathStatistics();
        Assert.Equal((sum.BytesSent, sum.BytesReceived), (all.Sum(p => p.BytesSent), all.Sum(p => p.BytesReceived)));
        Assert.Equal((sum.PacketsSent, sum.PacketsLost), (all.Sum(p => p.PacketsSent), all.Sum(p => p.PacketsLost)));
    }

    [Fact]
    public async Task A_peer_that_is_no_node_has_one_path_at_a_time()
    {
        QuicConnection client = await _endpoints.Client.ConnectAsync(Relay, TestEndpoints.ClientOptions, Token);
        QuicConnection server = await _endpoints.Listener.AcceptConnectionAsync(Token);
        Assert.False(client.TryUsePath(Direct));
        Assert.False(server.TryUsePath(Direct));
        Assert.False(server.AbandonPath(Relay, Direct));
        await client.CloseAsync(0, cancellationToken: Token);
        Assert.False(client.TryUsePath(Relay));
    }

    [Fact]
    public async Task Who_may_not_begin_a_connection_is_not_heard_and_an_old_connection_goes_on()
    {
        (QuicConnection client, QuicConnection server) = await _endpoints.ConnectAsync();
        _endpoints.ToServer.MayBegin = static _ => false;
        QuicClientOptions impatient = Options with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) };
        QuicException refused = await Assert.ThrowsAsync<QuicException>(async () => await _endpoints.Client.ConnectAsync(Direct, impatient, Token));
        Assert.Equal(QuicErrorKind.ConnectionTimeout, refused.Kind);
        Assert.Equal(1, _endpoints.Server.ConnectionCount);
        Assert.False(_endpoints.ToClient.Held.ContainsKey(Direct));
        await SendAsync(client, server, 10_000);
    }

    private static QuicClientOptions Options => TestEndpoints.ClientOptions with { GimletPaths = true };

    private static QuicPathStatistics? Of(QuicConnection connection, QuicPath path) =>
        connection.GetPathStatistics().SingleOrDefault(p => p.Path == path);

    private static async Task SendAsync(QuicConnection from, QuicConnection to, int bytes)
    {
        QuicStream stream = await from.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        Task writing = stream.WriteAsync(new byte[bytes], completeWrites: true, Token).AsTask();
        Assert.Equal(bytes, (await (await to.AcceptStreamAsync(Token)).ReadAllAsync()).Length);
        await writing;
    }
}
