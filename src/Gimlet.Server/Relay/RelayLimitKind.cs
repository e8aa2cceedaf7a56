using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>The limits at which relayed datagrams are dropped and their sender is told.</summary>
internal enum RelayLimitKind
{
    /// <summary>The sender's bytes per second.</summary>
    Bytes,

    /// <summary>The sender's frames per second.</summary>
    Frames,

    /// <summary>The receiver's queue.</summary>
    Queue,
}

/// <summary>Their names on the wire.</summary>
internal static class RelayLimitNames
{
    public static string Of(RelayLimitKind kind) => kind switch
    {
        RelayLimitKind.Bytes => RelayLimit.BytesPerSecond,
        RelayLimitKind.Frames => RelayLimit.FramesPerSecond,
        _ => RelayLimit.Queue,
    };
}
