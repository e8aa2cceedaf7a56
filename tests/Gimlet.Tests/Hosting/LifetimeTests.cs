using System.Net;
using System.Net.Sockets;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

public sealed class LifetimeTests
{
    [Fact]
    public async Task Disposing_twice_is_once()
    {
        GimletNode node = await StartAsync();
        await node.DisposeAsync().AsTask().Within();
        await node.DisposeAsync().AsTask().Within();
        _ = Assert.Throws<ObjectDisposedException>(() => node.PublicAddress);
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => node.AcceptAsync(TestContext.Current.CancellationToken).Within());
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => node.ConnectAsync(AddressOf(node), null, cancellationToken: TestContext.Current.CancellationToken).Within());
        node.SetPublicAddress(null);
    }

    [Fact]
    public async Task Who_disposes_second_waits_for_the_end_as_well()
    {
        // The end takes a second: the server reads nothing, so what is queued for it cannot leave.
        var gate = new TaskCompletionSource();
        await using var server = new FakeServer(async connection =>
        {
            _ = await connection.RegisterAsync();
            await gate.Task;
        });
        GimletNode node = await StartAsync(Options() with { Servers = [server.Address] });
        int port = node.LocalPorts.IPv4;
        for (int i = 0; i < 2000; i++)
        {
            node.SetPublicAddress(new IPEndPoint(IPAddress.Parse("203.0.113.1"), 1 + i));
        }

        Task first = node.DisposeAsync().AsTask();
        await node.DisposeAsync().AsTask().Within();
        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        next.Bind(new IPEndPoint(IPAddress.Any, port));
        await first.Within();
        gate.SetResult();
    }

    [Fact]
    public async Task Disposing_while_dialling_ends_the_dial()
    {
        GimletNode node = await StartAsync();
        await using GimletNode deaf = await StartAsync();
        Task<GimletConnection> dial = node.ConnectAsync(AddressOf(deaf), deaf.Id, cancellationToken: TestContext.Current.CancellationToken);
        await node.DisposeAsync().AsTask().Within();
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => dial.Within());
    }

    [Fact]
    public async Task Disposing_while_somebody_waits_for_a_connection_ends_the_wait()
    {
        GimletNode node = await StartAsync();
        Task<GimletConnection> accept = node.AcceptAsync(TestContext.Current.CancellationToken);
        await node.DisposeAsync().AsTask().Within();
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => accept.Within());
    }

    [Fact]
    public async Task Disposing_while_connected_tells_the_peer()
    {
        GimletNode a = await StartAsync();
        await using GimletNode b = await StartAsync();
        (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b);
        await a.DisposeAsync().AsTask().Within();
        Assert.Equal("closed by the peer", await ofB.Closed.Within());
        _ = await ofA.Closed.Within();
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => ofA.PingAsync(TestContext.Current.CancellationToken).Within());
        Assert.Equal(GimletErrorKind.Transport, e.Kind);
        await ofA.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Cancelling_a_start_leaves_nothing_behind()
    {
        await using var stun = FakeStun.Silent();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<GimletNode> start = GimletNode.StartAsync(Options(stun.Name) with { Traversal = new TraversalOptions { StartGatherTimeout = Deadline } }, cancel.Token);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start.Within());
    }

    [Fact]
    public async Task Cancelling_a_dial_stops_it()
    {
        await using GimletNode node = await StartAsync();
        await using GimletNode deaf = await StartAsync();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<GimletConnection> dial = node.ConnectAsync(AddressOf(deaf), deaf.Id, cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.ConnectAsync(AddressOf(deaf), deaf.Id, cancellationToken: cancel.Token).Within());
    }

    [Fact]
    public async Task A_port_that_is_in_use_is_a_local_fault_or_only_a_wish()
    {
        await using GimletNode first = await StartAsync();
        int port = first.LocalPorts.IPv4;
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => StartAsync(Options() with { Port = port }));
        Assert.Equal(GimletErrorKind.LocalFault, e.Kind);
        await using GimletNode second = await StartAsync(Options() with { Port = port, PortIsPreference = true });
        Assert.NotEqual(port, second.LocalPorts.IPv4);
    }

    [Fact]
    public async Task An_event_handler_that_throws_does_not_end_the_node()
    {
        await using var stun = FakeStun.Seeing("203.0.113.7:4321");
        await using GimletNode a = await StartAsync(Options(stun.Name));
        a.PublicAddressChanged += static _ => throw new InvalidOperationException("a bad handler");
        a.SetPublicAddress(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("203.0.113.9"), 0));
        await using GimletNode b = await StartAsync();
        (GimletConnection connection, _) = await ConnectAsync(a, b);
        _ = await connection.PingAsync(TestContext.Current.CancellationToken).Within();
    }

    [Fact]
    public async Task An_unreachable_server_fails_the_start_in_time_and_is_named()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        var server = new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)closed.LocalEndPoint!).Port}");
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => StartAsync(Options() with { Servers = [server], ServerTimeout = TimeSpan.FromSeconds(1) }));
        Assert.Equal(GimletErrorKind.ServerUnreachable, e.Kind);
        Assert.Contains(server.ToString(), e.Message, StringComparison.Ordinal);
    }
}
