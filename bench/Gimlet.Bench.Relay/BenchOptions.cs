using System.Globalization;

namespace Gimlet.Bench.Relay;

/// <summary>The arguments of the comparison.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Relay -- [--seconds 3] [--rounds 5] [--batch 63] [--size 1000] [--pairs 1000]
                                                                    [--server-core 0] [--load-core 1] [--json]

        Measures how many datagrams per second Gimlet's server relays over plain WebSockets, in frames of --batch datagrams (1: a frame each), and
        coturn's turnserver (Debian's package coturn) over UDP, one after the other on the same core, with a load generator on another. Prints the median round of each.
        Then the memory of --pairs idle pairs of nodes that have admitted each other (0: not measured).
        """;

    /// <summary>Length of a measured round; a warm-up of one second comes before it.</summary>
    public int Seconds { get; init; } = 3;

    /// <summary>Rounds per server, taken in turn so that a disturbance of the machine hits both.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Datagrams per frame; 63 of 1,000 bytes fill the largest.</summary>
    public int Batch { get; init; } = 63;

    /// <summary>Bytes per datagram.</summary>
    public int Size { get; init; } = 1000;

    public int Pairs { get; init; } = 1000;

    public int ServerCore { get; init; }

    public int LoadCore { get; init; } = 1;

    public bool Json { get; init; }

    public static BenchOptions Parse(string[] args)
    {
        var options = new BenchOptions();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            int Number(int least, int most) =>
                i + 1 < args.Length && int.TryParse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
                    ? value
                    : throw new FormatException($"{name} needs a number from {least} to {most}.");
            options = name switch
            {
                "--seconds" => options with { Seconds = Number(1, 60) },
                "--rounds" => options with { Rounds = Number(1, 20) },
                "--batch" => options with { Batch = Number(1, 1000) },
                "--size" => options with { Size = Number(20, 1400) },
                "--pairs" => options with { Pairs = Number(0, 5000) },
                "--server-core" => options with { ServerCore = Number(0, 1023) },
                "--load-core" => options with { LoadCore = Number(0, 1023) },
                "--json" => options with { Json = true },
                _ => throw new FormatException($"Unknown argument {name}."),
            };
        }

        return RawNode.FrameLength(options.Batch, options.Size) <= RawNode.MaxFrame
            ? options
            : throw new FormatException($"{options.Batch} datagrams of {options.Size} bytes do not fit a frame of {RawNode.MaxFrame} bytes.");
    }
}
