namespace Gimlet.Quic.Streams.Scheduling;

/// <summary>Frames of a stream, other than STREAM, that wait to be sent.</summary>
[Flags]
internal enum StreamFrames : byte
{
    None = 0,
    ResetStream = 1 << 0,
    StopSending = 1 << 1,
    MaxStreamData = 1 << 2,
    StreamDataBlocked = 1 << 3,
}

/// <summary>Frames of no stream that wait to be sent.</summary>
[Flags]
internal enum SetFrames : byte
{
    None = 0,
    MaxData = 1 << 0,
    DataBlocked = 1 << 1,

    /// <summary>MAX_STREAMS; shifted by the direction.</summary>
    MaxStreams = 1 << 2,
    MaxStreamsUnidirectional = MaxStreams << 1,

    /// <summary>STREAMS_BLOCKED; shifted by the direction.</summary>
    StreamsBlocked = 1 << 4,
    StreamsBlockedUnidirectional = StreamsBlocked << 1,
}
