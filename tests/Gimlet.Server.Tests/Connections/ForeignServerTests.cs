using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using Gimlet.Tests.Support;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>What a server that a ticket named cannot do to connections that go by another.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class ForeignServerTests
{
    private static readonly ConnectOptions RelayOnly = new() { Policy = PathPolicy.RelayOnly };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)] // the ticket is a stranger's
    [InlineData(true)] // the ticket is forged: it names another server of a peer that is connected
    public async Task A_foreign_server_does_not_get_what_is_relayed_to_a_peer_by_saying_that_it_has_the_peer(bool forged)
    {
        await using GimletServer home = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(home);
        await using GimletNode b = await StartAsync(home);
        (GimletConnection ofA, _) = await ConnectAsync(a, b, RelayOnly);

        using var stranger = NodeIdentity.Create();
        PeerId peer = forged ? b.Id : stranger.Id;
        var called = new TaskCompletionSource<FakeServer.Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var evil = new FakeServer(async connection =>
        {
            // It relays, as it says, and has frames of b.
            _ = await connection.RegisterAsync(new LimitsDescription { RelayFrameBytes = RelayFrame.MaxLength });
            while (await connection.ReceiveAsync() is not ConnectMessage)
            {
            }

            foreach (byte first in new byte[] { 0x40, 0xC0 })
            {
                byte[] frame = new byte[RelayFrame.SingleHeaderLength + 1200];
                RelayFrame.WritePeer(frame, b.Id);
                frame[RelayFrame.SingleHeaderLength] = first;
                await connection.SendBinaryAsync(frame);
            }

            // Answered after the frames before it were taken.
            await connection.SendAsync(new PingMessage { Id = 1 });
            while (await connection.ReceiveAsync() is not PongMessage)
            {
            }

            called.SetResult(connection);
            await connection.HoldAsync();
        });
        using var enough = new CancellationTokenSource();
        Task<GimletConnection> dial = a.ConnectAsync(new Ticket(peer, [evil.Address]), RelayOnly, enough.Token);
        FakeServer.Connection foreign = await called.Task.Within();
        _ = await ofA.PingAsync(Cancelled).Within();
        Assert.DoesNotContain(b.Id, foreign.RelayedTo);
        await enough.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.Within());
    }
}
