using Microsoft.Extensions.Logging;

namespace Gimlet.Worker;

/// <summary>Every log line of a worker. Ids are stable.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(500, LogLevel.Information, "Worker {WorkerId} is registered with {Rendezvous}; proven peer id: {PeerId}")]
    public static partial void Registered(ILogger logger, string workerId, Uri rendezvous, string peerId);

    [LoggerMessage(501, LogLevel.Warning, "The rendezvous is lost: {Reason}; next try in {RetryMs:0} ms")]
    public static partial void RendezvousLost(ILogger logger, string reason, double retryMs);

    [LoggerMessage(502, LogLevel.Information, "Offered: worker {PeerWorkerId}, peer id {PeerId}")]
    public static partial void Offered(ILogger logger, string peerWorkerId, string peerId);

    [LoggerMessage(503, LogLevel.Warning, "{Problem}")]
    public static partial void Trouble(ILogger logger, string problem);

    [LoggerMessage(504, LogLevel.Debug, "A connection of {Peer} is closed: {Reason}")]
    public static partial void Closed(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(505, LogLevel.Warning, "STUN server {Server}: {Outcome}: {Detail}")]
    public static partial void StunFailed(ILogger logger, string server, string outcome, string detail);

    [LoggerMessage(599, LogLevel.Error, "A handler of the application threw, or this is a bug; the worker goes on")]
    public static partial void Bug(ILogger logger, Exception exception);
}
