using Gimlet.Sockets;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Observability;

/// <summary>
/// Every log line of the workers' rendezvous; 60 to 79 of the server's event ids. Names of workers and groups are of letters that cannot end a line; whatever else
/// a worker wrote is cut and cleaned (<c>PlainText</c>) before it comes here.
/// </summary>
internal static partial class WorkerLog
{
    [LoggerMessage(60, LogLevel.Information, "Worker connection {Connection}: {Worker} (group {Group}) connected from {Remote}.")]
    public static partial void Connected(ILogger logger, long connection, string worker, string? group, TransportAddress remote);

    [LoggerMessage(61, LogLevel.Information, "Worker connection {Connection}: {Worker} at {Remote} is gone.")]
    public static partial void Left(ILogger logger, long connection, string worker, TransportAddress remote);

    [LoggerMessage(62, LogLevel.Information, "Worker {Worker} from {Remote} is refused: {Status}, {Detail}.")]
    public static partial void Refused(ILogger logger, string worker, TransportAddress remote, int status, string detail);

    [LoggerMessage(63, LogLevel.Information, "Worker connection {Connection}: {Worker} at {Remote} is closed: {Reason}.")]
    public static partial void Closed(ILogger logger, long connection, string worker, TransportAddress remote, string reason);

    [LoggerMessage(64, LogLevel.Information, "Worker connection {Connection}: {Worker} at {Remote} was silent for {Silence}; cut.")]
    public static partial void Silent(ILogger logger, long connection, string worker, TransportAddress remote, TimeSpan silence);

    [LoggerMessage(65, LogLevel.Debug, "Worker connection {Connection}: {Worker} sent a message that is ignored: {Why}.{More}")]
    public static partial void Ignored(ILogger logger, long connection, string worker, string why, string more);

    [LoggerMessage(66, LogLevel.Information, "Worker connection {Connection}: {Worker} has proven peer id {Peer}.")]
    public static partial void Proven(ILogger logger, long connection, string worker, PeerId peer);

    [LoggerMessage(67, LogLevel.Information, "Worker connection {Connection}: {Worker} at {Remote} has proven no peer id: {Detail}.")]
    public static partial void NotProven(ILogger logger, long connection, string worker, TransportAddress remote, string detail);

    [LoggerMessage(68, LogLevel.Information, "The workers' rendezvous is on: {Access}.")]
    public static partial void Started(ILogger logger, string access);

    [LoggerMessage(69, LogLevel.Information, "Shutting down; {Workers} workers are told and closed.")]
    public static partial void Stopping(ILogger logger, int workers);
}
