namespace Gimlet.Bench.Quic.Comparing;

/// <summary>One round of one contestant.</summary>
/// <param name="Bytes">Bytes that arrived.</param>
/// <param name="Count">Datagrams that arrived, or handshakes that were made.</param>
/// <param name="Seconds">The length of the round.</param>
/// <param name="ServerProcessor">Processor seconds of the server, user and system.</param>
/// <param name="ClientProcessor">Processor seconds of the client.</param>
/// <param name="Allocated">Managed bytes that both allocated; null where there is no such thing.</param>
internal sealed record Round(long Bytes, long Count, double Seconds, double ServerProcessor, double ClientProcessor, long? Allocated)
{
    private const double Gibibyte = 1L << 30;

    public double GigabitsPerSecond => Bytes * 8 / Seconds / 1e9;

    public double ProcessorPerGibibyte => (ServerProcessor + ClientProcessor) / (Bytes / Gibibyte);

    public double CountPerSecond => Count / Seconds;

    /// <summary>Handshakes that the server's core would make if it did nothing else.</summary>
    public double CountPerServerSecond => Count / ServerProcessor;

    public double ServerBusy => ServerProcessor / Seconds;
}
