using Gimlet.Server.Relay;

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

    /// <summary>
    /// Relayed frames wait for this node: they are to be taken out and sent as binary frames, one after the other, until there are none; text goes
    /// before them. Called again whenever the queue was empty before. An output that carries text only lets them wait.
    /// </summary>
    /// <param name="queue">The node's queue, always the same.</param>
    void RelayReady(RelayQueue queue)
    {
    }

    /// <summary>Ends the WebSocket; called at most once. The host calls <see cref="RendezvousCore.Disconnected"/> when it is gone.</summary>
    /// <param name="code">The close code (docs/protocol.md section 2).</param>
    /// <param name="reason">The error code in words.</param>
    void Close(int code, string reason);
}
