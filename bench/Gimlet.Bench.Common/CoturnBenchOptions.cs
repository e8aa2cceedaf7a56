using System.Globalization;

namespace Gimlet.Bench.Common;

/// <summary>The arguments of every comparison with coturn.</summary>
public abstract record CoturnBenchOptions
{
    /// <summary>Length of a measured round; a warm-up of one second comes before it.</summary>
    public int Seconds { get; init; } = 3;

    /// <summary>Rounds per server, taken in turn so that a disturbance of the machine hits both.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>The core of the server under test.</summary>
    public string ServerCore { get; init; } = "0";

    /// <summary>The core of the load generator.</summary>
    public string LoadCore { get; init; } = "1";

    public bool Json { get; init; }

    /// <summary>These options with the argument that was just read.</summary>
    /// <exception cref="FormatException">Its value is wrong, or it is none of those that all comparisons have.</exception>
    protected CoturnBenchOptions WithCommon(ArgumentReader reader) => reader.Name switch
    {
        "--seconds" => this with { Seconds = reader.Number(1, 60) },
        "--rounds" => this with { Rounds = reader.Number(1, 20) },
        "--server-core" => this with { ServerCore = Core(reader) },
        "--load-core" => this with { LoadCore = Core(reader) },
        "--json" => this with { Json = true },
        _ => throw reader.Unknown(),
    };

    private static string Core(ArgumentReader reader) => reader.Number(0, 1023).ToString(CultureInfo.InvariantCulture);
}
