using System.Net;
using Gimlet.Connections;
using Gimlet.Hosting;
using Gimlet.Quic;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Connections;

/// <summary>A control stream whose peer is not a node that behaves.</summary>
public sealed class ControlStreamTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ping_to_a_peer_that_gives_no_credit_can_be_cancelled_wherever_it_waits()
    {
        var options = new GimletNodeOptions { Protocols = ["test"] };
        using var ofServer = new NodeQuicOptions(Keys.Large, options);
        using var ofClient = new NodeQuicOptions(Keys.Small, options);
        await using var server = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using QuicListener listener = server.Listen(ofServer.Server() with { StreamWindow = 0 });
        Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancelled).AsTask();
        await using QuicConnection connection = await client
            .ConnectAsync(server.LocalEndPoint!, ofClient.Client("test", Keys.Large.Id) with { SendBufferBytes = 64 }, Cancelled).AsTask().WaitAsync(Deadline, Cancelled);
        await using QuicConnection accepted = await accepting.WaitAsync(Deadline, Cancelled);
        QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, Cancelled);
        using var control = new ControlStream(new Owner(), instance: 1, PathPolicy.RelayThenDirect, TimeProvider.System);
        Task running = control.RunAsync(stream);

        // The first ones fill the buffer, one waits in its write, the others for their turn.
        using var cancel = new CancellationTokenSource();
        Task<TimeSpan>[] pings = [.. Enumerable.Range(1, 30).Select(i => control.PingAsync((uint)i, cancel.Token))];
        Task sending = control.SendAsync(ControlMessages.Finding, new byte[RaceFinding.Length], cancel.Token);
        await cancel.CancelAsync();
        foreach (Task waiting in (Task[])[.. pings, sending])
        {
            _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline, Cancelled));
        }

        await connection.CloseAsync(0, cancellationToken: Cancelled);
        await running.WaitAsync(Deadline, Cancelled);
    }

    private sealed class Owner : IControlEvents
    {
        public void HelloReceived(ulong instance, bool usesDirect, bool usesRelay)
        {
        }

        public void PingReceived(uint sequence)
        {
        }

        public void FindingReceived(ReadOnlySpan<byte> payload)
        {
        }

        public void DecisionReceived(ReadOnlySpan<byte> payload)
        {
        }

        public void ControlEnded(Exception reason)
        {
        }
    }
}
