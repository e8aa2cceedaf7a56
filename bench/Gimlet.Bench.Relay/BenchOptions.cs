using Gimlet.Bench.Common;

namespace Gimlet.Bench.Relay;

/// <summary>The arguments of the comparison.</summary>
internal sealed record BenchOptions : CoturnBenchOptions
{
    public const string Usage = """
        dotnet run -c Release --project bench/Gimlet.Bench.Relay -- [--seconds 3] [--rounds 5] [--batch 63] [--size 1000] [--pairs 1000]
                                                                    [--server-core 0] [--load-core 1] [--json]

        Measures how many datagrams per second Gimlet's server relays over plain WebSockets, in frames of --batch datagrams (1: a frame each), and
        coturn's turnserver (Debian's package coturn) over UDP, one after the other on the same core, with a load generator on another. Prints the median round of each.
        Then the memory of --pairs idle pairs of nodes that have admitted each other (0: not measured).
        """;

    /// <summary>Datagrams per frame; 63 of 1,000 bytes fill the largest.</summary>
    public int Batch { get; init; } = 63;

    /// <summary>Bytes per datagram.</summary>
    public int Size { get; init; } = 1000;

    /// <summary>Idle pairs whose memory is measured; 0: none.</summary>
    public int Pairs { get; init; } = 1000;

    public static BenchOptions Parse(ArgumentReader reader)
    {
        var options = new BenchOptions { Rounds = 5 };
        while (reader.Read())
        {
            options = reader.Name switch
            {
                "--batch" => options with { Batch = reader.Number(1, 1000) },
                "--size" => options with { Size = reader.Number(20, 1400) },
                "--pairs" => options with { Pairs = reader.Number(0, 5000) },
                _ => (BenchOptions)options.WithCommon(reader),
            };
        }

        return RawNode.FrameLength(options.Batch, options.Size) <= RawNode.MaxFrame
            ? options
            : throw new FormatException($"{options.Batch} datagrams of {options.Size} bytes do not fit a frame of {RawNode.MaxFrame} bytes.");
    }
}
