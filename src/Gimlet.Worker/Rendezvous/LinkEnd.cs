namespace Gimlet.Worker.Rendezvous;

/// <summary>How a connection with the rendezvous ended, or why there was none.</summary>
/// <param name="Reason">In words.</param>
/// <param name="IsRefused">The rendezvous does not want this worker.</param>
/// <param name="IsTakenOver">Another process has registered under the same name.</param>
internal sealed record LinkEnd(string Reason, bool IsRefused = false, bool IsTakenOver = false);

/// <summary>What happens on a link. Called from the link's own task, one at a time.</summary>
internal interface IRendezvousEvents
{
    /// <summary>The WebSocket is open.</summary>
    void LinkOpened();

    /// <summary>A text frame, which is the receiver's. The next one is read when this one has been dealt with.</summary>
    Task LinkReceivedAsync(byte[] frame);

    /// <summary>It has ended, and is tried again.</summary>
    /// <param name="reason">In words.</param>
    /// <param name="retryIn">When.</param>
    void LinkClosed(string reason, TimeSpan retryIn);

    /// <summary>It has ended for good: another process has the worker's name.</summary>
    void LinkTakenOver();
}
