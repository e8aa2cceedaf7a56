namespace Gimlet.Server.Workers;

/// <summary>
/// Where the rendezvous writes to one worker. Contract: called from any thread, also at the same time; nothing here blocks, throws, or calls back into the
/// rendezvous before it returns. What was sent before <see cref="Close"/> goes out before the close frame.
/// </summary>
internal interface IWorkerOutput
{
    /// <summary>Queues one text frame.</summary>
    /// <param name="utf8">The frame; nobody changes it afterwards.</param>
    /// <returns>False when the queue is full or closed: this worker is then given up, and only this one.</returns>
    bool TrySend(ReadOnlyMemory<byte> utf8);

    /// <summary>Sends a WebSocket ping (RFC 6455 section 5.5.2), or none while something else is on its way.</summary>
    void Ping();

    /// <summary>Ends the WebSocket.</summary>
    /// <param name="code">The close code (RFC 6455 section 7.4).</param>
    /// <param name="reason">Why, at most 123 bytes.</param>
    void Close(int code, string reason);

    /// <summary>Cuts the connection: nobody is there who would read a close frame.</summary>
    void Abort();
}
