using Gimlet.Sockets;
using Microsoft.Extensions.Logging;

namespace Gimlet.Hosting;

/// <summary>Every log line of a node. Ids are stable; the call id is in every line about a call.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(100, LogLevel.Debug, "Node {Peer} bound UDP {IPv4Port} (IPv4) and {IPv6Port} (IPv6)")]
    public static partial void Bound(ILogger logger, PeerId peer, int ipv4Port, int ipv6Port);

    [LoggerMessage(104, LogLevel.Debug, "The rehearsal ended early: {Problem}. The first connection will be slower")]
    public static partial void RehearsalEnded(ILogger logger, string problem);

    [LoggerMessage(105, LogLevel.Warning, "The application's rehearsal failed. The first connection will be slower")]
    public static partial void RehearsalFailed(ILogger logger, Exception exception);

    [LoggerMessage(101, LogLevel.Information, "Public address {Address} from {Source}: {Explanation}")]
    public static partial void PublicAddressKnown(ILogger logger, TransportAddress address, PublicAddressSource source, string explanation);

    [LoggerMessage(102, LogLevel.Warning, "No STUN server answered ({Results}); looking for a fallback")]
    public static partial void NoStunAnswer(ILogger logger, string results);

    [LoggerMessage(103, LogLevel.Debug, "NAT: {Evidence}")]
    public static partial void NatKnown(ILogger logger, string evidence);

    [LoggerMessage(110, LogLevel.Information, "Registered with {Server}, which sees {Observed}")]
    public static partial void Registered(ILogger logger, Uri server, string observed);

    [LoggerMessage(111, LogLevel.Warning, "Server {Server} lost: {Reason} (failure {Failures} in a row)")]
    public static partial void ServerLost(ILogger logger, Uri server, string reason, int failures);

    [LoggerMessage(112, LogLevel.Warning, "Server {Server} says {Code}: {Detail}")]
    public static partial void ServerError(ILogger logger, Uri server, string code, string detail);

    [LoggerMessage(113, LogLevel.Debug, "A message of server {Server} was ignored: {Problem}")]
    public static partial void SignalIgnored(ILogger logger, Uri server, string problem);

    [LoggerMessage(114, LogLevel.Warning, "STUN server {Server} has no address: {Problem}")]
    public static partial void StunNameFailed(ILogger logger, string server, string problem);

    [LoggerMessage(120, LogLevel.Debug, "Call {Call} to {Peer}")]
    public static partial void Dialling(ILogger logger, CallId call, PeerId peer);

    [LoggerMessage(121, LogLevel.Information, "Call {Call} with {Peer}: direct path to {Remote} after {ElapsedMs:0.0} ms")]
    public static partial void Connected(ILogger logger, CallId call, PeerId peer, TransportAddress remote, double elapsedMs);

    [LoggerMessage(122, LogLevel.Information, "Call {Call}: path is now {Remote} ({Reason})")]
    public static partial void PathChanged(ILogger logger, CallId call, TransportAddress remote, string reason);

    [LoggerMessage(123, LogLevel.Warning, "Call {Call}: the path does not answer any more; trying others")]
    public static partial void PathLost(ILogger logger, CallId call);

    [LoggerMessage(124, LogLevel.Information, "Call {Call} failed ({Kind}): {Message}")]
    public static partial void CallFailed(ILogger logger, CallId call, string kind, string message);

    [LoggerMessage(125, LogLevel.Information, "Call {Call} ended: {End}")]
    public static partial void CallEnded(ILogger logger, CallId call, string end);

    [LoggerMessage(126, LogLevel.Warning, "Call {Call} from {Peer} dropped: nobody accepts")]
    public static partial void NobodyAccepts(ILogger logger, CallId call, PeerId peer);

    [LoggerMessage(127, LogLevel.Information, "Connection {Call} with {Peer} accepted for {Protocol}")]
    public static partial void Accepted(ILogger logger, CallId call, PeerId peer, string protocol);

    [LoggerMessage(128, LogLevel.Information, "Connection {Call} with {Peer} is over: {Reason}")]
    public static partial void ConnectionEnded(ILogger logger, CallId call, PeerId peer, string reason);

    [LoggerMessage(129, LogLevel.Warning, "A connection was closed: the key of {Peer} is not the one of the peer that called there")]
    public static partial void WrongPeer(ILogger logger, PeerId peer);

    [LoggerMessage(136, LogLevel.Warning, "A connection was closed: {Peer} has made no call for {Protocol} that it could come of")]
    public static partial void NotCalled(ILogger logger, PeerId peer, string protocol);

    [LoggerMessage(132, LogLevel.Information, "{Peer} has started again; its older connections are closed")]
    public static partial void PeerRestarted(ILogger logger, PeerId peer);

    [LoggerMessage(133, LogLevel.Information, "Connection {Call}: from {From} to {To} after {ElapsedMs:0.0} ms")]
    public static partial void PathMoved(ILogger logger, CallId call, string from, string to, double elapsedMs);

    [LoggerMessage(130, LogLevel.Debug, "A datagram to {Remote} was not sent: {Result}")]
    public static partial void NotSent(ILogger logger, TransportAddress remote, DatagramSendResult result);

    [LoggerMessage(131, LogLevel.Information, "The network has changed: {Count} host addresses")]
    public static partial void NetworkChanged(ILogger logger, int count);

    [LoggerMessage(134, LogLevel.Information, "This machine or process has slept; connections are looked after at once")]
    public static partial void Woke(ILogger logger);

    [LoggerMessage(135, LogLevel.Warning, "Server {Server} has dropped {Dropped} relayed datagrams of this node: {Explanation}")]
    public static partial void RelayLimited(ILogger logger, Uri server, long dropped, string explanation);

    [LoggerMessage(136, LogLevel.Information, "Server {Server} left: {Reason}")]
    public static partial void ServerLeft(ILogger logger, Uri server, string reason);

    [LoggerMessage(137, LogLevel.Information, "{Server} is the same server as {Other}, which takes its calls")]
    public static partial void ServersAreOne(ILogger logger, Uri server, Uri other);

    [LoggerMessage(140, LogLevel.Error, "A part of the node has failed; this is a bug in Gimlet")]
    public static partial void Bug(ILogger logger, Exception exception);
}
