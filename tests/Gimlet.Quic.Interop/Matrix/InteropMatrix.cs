namespace Gimlet.Quic.Interop.Matrix;

/// <summary>
/// Every scenario with every peer in both roles. A cell that passed once stays required; one that cannot be says why, and is skipped with these words.
/// </summary>
public static class InteropMatrix
{
    private const string NoSuchRequest = "ngtcp2's programs speak HTTP/3 only, where nothing asks for this";

    private static readonly Row[] Rows =
    [
        new(Scenario.MutualHandshake),
        new(Scenario.LargeDownload),
    ];

    /// <summary>The scenarios that have a row.</summary>
    public static IEnumerable<Scenario> Scenarios => Rows.Select(row => row.Scenario);

    /// <summary>The six cells of a scenario, as data of a theory.</summary>
    public static IEnumerable<TheoryDataRow<Foreign, Role>> Cells(Scenario scenario)
    {
        Row row = Rows.Single(row => row.Scenario == scenario);
        return
        [
            Cell(Foreign.QuicGo, Role.Client, row.QuicGoClient),
            Cell(Foreign.QuicGo, Role.Server, row.QuicGoServer),
            Cell(Foreign.Quinn, Role.Client, row.QuinnClient),
            Cell(Foreign.Quinn, Role.Server, row.QuinnServer),
            Cell(Foreign.Ngtcp2, Role.Client, row.Ngtcp2Client),
            Cell(Foreign.Ngtcp2, Role.Server, row.Ngtcp2Server),
        ];
    }

    private static TheoryDataRow<Foreign, Role> Cell(Foreign peer, Role role, string? impossible) => new(peer, role) { Skip = impossible };

    /// <summary>One scenario; a cell is required (null), or has the reason why it cannot be.</summary>
    private sealed record Row(Scenario Scenario)
    {
        public string? QuicGoClient { get; init; }

        public string? QuicGoServer { get; init; }

        public string? QuinnClient { get; init; }

        public string? QuinnServer { get; init; }

        public string? Ngtcp2Client { get; init; }

        public string? Ngtcp2Server { get; init; }
    }
}
