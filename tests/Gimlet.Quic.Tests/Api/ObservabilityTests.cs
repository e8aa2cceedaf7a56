using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>What can be seen from outside: the meter, the key log, traces.</summary>
public sealed class ObservabilityTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("gimlet-quic").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task The_meter_counts_what_happened()
    {
        using var handshakes = new MeterReading("gimlet.quic.handshakes", "complete");
        using var sent = new MeterReading("gimlet.quic.sent");
        using var received = new MeterReading("gimlet.quic.received");
        using var datagrams = new MeterReading("gimlet.quic.datagrams.received");
        using var dropped = new MeterReading("gimlet.quic.datagrams.dropped", "malformed");
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        await stream.WriteAsync(new byte[100_000], completeWrites: true, Token);
        _ = await (await server.AcceptStreamAsync(Token)).ReadAllAsync();
        using var stranger = new System.Net.Sockets.UdpClient();
        _ = await stranger.SendAsync(new byte[] { 0xff, 1 }, endpoints.Server.LocalEndPoint, Token);
        await Eventually.TrueAsync(() => dropped.Value >= 1);
        Assert.True(handshakes.Value >= 2, $"{handshakes.Value}");
        Assert.True(sent.Value >= 100_000 && received.Value >= 100_000 && datagrams.Value >= 70, $"{sent.Value} {received.Value} {datagrams.Value}");
    }

    [Fact]
    public async Task Secrets_are_written_only_where_they_are_asked_for()
    {
        string file = Path.Combine(_directory, "keys");
        await using (var endpoints = TestEndpoints.Create(options: new QuicEndpointOptions { KeyLogFile = file, ShutdownLinger = TimeSpan.Zero }))
        {
            _ = await endpoints.ConnectAsync();
            string[] lines = await ReadSharedAsync(file);
            Assert.Equal(8, lines.Length);
            Assert.All(lines, l => Assert.Matches("^(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0) [0-9a-f]{64} ([0-9a-f]{64}|[0-9a-f]{96})$", l));
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task Each_connection_leaves_a_trace_at_both_ends()
    {
        string directory = Path.Combine(_directory, "traces");
        await using (var endpoints = TestEndpoints.Create(options: new QuicEndpointOptions { QlogDirectory = directory, ShutdownLinger = TimeSpan.Zero }))
        {
            _ = await endpoints.ConnectAsync();
        }

        string[] files = Directory.GetFiles(directory);
        Assert.Equal(2, files.Length);
        Assert.Contains(files, f => f.EndsWith("_client.sqlog", StringComparison.Ordinal));
        Assert.Contains(files, f => f.EndsWith("_server.sqlog", StringComparison.Ordinal));
        Assert.All(files, f => Assert.Contains("packet_sent", File.ReadAllText(f), StringComparison.Ordinal));
    }

    private static async Task<string[]> ReadSharedAsync(string path)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return (await reader.ReadToEndAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
