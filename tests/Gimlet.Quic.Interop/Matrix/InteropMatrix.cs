namespace Gimlet.Quic.Interop.Matrix;

/// <summary>
/// Every scenario with every peer in both roles. A cell that passed once stays required; one that cannot be says why, and is skipped with
/// these words.
/// </summary>
public static class InteropMatrix
{
    private const string NoSuchRequest = "ngtcp2's programs speak HTTP/3 only, where nothing asks for this";

    private const string QuicGoStays = "a quic-go 0.29 server goes on sending to the address of the handshake";

    private static readonly Row[] Rows =
    [
        new(Scenario.MutualHandshake),
        new(Scenario.RefusedCertificate),
        new(Scenario.NoApplicationProtocol),
        new(Scenario.HelloRetryRequest)
        {
            QuicGoServer = "quic-go's peer cannot be told which groups it takes, and takes the one that we offer first",
            QuinnServer = "quinn's peer cannot be told which groups it takes, and takes the one that we offer first",
        },
        new(Scenario.Aes256),
        new(Scenario.Retry),
        new(Scenario.VersionNegotiation),
        new(Scenario.ConnectAgain),
        new(Scenario.LargeDownload),
        new(Scenario.Transfers) { Ngtcp2Client = NoSuchRequest, Ngtcp2Server = NoSuchRequest },
        new(Scenario.ManyStreams),
        new(Scenario.OneWayStreams) { Ngtcp2Client = NoSuchRequest, Ngtcp2Server = NoSuchRequest },
        new(Scenario.SmallWindows),
        new(Scenario.Datagrams) { Ngtcp2Client = NoSuchRequest, Ngtcp2Server = NoSuchRequest },
        new(Scenario.KeyUpdateByThem) { Ngtcp2Server = "gtlsserver has no option for it" },
        new(Scenario.KeyUpdateByUs),
        new(Scenario.Rebind) { QuicGoServer = QuicGoStays },
        new(Scenario.Migration)
        {
            QuicGoClient = "quic-go 0.29 has no migration; its client on another socket is a rebinding",
            QuicGoServer = QuicGoStays,
            QuinnClient = "quinn 0.9 validates no path as a client; its client on another socket is a rebinding",
        },
        new(Scenario.LossOf1Percent),
        new(Scenario.LossOf5Percent),
        new(Scenario.ResetCode),
        new(Scenario.StopCode),
        new(Scenario.CloseByServer),
        new(Scenario.CloseByClient),
        new(Scenario.IdleTimeout),
        new(Scenario.StatelessReset) { Ngtcp2Server = "gtlsserver draws the key of its tokens anew at each start" },
        new(Scenario.Dissection),
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
