using Gimlet.Bench.Common;

namespace Gimlet.Bench.Stun;

/// <summary>The arguments of the comparison.</summary>
internal sealed record BenchOptions : CoturnBenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Stun -- [--seconds 3] [--rounds 3] [--server-core 0] [--load-core 1] [--json]

        Measures STUN Binding answers per second of Gimlet's server and of coturn's turnserver (Debian's package coturn),
        one after the other on the same core, with the same load generator on another. Prints the median round of each.
        """;

    public static BenchOptions Parse(ArgumentReader reader)
    {
        var options = new BenchOptions();
        while (reader.Read())
        {
            options = (BenchOptions)options.WithCommon(reader);
        }

        return options;
    }
}
