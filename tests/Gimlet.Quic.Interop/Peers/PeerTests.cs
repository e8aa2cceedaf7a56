namespace Gimlet.Quic.Interop.Peers;

/// <summary>
/// The foreign peers against each other: what a test of ours says about our own connection is worth as much as the programs it talks to.
/// </summary>
public sealed class PeerTests
{
    private const string QuicGo = "quic-go";
    private const string Quinn = "quinn";

    // Half as much again as the initial stream window of quic-go (512 KiB), and odd.
    private const long Length = 800_001;

    public static MatrixTheoryData<string, string> Pairs => new([QuicGo, Quinn], [QuicGo, Quinn]);

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Two_peers_prove_who_they_are(string client, string server)
    {
        using var ours = new PeerIdentity();
        using var theirs = new PeerIdentity();
        await using PeerServer serving = await ForeignPeer.Named(server).ServeAsync(theirs, "--client-ca-any");

        PeerResult result = await ForeignPeer.Named(client).RunAsync(serving.EndPoint, ours, "handshake");

        Assert.True(result.Ok, result.Text);
        Assert.Equal("gimlet-interop", result.Alpn);
        Assert.Equal(theirs.Sha256, result.PeerCertificateSha256);
        Assert.Equal(ours.Sha256, (await serving.WaitForEventAsync("connection")).PeerCertificateSha256);
        PeerResult closed = await serving.WaitForEventAsync("closed");
        Assert.Equal(("application", 0L), (closed.ErrorKind, closed.ErrorCode));
        Assert.True((await serving.StopAsync()).CpuSeconds > 0);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_client_without_a_certificate_is_refused(string client, string server)
    {
        using var theirs = new PeerIdentity();
        await using PeerServer serving = await ForeignPeer.Named(server).ServeAsync(theirs, "--client-ca-any");

        PeerResult result = await ForeignPeer.Named(client).RunAsync(serving.EndPoint, null, "get");

        // RFC 8446 section 4.4.2.4: certificate_required (116); Go says bad_certificate (42). Both as RFC 9001 section 4.8 carries alerts.
        Assert.Equal(("transport", server == QuicGo ? 0x100 + 42 : 0x100 + 116), (result.ErrorKind, result.ErrorCode));
    }

    public static MatrixTheoryData<string, string, string> Transfers => new([QuicGo, Quinn], [QuicGo, Quinn], ["get", "put", "echo", "call"]);

    [Theory]
    [MemberData(nameof(Transfers))]
    public async Task Bytes_arrive_as_they_were_sent(string client, string server, string scenario)
    {
        PeerResult result = await RunAsync(client, server, scenario, [], ["--bytes", $"{Length}"]);

        Assert.True(result.Ok, result.Text);
        Assert.Equal(Length, result.Bytes);
        Assert.Equal(InteropPattern.Sha256(Length), result.Sha256);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Streams_in_parallel_and_one_way(string client, string server)
    {
        PeerResult streams = await RunAsync(client, server, "streams", [], ["--count", "250", "--bytes", "5000"]);
        Assert.True(streams.Ok, streams.Text);
        Assert.Equal(250, streams.Count);

        PeerResult oneWay = await RunAsync(client, server, "uni", [], ["--count", "5", "--bytes", "20000"]);
        Assert.True(oneWay.Ok, oneWay.Text);
        Assert.Equal(5, oneWay.Count);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Datagrams_come_back_and_come(string client, string server)
    {
        PeerResult result = await RunAsync(client, server, "datagrams", [], ["--count", "100", "--size", "900", "--min-percent", "50"]);

        Assert.True(result.Ok, result.Text);
        Assert.Equal(200, result.Sent);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Keys_are_updated_on_the_way(string client, string server)
    {
        PeerResult result = await RunAsync(client, server, "keyupdate", [], ["--bytes", "500000"]);

        Assert.True(result.Ok, result.Text);
        Assert.True((client == Quinn ? result.KeyUpdates : result.Stat("key_updates")) >= 2, result.Text);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_client_moves_to_another_port(string client, string server)
    {
        Assert.SkipWhen(server == QuicGo, "quic-go 0.29 goes on sending to the address of the handshake: its connection dies with the move");
        // A client that moves while it only reads would wait for ever, if it were not for the keep-alive.
        PeerResult result = await RunAsync(client, server, "rebind", [], ["--bytes", "2000000", "--keep-alive-ms", "200"]);

        Assert.True(result.Ok, result.Text);
        Assert.Equal(2, result.Count);
    }

    public static MatrixTheoryData<string, string, string> Endings => new([QuicGo, Quinn], [QuicGo, Quinn], ["reset", "stop", "close"]);

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task A_code_reaches_the_other_side(string client, string server, string scenario)
    {
        PeerResult result = await RunAsync(client, server, scenario, [], ["--code", "1234567"]);

        Assert.True(result.Ok, result.Text);
        Assert.Equal(scenario == "close" ? "application" : "stream", result.ErrorKind);
        Assert.Equal(1234567, result.ErrorCode);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Small_windows_on_both_sides_and_a_retry(string client, string server)
    {
        string[] windows = ["--stream-window", "4096", "--connection-window", "6000"];
        PeerResult result = await RunAsync(client, server, "flow", ["--retry", .. windows], [.. windows, "--bytes", "30000", "--count", "5"]);

        Assert.True(result.Ok, result.Text);
        if (client == QuicGo)
        {
            Assert.Equal(1, result.Stat("retries"));
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Silence_ends_a_connection_and_many_begin(string client, string server)
    {
        PeerResult idle = await RunAsync(client, server, "idle", [], ["--idle-ms", "200"]);
        Assert.True(idle.Ok, idle.Text);
        Assert.Equal("timeout", idle.ErrorKind);

        PeerResult handshakes = await RunAsync(client, server, "handshakes", ["--no-tickets"], ["--count", "5"]);
        Assert.True(handshakes.Ok, handshakes.Text);
        Assert.Equal(5, handshakes.Count);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_server_that_forgot_everything_resets(string client, string server)
    {
        using var identity = new PeerIdentity();
        // 32 bytes: what quic-go takes.
        string[] options = ["--reset-key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"];
        ForeignPeer peer = ForeignPeer.Named(server);
        await using PeerServer first = await peer.ServeAsync(identity, options);
        // Datagrams without an end: quic-go answers no packet of 42 bytes or fewer with a reset, and a stream may be waiting for credit.
        Task<PeerResult> running = ForeignPeer.Named(client).RunAsync(first.EndPoint, null, "datagrams", "--count", "1000000000");
        // Not earlier: a client whose handshake is not confirmed sends long headers again, which draw no reset.
        await first.WaitForEventAsync("datagrams");
        await first.KillAsync();

        await using PeerServer second = await peer.ServeAsync(identity, [.. options, "--listen", first.EndPoint.ToString()]);
        PeerResult result = await running;

        Assert.Equal("stateless-reset", result.ErrorKind);
    }

    public static MatrixTheoryData<string, string> Benchmarks =>
        new([QuicGo, Quinn], ["bench-get", "bench-put", "bench-streams", "bench-datagrams", "bench-handshakes"]);

    [Theory]
    [MemberData(nameof(Benchmarks))]
    public async Task Benchmarks_measure_something(string peer, string scenario)
    {
        PeerResult result = await RunAsync(
            peer, peer, scenario, ["--quiet", "--no-tickets", "--client-ca-any"], ["--seconds", "0.2", "--streams", "20", "--parallel", "2"]);

        Assert.True(result.Ok, result.Text);
        Assert.True(result.CpuSeconds > 0, result.Text);
        Assert.True(scenario == "bench-handshakes" ? result.Count > 0 : result.Bytes > 0, result.Text);
    }

    private static async Task<PeerResult> RunAsync(
        string client, string server, string scenario, IReadOnlyList<string> serverOptions, IReadOnlyList<string> clientOptions)
    {
        using var identity = new PeerIdentity();
        await using PeerServer serving = await ForeignPeer.Named(server).ServeAsync(identity, serverOptions);
        return await ForeignPeer.Named(client).RunAsync(serving.EndPoint, identity, scenario, clientOptions);
    }
}
