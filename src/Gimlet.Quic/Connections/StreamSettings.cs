using Gimlet.Quic.Streams;

namespace Gimlet.Quic.Connections;

/// <summary>What the streams need of the connection's settings.</summary>
internal static class StreamSettings
{
    public static StreamSetSettings ToStreamSettings(this ConnectionSettings settings) => new()
    {
        ConnectionWindow = settings.ConnectionWindow,
        StreamWindow = settings.StreamWindow,
        SendBufferBytes = settings.SendBufferBytes,
        MaxBidirectionalStreams = settings.MaxBidirectionalStreams,
        MaxUnidirectionalStreams = settings.MaxUnidirectionalStreams,
    };
}
