using System.Globalization;

namespace Gimlet.Bench.Workers;

/// <summary>The arguments of the measurement.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Workers -- [--workers 10000] [--at-once 64] [--idle 16] [--json]

        Registers workers at a rendezvous in a process of its own (an upgrade, an endpoint, its acknowledgement; 250 workers per source address, the server's
        limits as they are), and tells registrations per second and the memory of an idle worker. Lets them idle (--idle seconds, 0: not), then kills the server, starts it
        again, and tells how long it takes until all are back: each worker comes back after 1 s and a random part of another one, then of 3, of 7 and of 9 s.
        """;

    public int Workers { get; init; } = 10_000;

    /// <summary>Registrations that are under way at a time.</summary>
    public int AtOnce { get; init; } = 64;

    /// <summary>How long the idle workers are watched; 16 s have one ping for each.</summary>
    public int IdleSeconds { get; init; } = 16;

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
                "--workers" => options with { Workers = Number(1, 20_000) },
                "--at-once" => options with { AtOnce = Number(1, 1000) },
                "--idle" => options with { IdleSeconds = Number(0, 300) },
                "--json" => options with { Json = true },
                _ => throw new FormatException($"Unknown argument {name}."),
            };
        }

        return options;
    }
}
