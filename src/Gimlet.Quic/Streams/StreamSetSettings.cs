using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>What a connection permits its streams. Validated by whoever makes it from public options.</summary>
internal sealed record StreamSetSettings
{
    /// <summary>
    /// What a stream's window begins with. Slow start needs five round trips from 10 packets to 512 KiB, and the window doubles as fast as it
    /// does from then on: so it slows no peer down. A window is a promise and not memory, so an idle connection pays nothing; but 100 streams of
    /// a peer that is not read are a promise, too, and that is why it is not the maximum. quic-go begins with the same figure.
    /// </summary>
    public const long UsualInitialStreamWindow = 512 * 1024;

    /// <summary>The most that all streams together may have unread, in bytes.</summary>
    public long ConnectionWindow { get; init; } = 12 * 1024 * 1024;

    /// <summary>The most that one stream may have unread, in bytes.</summary>
    public long StreamWindow { get; init; } = 6 * 1024 * 1024;

    /// <summary>Bytes of all streams together that are kept until they are acknowledged; see <see cref="States.SendBudget"/>.</summary>
    public int SendBufferBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bidirectional streams that the peer may have open at once.</summary>
    public int MaxBidirectionalStreams { get; init; } = 100;

    /// <summary>Unidirectional streams that the peer may have open at once.</summary>
    public int MaxUnidirectionalStreams { get; init; } = 100;

    /// <summary>What a stream's window begins with, in bytes.</summary>
    public long InitialStreamWindow => Math.Min(StreamWindow, UsualInitialStreamWindow);

    /// <summary>What the connection's window begins with, in bytes.</summary>
    public long InitialConnectionWindow => ConnectionWindowFor(InitialStreamWindow);

    /// <summary>
    /// The connection's window that goes with a stream's: half as large again, so that one stream that is not read does not stop all others.
    /// </summary>
    public long ConnectionWindowFor(long streamWindow) => Math.Min(ConnectionWindow, streamWindow + (streamWindow / 2));

    /// <summary>Our transport parameters: the limits that the peer begins with.</summary>
    public TransportParameters AddTo(TransportParameters parameters) => parameters with
    {
        InitialMaxData = InitialConnectionWindow,
        InitialMaxStreamDataBidirectionalLocal = InitialStreamWindow,
        InitialMaxStreamDataBidirectionalRemote = InitialStreamWindow,
        InitialMaxStreamDataUnidirectional = InitialStreamWindow,
        InitialMaxStreamsBidirectional = MaxBidirectionalStreams,
        InitialMaxStreamsUnidirectional = MaxUnidirectionalStreams,
    };
}
