using Gimlet.Identity;
using Gimlet.Signalling;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Hosting.LocalNode;

namespace Gimlet.Tests.Hosting;

public sealed class LinkTests
{
    [Fact]
    public async Task A_node_registers_with_a_signature_over_the_host_and_port_that_it_dialled()
    {
        var registered = new TaskCompletionSource<RegisterMessage>();
        await using var server = new FakeServer(async connection =>
        {
            registered.SetResult(await connection.RegisterAsync());
            await connection.HoldAsync();
        });
        await using GimletNode node = await StartAsync(With(server));
        RegisterMessage register = await registered.Task.Within();
        Assert.True(P256.Verify(
            register.PublicKey,
            Statement.Registration($"127.0.0.1:{server.Address.Port}", new byte[32], register.PublicKey),
            register.Signature));
        Assert.Equal(node.Id, PeerId.FromPublicKey(register.PublicKey));
        Assert.Equal([server.Address], node.Ticket.Servers);
    }

    [Fact]
    public async Task A_node_comes_back_by_itself_whatever_ends_the_connection()
    {
        var third = new TaskCompletionSource();
        await using var server = new FakeServer(async connection =>
        {
            _ = await connection.RegisterAsync();
            switch (connection.Number)
            {
                case 1:
                    await connection.CloseAsync(SignalCloseCode.GoingAway, ErrorCode.ShuttingDown);
                    break;
                case 2:
                    connection.Abort();
                    break;
                case 3:
                    await connection.SendAsync(new byte[SignalProtocol.MaxMessageBytes + 1]);
                    await connection.HoldAsync();
                    break;
                default:
                    _ = third.TrySetResult();
                    await connection.HoldAsync();
                    break;
            }
        });
        var tooLong = new TaskCompletionSource();
        await using GimletNode node = await StartAsync(With(server));
        node.ServerStatusChanged += status =>
        {
            if (status.Detail.Contains("more than", StringComparison.Ordinal))
            {
                _ = tooLong.TrySetResult();
            }
        };
        await third.Task.Within();
        await tooLong.Task.Within();
    }

    [Fact]
    public async Task Every_server_may_refuse_but_one()
    {
        await using var refusing = new FakeServer(Refuse);
        await using var kind = new FakeServer(async connection =>
        {
            // The refusal is there long before.
            await connection.SendAsync(FakeServer.Challenge);
            _ = await connection.ReceiveAsync();
            await _refused.Task.Within();
            await connection.SendAsync(new RegisteredMessage());
            await connection.HoldAsync();
        });
        await using GimletNode node = await StartAsync(With(refusing, kind));
        Assert.NotEqual(default, node.Id);
    }

    [Fact]
    public async Task A_node_that_all_servers_refuse_says_so_at_once_with_the_remedy()
    {
        await using var first = new FakeServer(Refuse);
        await using var second = new FakeServer(Refuse);
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => StartAsync(With(first, second)));
        Assert.Equal(GimletErrorKind.RendezvousRejected, e.Kind);
        Assert.Contains("unauthorised", e.Message, StringComparison.Ordinal);
        Assert.Contains("token", e.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task What_is_no_Gimlet_server_is_unreachable_and_described(string? subprotocol)
    {
        await using var server = new FakeServer(connection => connection.HoldAsync(), subprotocol);
        GimletException e = await Assert.ThrowsAsync<GimletException>(() => StartAsync(With(server) with { ServerTimeout = TimeSpan.FromSeconds(2) }));
        Assert.Equal(GimletErrorKind.ServerUnreachable, e.Kind);
        Assert.Contains(server.Address.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_challenge_full_of_holes_and_garbage_does_not_keep_a_node_from_registering()
    {
        await using var server = new FakeServer(async connection =>
        {
            await connection.SendAsync("garbage"u8.ToArray());
            await connection.SendAsync(FakeServer.Challenge with { Stun = [null!, string.Empty, ":", ":0", "a b", ":99999"] });
            _ = Assert.IsType<RegisterMessage>(await connection.ReceiveAsync());
            await connection.SendAsync(new RegisteredMessage());
            await connection.SendAsync(new PingMessage { Id = 7 });
            await connection.HoldAsync();
        });
        await using GimletNode node = await StartAsync(With(server));
        await node.WaitForGatheringAsync(TestContext.Current.CancellationToken).Within();
        Assert.Equal(PublicAddressSource.Local, node.PublicAddress.Source);
    }

    [Fact]
    public async Task A_server_that_reads_nothing_does_not_hold_up_the_end_of_the_node()
    {
        var gate = new TaskCompletionSource();
        await using var server = new FakeServer(async connection =>
        {
            _ = await connection.RegisterAsync();
            await gate.Task;
        });
        GimletNode node = await StartAsync(With(server));
        for (int i = 0; i < 2000; i++)
        {
            node.SetPublicAddress(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("203.0.113.1"), 1 + i));
        }

        await node.DisposeAsync().AsTask().Within();
        gate.SetResult();
    }

    private readonly TaskCompletionSource _refused = new();

    private static GimletNodeOptions With(params FakeServer[] servers) => Options() with { Servers = [.. servers.Select(s => s.Address)] };

    private async Task Refuse(FakeServer.Connection connection)
    {
        await connection.SendAsync(FakeServer.Challenge);
        _ = await connection.ReceiveAsync();
        await connection.SendAsync(new ErrorMessage { Code = ErrorCode.Unauthorised, Detail = "not on the list" });
        await connection.CloseAsync(SignalCloseCode.PolicyViolation, ErrorCode.Unauthorised);
        _ = _refused.TrySetResult();
    }
}
