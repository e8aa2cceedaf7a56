namespace Gimlet.Quic.Streams;

/// <summary>What a <see cref="StreamEvent"/> tells. Of one stream they come in the order of this list.</summary>
internal enum StreamEventKind
{
    /// <summary>The peer opened the stream.</summary>
    Opened = 0,

    /// <summary>There is data, or the end.</summary>
    Readable = 1,

    /// <summary>There is room again after a write that did not fit or that filled the buffer.</summary>
    Writable = 2,

    /// <summary>The peer does not read any more (STOP_SENDING); our part was reset with its code.</summary>
    PeerStopped = 3,

    /// <summary>The peer has everything, or knows that it will not come.</summary>
    SendDone = 4,

    /// <summary>The peer gave up its part (RESET_STREAM).</summary>
    PeerReset = 5,

    /// <summary>Both parts are over: the set has forgotten the stream. The last event of a stream.</summary>
    Closed = 6,

    /// <summary>A stream may be opened again, of <see cref="StreamEvent.Direction"/>.</summary>
    StreamsAvailable = 7,
}

/// <summary>One thing that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Stream">To which stream; null for <see cref="StreamEventKind.StreamsAvailable"/>.</param>
/// <param name="Direction">The stream's, or of which direction streams are available.</param>
internal readonly record struct StreamEvent(StreamEventKind Kind, QuicStreamState? Stream, StreamDirection Direction);
