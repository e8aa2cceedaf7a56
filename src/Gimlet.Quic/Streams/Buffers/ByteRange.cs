namespace Gimlet.Quic.Streams.Buffers;

/// <summary>Bytes of a stream.</summary>
/// <param name="Start">The first.</param>
/// <param name="End">Behind the last.</param>
internal readonly record struct ByteRange(long Start, long End)
{
    /// <summary>How many bytes these are.</summary>
    public long Length => End - Start;
}
