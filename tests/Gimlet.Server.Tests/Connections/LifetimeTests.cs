using System.Diagnostics;
using Gimlet.Quic;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Connections;

/// <summary>Ends in every state. What they leave behind is counted by <see cref="ConnectionLeakTests"/>, which plays the same states.</summary>
[Collection(nameof(ConnectionsAlone))]
public sealed class LifetimeTests
{
    [Theory]
    [MemberData(nameof(States.All), MemberType = typeof(States))]
    public async Task A_node_can_be_disposed_in_every_state(string state)
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await States.PlayAsync(state, server);
    }

    [Fact]
    public async Task A_dial_that_is_cancelled_at_any_moment_leaves_no_connection_without_an_owner()
    {
        await using GimletServer server = await Servers.StartAsync(Generous);
        await using GimletNode a = await StartAsync(server);
        await using GimletNode b = await StartAsync(server);
        CancellationToken test = TestContext.Current.CancellationToken;
        int made = 0;
        for (int round = 0; round < 60; round++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(test);
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<GimletConnection> dial = a.ConnectAsync(b.Id, new ConnectOptions { Dialing = _ => gone.SetResult() }, cancel.Token);
            await gone.Task.Within();
            var clock = Stopwatch.StartNew();
            var spin = new SpinWait();
            while (clock.Elapsed < TimeSpan.FromMicroseconds(round * 200) && !dial.IsCompleted)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }

            await cancel.CancelAsync();
            try
            {
                GimletConnection connection = await dial.Within();
                made++;
                _ = await connection.PingAsync(test).Within();
                await connection.CloseAsync().Within();
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested && !test.IsCancellationRequested)
            {
                // As asked.
            }
        }

        // Whatever b was given has ended, and what comes next is the one that was dialled last.
        Assert.InRange(made, 0, 59);
        GimletConnection last = await a.ConnectAsync(b.Id, new ConnectOptions { Policy = PathPolicy.RelayOnly }, test).Within();
        await using QuicStream mark = await last.OpenStreamAsync(QuicStreamType.Unidirectional, test).Within();
        await mark.WriteAsync(new byte[1], test).Within();
        for (int i = 0; ; i++)
        {
            Assert.True(i <= 60, "more connections than dials");
            GimletConnection accepted = await b.AcceptAsync(test).Within();
            Task ended = accepted.Closed;
            Task<QuicStream> stream = accepted.AcceptStreamAsync(test).AsTask();
            if (await Task.WhenAny(ended, stream).Within() == stream && stream.IsCompletedSuccessfully)
            {
                break;
            }

            _ = await Record.ExceptionAsync(() => stream);
        }
    }

    [Fact]
    public async Task A_token_that_was_cancelled_before_dials_nobody()
    {
        await using GimletServer server = await Servers.StartAsync();
        await using GimletNode a = await StartAsync(server);
        await using LiveNode b = await LiveNode.RegisterAsync(server.HttpUrls[0]);
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => a.ConnectAsync(b.Node.Id, new CancellationToken(canceled: true)).Within());
        await using GimletNode c = await StartAsync(server);
        Task<GimletConnection> dial = c.ConnectAsync(b.Node.Id, TestContext.Current.CancellationToken);
        Assert.Equal(c.Id.ToString(), (await b.NextAsync<IncomingMessage>()).Peer);
        await c.DisposeAsync().Within();
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => dial.Within());
    }
}

/// <summary>The states in which a node may be disposed, each with what its users see then.</summary>
internal static class States
{
    public static TheoryData<string> All => [Dialling, Handshaking, Relayed, Upgrading, Direct, Racing, Transferring];

    private const string Dialling = "dialling";
    private const string Handshaking = "handshaking";
    private const string Relayed = "relayed";
    private const string Upgrading = "upgrading";
    private const string Direct = "direct";
    private const string Racing = "racing";
    private const string Transferring = "transferring";

    public static async Task PlayAsync(string state, GimletServer server)
    {
        CancellationToken test = TestContext.Current.CancellationToken;
        GimletNode a = await StartAsync(server);
        GimletNode b = await StartAsync(server);
        switch (state)
        {
            case Dialling:
                // A peer that asks its application, which says nothing.
                await using (LiveNode silent = await LiveNode.RegisterAsync(server.HttpUrls[0], accept: AcceptMode.OnAccept))
                {
                    Task<GimletConnection> dial = a.ConnectAsync(silent.Node.Id, test);
                    _ = await silent.NextAsync<IncomingMessage>();
                    await a.DisposeAsync().Within();
                    _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => dial.Within());
                }

                break;
            case Handshaking:
                // A peer that is introduced and never says a word of QUIC.
                await using (LiveNode silent = await LiveNode.RegisterAsync(server.HttpUrls[0]))
                {
                    Task<GimletConnection> dial = a.ConnectAsync(silent.Node.Id, test);
                    _ = await silent.NextAsync<IncomingMessage>();
                    _ = await silent.NextBinaryAsync();
                    await a.DisposeAsync().Within();
                    _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => dial.Within());
                }

                break;
            case Relayed:
            case Upgrading:
            case Direct:
                (GimletConnection ofA, GimletConnection ofB) = await ConnectAsync(a, b, new ConnectOptions { Policy = state == Relayed ? PathPolicy.RelayOnly : PathPolicy.RelayThenDirect });
                if (state == Direct)
                {
                    await ofA.OnPathAsync(PathKind.Direct);
                    await ofB.OnPathAsync(PathKind.Direct);
                }

                Task<QuicStream> stream = ofA.AcceptStreamAsync(test).AsTask();
                Task<GimletConnection> accept = a.AcceptAsync(test);
                await a.DisposeAsync().Within();
                Assert.Equal("the node was disposed", await ofA.Closed.Within());
                Assert.Equal("closed by the peer", await ofB.Closed.Within());
                _ = await Assert.ThrowsAsync<GimletException>(() => stream.Within());
                _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => accept.Within());
                break;
            case Racing:
                // The direct path never comes: the race waits for it.
                await using (GimletNode relayOnly = await StartAsync(server, static o => o with { AllowLoopback = false }))
                {
                    var options = new ConnectOptions { Race = new RaceOptions { DirectTimeout = TimeSpan.FromMinutes(1), Grace = TimeSpan.FromMinutes(1) } };
                    Task<GimletConnection> race = a.ConnectAsync(relayOnly.Id, options, test);
                    GimletConnection accepted = await relayOnly.AcceptAsync(test).Within();
                    await a.DisposeAsync().Within();
                    Exception? end = await Record.ExceptionAsync(() => race.Within());
                    Assert.True(end is null or ObjectDisposedException or GimletException { Kind: GimletErrorKind.Transport }, end?.ToString());
                    _ = await accepted.Closed.Within();
                }

                break;
            case Transferring:
                (GimletConnection from, GimletConnection to) = await ConnectAsync(a, b);
                await using (QuicStream writes = await from.OpenStreamAsync(QuicStreamType.Unidirectional, test).Within())
                {
                    Task<long> written = Bytes.WriteAsync(writes, long.MaxValue);
                    await using QuicStream reads = await to.AcceptStreamAsync(test).Within();
                    var some = new TaskCompletionSource();
                    Task<long> read = Bytes.ReadAsync(reads, count =>
                    {
                        if (count > 200_000)
                        {
                            _ = some.TrySetResult();
                        }
                    });
                    await some.Task.Within();
                    await a.DisposeAsync().Within();
                    Assert.NotNull(await Record.ExceptionAsync(() => written.Within()));
                    Assert.NotNull(await Record.ExceptionAsync(() => read.Within()));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(state), state, "no such state");
        }

        await a.DisposeAsync().Within();
        await b.DisposeAsync().Within();
    }
}
