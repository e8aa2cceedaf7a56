namespace Gimlet.Server.Rendezvous;

/// <summary>
/// Where the core writes to one node. Contract: both methods may be called from any thread, also at the same time; neither
/// blocks, throws, or calls back into the core before it returns. What was sent before <see cref="Close"/> goes out before the close frame.
/// </summary>
internal interface ISessionOutput
{
    /// <summary>Queues one text frame.</summary>
    /// <param name="utf8">The frame; the output keeps it, the core never changes it afterwards.</param>
    /// <returns>False when the queue is full or closed: the core then gives this session up, and only this one.</returns>
    bool TrySend(ReadOnlyMemory<byte> utf8);

    /// <summary>Ends the WebSocket; called at most once. The host calls <see cref="RendezvousCore.Disconnected"/> when it is gone.</summary>
    /// <param name="code">The close code (docs/protocol.md section 2).</param>
    /// <param name="reason">The error code in words.</param>
    void Close(int code, string reason);
}
