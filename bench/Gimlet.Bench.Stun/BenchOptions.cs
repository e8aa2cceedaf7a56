using System.Globalization;

namespace Gimlet.Bench.Stun;

/// <summary>The arguments of the comparison.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Stun -- [--seconds 3] [--rounds 3] [--server-core 0] [--load-core 1] [--json]

        Measures STUN Binding answers per second of Gimlet's server and of coturn's turnserver (Debian's package coturn),
        one after the other on the same core, with the same load generator on another. Prints the median round of each.
        """;

    /// <summary>Length of a measured round; a warm-up of one second comes before it.</summary>
    public int Seconds { get; init; } = 3;

    /// <summary>Rounds per server, taken in turn so that a disturbance of the machine hits both.</summary>
    public int Rounds { get; init; } = 3;

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
                "--server-core" => options with { ServerCore = Number(0, 1023) },
                "--load-core" => options with { LoadCore = Number(0, 1023) },
                "--json" => options with { Json = true },
                _ => throw new FormatException($"Unknown argument {name}."),
            };
        }

        return options;
    }
}
