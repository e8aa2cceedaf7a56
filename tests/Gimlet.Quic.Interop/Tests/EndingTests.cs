using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>How streams and connections end before their time, and what the other side hears.</summary>
public sealed class EndingTests
{
    // More than two bytes as a variable-length integer.
    private const long Code = 1234567;

    // RFC 9114 section 8.1.
    private const long StreamCreationError = 0x103;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.ResetCode, MemberType = typeof(InteropMatrix))]
    public async Task A_reset_carries_its_code(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(handler: (_, stream, _) =>
            {
                stream.Abort(QuicAbortDirection.Write, Code);
                return Task.CompletedTask;
            });
            if (peer == Foreign.Ngtcp2)
            {
                AssertSaid(await Ngtcp2.DownloadAsync(server.EndPoint, ["/data"]), "frm rx", "RESET_STREAM", Hex(Code));
            }
            else
            {
                PeerResult result = await ForeignClient.RunAsync(peer, server.EndPoint, "reset", "--code", $"{Code}");
                Assert.Equal(("stream", Code), (result.ErrorKind, result.ErrorCode));
            }

            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        if (peer == Foreign.Ngtcp2)
        {
            await using QuicStream request = await client.Http!.RequestAsync("/data", isEnd: false);
            request.Abort(QuicAbortDirection.Write, Code);
            await foreign.Ngtcp2.WaitForAsync("frm rx", "RESET_STREAM", Hex(Code));
            return;
        }

        await using QuicStream order = await client.RequestAsync($"RESET {Code}", isEnd: false);
        QuicException reset = await Assert.ThrowsAsync<QuicException>(() => order.ReadExactlyAsync(new byte[1], Token).AsTask());
        Assert.Equal((QuicErrorKind.StreamAborted, Code), (reset.Kind, reset.ApplicationErrorCode));

        // And the other way round.
        await using QuicStream upload = await client.RequestAsync("PUT 1000000", isEnd: false);
        await upload.WriteAsync(new byte[1000], Token);
        upload.Abort(QuicAbortDirection.Write, Code + 1);
        PeerResult told = await foreign.Peer.WaitForEventAsync("request", e => e.ErrorKind is not null);
        Assert.Equal(("stream", Code + 1), (told.ErrorKind, told.ErrorCode));
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.StopCode, MemberType = typeof(InteropMatrix))]
    public async Task Stop_sending_carries_its_code(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            using var folder = new TemporaryFolder();
            await using var server = OurServer.Start(handler: async (_, stream, token) =>
            {
                await stream.ReadExactlyAsync(new byte[1], token);
                stream.Abort(QuicAbortDirection.Read, Code);
                await stream.DisposeAsync();
            });
            if (peer == Foreign.Ngtcp2)
            {
                string body = folder.PathOf("body");
                await File.WriteAllBytesAsync(body, new byte[20_000_000], Token);
                AssertSaid(await Ngtcp2.DownloadAsync(server.EndPoint, ["/data"], $"--data={body}"), "frm rx", "STOP_SENDING", Hex(Code));
            }
            else
            {
                PeerResult result = await ForeignClient.RunAsync(peer, server.EndPoint, "stop", "--code", $"{Code}");
                Assert.Equal(("stream", Code), (result.ErrorKind, result.ErrorCode));
            }

            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 20_000_000);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await using QuicStream download = peer == Foreign.Ngtcp2
            ? await client.Http!.RequestAsync("/data", isEnd: true)
            : await client.RequestAsync("GET 20000000", isEnd: true);
        await download.ReadExactlyAsync(new byte[1000], Token);
        download.Abort(QuicAbortDirection.Read, Code);
        if (peer == Foreign.Ngtcp2)
        {
            await foreign.Ngtcp2.WaitForAsync("frm rx", "STOP_SENDING", Hex(Code));
            return;
        }

        PeerResult told = await foreign.Peer.WaitForEventAsync("request", e => e.ErrorKind is not null);
        Assert.Equal(("stream", Code), (told.ErrorKind, told.ErrorCode));

        // And the other way round.
        await using QuicStream order = await client.RequestAsync($"STOP {Code}", isEnd: false);
        QuicException stopped = await Assert.ThrowsAsync<QuicException>(() => order.WritesClosed.WaitAsync(Token));
        Assert.Equal((QuicErrorKind.StreamAborted, Code), (stopped.Kind, stopped.ApplicationErrorCode));
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.CloseByServer, MemberType = typeof(InteropMatrix))]
    public async Task The_server_closes_with_a_code(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(handler: (connection, _, token) => connection.CloseAsync(Code, "as asked", token).AsTask());
            if (peer == Foreign.Ngtcp2)
            {
                AssertSaid(await Ngtcp2.DownloadAsync(server.EndPoint, ["/data"]), "frm rx", "CONNECTION_CLOSE(0x1d)", Hex(Code));
            }
            else
            {
                PeerResult result = await ForeignClient.RunAsync(peer, server.EndPoint, "close", "--code", $"{Code}");
                Assert.Equal(("application", Code), (result.ErrorKind, result.ErrorCode));
            }

            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        if (peer == Foreign.Ngtcp2)
        {
            // It closes when it must.
            await client.Http!.OpenSecondControlAsync();
        }
        else
        {
            _ = await client.RequestAsync($"CLOSE {Code}", isEnd: false);
        }

        QuicException closed = await client.Closed;
        long code = peer == Foreign.Ngtcp2 ? StreamCreationError : Code;
        Assert.Equal((QuicErrorKind.ConnectionAborted, code), (closed.Kind, closed.ApplicationErrorCode));
        Assert.Equal(peer == Foreign.Ngtcp2 ? "" : "as asked", closed.Reason);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.CloseByClient, MemberType = typeof(InteropMatrix))]
    public async Task The_client_closes_with_a_code(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start();
            _ = await ForeignClient.DownloadAsync(peer, server.EndPoint, 1);
            QuicException ended = await (await server.FirstConnection).Closed.WaitAsync(Token);
            Assert.Equal((QuicErrorKind.ConnectionAborted, peer == Foreign.Ngtcp2 ? Http3.NoError : 0), (ended.Kind, ended.ApplicationErrorCode));
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await client.DownloadAsync(1);
        await client.Connection.CloseAsync(Code, "enough", Token);
        if (peer == Foreign.Ngtcp2)
        {
            await foreign.Ngtcp2.WaitForAsync("frm rx", "CONNECTION_CLOSE(0x1d)", Hex(Code));
        }
        else
        {
            PeerResult closed = await foreign.Peer.WaitForEventAsync("closed");
            Assert.Equal(("application", Code), (closed.ErrorKind, closed.ErrorCode));
        }

        QuicException own = await client.Closed;
        Assert.Equal((QuicErrorKind.OperationAborted, Code), (own.Kind, own.ApplicationErrorCode));
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.IdleTimeout, MemberType = typeof(InteropMatrix))]
    public async Task Silence_ends_the_connection_on_both_sides(Foreign peer, Role role)
    {
        QuicException ended;
        if (role == Role.Client)
        {
            // Nothing is answered.
            await using var server = OurServer.Start(handler: (_, _, _) => Task.CompletedTask);
            if (peer == Foreign.Ngtcp2)
            {
                Assert.All((await Ngtcp2.DownloadAsync(server.EndPoint, ["/data"], "--timeout=1s")).Files.Values, Assert.Empty);
            }
            else
            {
                Assert.Equal("timeout", (await ForeignClient.RunAsync(peer, server.EndPoint, "idle", "--idle-ms", "1000")).ErrorKind);
            }

            ended = await (await server.FirstConnection).Closed.WaitAsync(Token);
        }
        else
        {
            string[] words = peer == Foreign.Ngtcp2 ? ["--timeout=1s"] : ["--idle-ms", "1000"];
            await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1, words);
            await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
            await client.DownloadAsync(1);
            ended = await client.Closed;
            if (peer != Foreign.Ngtcp2)
            {
                Assert.Equal("timeout", (await foreign.Peer.WaitForEventAsync("closed")).ErrorKind);
            }
        }

        // Ours was 30 s: the smaller of both counts.
        Assert.Equal(QuicErrorKind.ConnectionIdle, ended.Kind);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.StatelessReset, MemberType = typeof(InteropMatrix))]
    public async Task A_server_that_was_started_again_resets(Foreign peer, Role role)
    {
        byte[] key = [.. Enumerable.Range(0, QuicEndpointOptions.StatelessResetKeyLength).Select(i => (byte)i)];
        if (role == Role.Client)
        {
            QuicEndpointOptions options = Protocols.Endpoint with { StatelessResetKey = key };
            await using var first = OurServer.Start(endpoint: options, length: 100_000_000);
            await using var second = OurServer.Start(endpoint: options);

            // A process that died and one that came up after it, as the client sees them.
            var restart = new Every(100, WireDirection.ToServer, forwarder => forwarder.Retarget(second.EndPoint), times: 1);
            await using var wire = UdpForwarder.Start(first.EndPoint, restart);
            if (peer == Foreign.Ngtcp2)
            {
                AssertSaid(await Ngtcp2.DownloadAsync(wire.EndPoint, ["/data"]), "pkt rx", " SR ");
            }
            else
            {
                // Datagrams without an end: what draws a reset must be longer than it.
                PeerResult result = await ForeignServer.Named(peer).RunAsync(wire.EndPoint, identity: null, "datagrams", "--count", "1000000000");
                Assert.Equal("stateless-reset", result.ErrorKind);
            }

            Assert.Empty(second.Connections);
            return;
        }

        string[] words = ["--reset-key", Convert.ToHexStringLower(key)];
        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1, words);
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await client.DownloadAsync(1);
        await foreign.RestartAsync(words);
        Assert.Equal(QuicDatagramSendResult.Queued, client.Connection.SendDatagram(new byte[500]));
        Assert.Equal(QuicErrorKind.StatelessReset, (await client.Closed).Kind);
    }

    private static void AssertSaid(Ngtcp2Download download, params string[] parts) =>
        Assert.True(
            download.Said(parts),
            $"not said: {string.Join(" ... ", parts)}\n{string.Join('\n', download.Log)}");

    // As ngtcp2's log has it.
    private static string Hex(long code) => $"0x{code:x}";
}
