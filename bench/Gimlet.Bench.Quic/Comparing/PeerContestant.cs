using System.Globalization;
using System.Text.Json;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Quic.Comparing;

/// <summary>A program of tests/peers: a server for all rounds, a client for each. Its README has the command line.</summary>
internal sealed class PeerContestant : Contestant
{
    private readonly BenchOptions _options;
    private readonly Workload _workload;
    private readonly string _program;
    private readonly string[] _common;
    private readonly PinnedProcess _server;
    private readonly string _address;

    public PeerContestant(string name, string program, BenchOptions options, Workload workload, Identity identity)
        : base(name)
    {
        _options = options;
        _workload = workload;
        _program = program;

        // quic-go searches up to 1,452 by itself, and any --mtu would stop that.
        string[] mtu = name == "quic-go" ? [] : ["--mtu", Settings.UdpPayload.ToString(CultureInfo.InvariantCulture)];
        _common =
        [
            "--cert", identity.CertificateFile, "--key", identity.KeyFile, "--cipher", "aes128",
            "--socket-buffer", Settings.SocketBufferBytes.ToString(CultureInfo.InvariantCulture), .. mtu,
        ];
        _server = PinnedProcess.Start(
            CoresFor(options, workload, isServer: true),
            program,
            ["server", .. name == "quic-go" ? _common.Where(static a => a is not ("--cipher" or "aes128")) : _common,
                "--client-ca-any", "--no-tickets", "--quiet", "--stop-on-stdin", "--max-streams", "200"]);
        _address = _server.ReadLine() is var line && line.StartsWith("listening ", StringComparison.Ordinal)
            ? line["listening ".Length..]
            : throw new InvalidOperationException($"{program} said '{line}'.");
    }

    public override Round Run(int seconds)
    {
        string[] scenario = _workload switch
        {
            Workload.Stream => ["bench-get"],
            Workload.Streams => ["bench-streams", "--streams", Settings.StreamCount.ToString(CultureInfo.InvariantCulture)],
            Workload.Datagrams => ["bench-datagrams", "--size", Settings.DatagramBytes.ToString(CultureInfo.InvariantCulture)],
            _ => ["bench-handshakes", "--parallel", Settings.ParallelHandshakes.ToString(CultureInfo.InvariantCulture)],
        };
        double before = _server.ProcessorTime.TotalSeconds;
        using PinnedProcess client = PinnedProcess.Start(
            CoresFor(_options, _workload, isServer: false),
            _program,
            ["client", "--connect", _address, .. _common, "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--do", .. scenario]);
        string line = client.ReadLine();
        double server = _server.ProcessorTime.TotalSeconds - before;
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement result = document.RootElement;
        return result.GetProperty("ok").GetBoolean()
            ? new Round(
                result.GetProperty("bytes").GetInt64(),
                result.GetProperty("count").GetInt64(),
                result.GetProperty("seconds").GetDouble(),
                server,
                result.GetProperty("cpu_seconds").GetDouble(),
                Allocated: null)
            : throw new InvalidOperationException($"{Name} failed: {line}");
    }

    public override void Dispose() => _server.Dispose();
}
