using Gimlet.Bench.Common;

namespace Gimlet.Bench.Quic;

/// <summary>The arguments of the comparison.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Quic -- [--seconds 3] [--rounds 3] [--warm-up 4] [--cores 0,1] [--json]
            [--only stream,streams,datagrams,handshakes] [--contestants bcl,libcrypto,sslstream,quic-go,quinn] [--quinn program] [--quic-go program]
        dotnet run -c Release --project bench/Gimlet.Bench.Quic -- --idle 10000 [--cores 0,1] [--json]

        Compares QUIC on the loopback: Gimlet with either packet protection, SslStream, quic-go and quinn, in turn, each as a server and a client
        process. The foreign programs come from tests/peers/build.sh, unless a path is given. --idle measures memory instead: so many
        connections on one endpoint.
        """;

    /// <summary>Length of a measured round.</summary>
    public int Seconds { get; init; } = 3;

    /// <summary>Rounds per contestant, taken in turn so that a disturbance of the machine hits all.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Processor seconds of both ends before the first round of what is compiled while it runs.</summary>
    public int WarmUp { get; init; } = 4;

    /// <summary>Two cores: both for both processes; for handshakes the first is the server's and the second the client's.</summary>
    public string Cores { get; init; } = "0,1";

    public IReadOnlyList<Workload> Workloads { get; init; } = Enum.GetValues<Workload>();

    public IReadOnlyList<string> Contestants { get; init; } = ["bcl", "libcrypto", "sslstream", "quic-go", "quinn"];

    public string? Quinn { get; init; }

    public string? QuicGo { get; init; }

    /// <summary>How many idle connections to measure; 0: none, but speed.</summary>
    public int Idle { get; init; }

    public bool Json { get; init; }

    public static BenchOptions Parse(ArgumentReader reader)
    {
        var options = new BenchOptions();
        while (reader.Read())
        {
            options = reader.Name switch
            {
                "--seconds" => options with { Seconds = reader.Number(1, 60) },
                "--rounds" => options with { Rounds = reader.Number(1, 50) },
                "--warm-up" => options with { WarmUp = reader.Number(1, 60) },
                "--cores" => options with { Cores = TwoCores(reader.Text()) },
                "--only" => options with { Workloads = [.. reader.Text().Split(',').Select(ParseWorkload)] },
                "--contestants" => options with { Contestants = reader.Text().Split(',') },
                "--quinn" => options with { Quinn = reader.Text() },
                "--quic-go" => options with { QuicGo = reader.Text() },
                "--idle" => options with { Idle = reader.Number(1, 50_000) },
                "--json" => options with { Json = true },
                _ => throw reader.Unknown(),
            };
        }

        return options;
    }

    private static Workload ParseWorkload(string text) =>
        Enum.TryParse(text, ignoreCase: true, out Workload workload) ? workload : throw new FormatException($"No such workload: {text}.");

    private static string TwoCores(string text) =>
        text.Split(',') is [var first, var second] && first != second && int.TryParse(first, out _) && int.TryParse(second, out _)
            ? text
            : throw new FormatException("--cores needs two different numbers, such as 0,1.");
}
