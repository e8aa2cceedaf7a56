using Gimlet.Sockets;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Observability;

/// <summary>
/// Every log line of the server, with stable event ids. 1 to 19 sessions, 20 to 39 calls, 40 to 59 the host (60 to 79: <see cref="WorkerLog"/>). A peer id of 32 zero
/// bytes means that the session has not registered. Levels: what one node does is debug, what an operator decides about is information and up.
/// </summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Debug, "Session {Session}: connected from {Remote}, dialled {Authority}.")]
    public static partial void Connected(ILogger logger, long session, TransportAddress remote, string authority);

    [LoggerMessage(2, LogLevel.Information, "Session {Session}: peer {Peer} registered from {Remote}, accepts {Accept}, {Candidates} candidates, agent '{Agent}'.")]
    public static partial void Registered(ILogger logger, long session, PeerId peer, TransportAddress remote, string accept, int candidates, string agent);

    [LoggerMessage(3, LogLevel.Information, "Session {Session}: peer {Peer} from {Remote} is refused: {Code}, {Detail}.")]
    public static partial void Refused(ILogger logger, long session, PeerId peer, TransportAddress remote, string code, string detail);

    [LoggerMessage(4, LogLevel.Information, "Session {Session}: peer {Peer} is replaced by session {Newer} from {Remote}.")]
    public static partial void Replaced(ILogger logger, long session, PeerId peer, long newer, TransportAddress remote);

    [LoggerMessage(5, LogLevel.Information, "Session {Session}: peer {Peer} at {Remote} left.")]
    public static partial void Left(ILogger logger, long session, PeerId peer, TransportAddress remote);

    [LoggerMessage(6, LogLevel.Warning, "Session {Session}: peer {Peer} at {Remote} does not read what it is sent; closed.")]
    public static partial void SlowSession(ILogger logger, long session, PeerId peer, TransportAddress remote);

    [LoggerMessage(7, LogLevel.Information, "Session {Session}: peer {Peer} at {Remote} was silent for {Silence}; closed.")]
    public static partial void SilentSession(ILogger logger, long session, PeerId peer, TransportAddress remote, TimeSpan silence);

    [LoggerMessage(8, LogLevel.Debug, "Session {Session}: peer {Peer} sent a message that cannot be used: {Detail}.")]
    public static partial void BadMessage(ILogger logger, long session, PeerId peer, string detail);

    [LoggerMessage(9, LogLevel.Debug, "Session {Session}: peer {Peer}: {Dropped} of {Count} candidates are nothing another node should be told; dropped.")]
    public static partial void CandidatesDropped(ILogger logger, long session, PeerId peer, int dropped, int count);

    [LoggerMessage(20, LogLevel.Information, "Call {Call}: {Caller} calls {Callee}, which is told and decides first.")]
    public static partial void CallWaits(ILogger logger, string call, PeerId caller, PeerId callee);

    [LoggerMessage(21, LogLevel.Information, "Call {Call}: {Caller} and {Callee} are introduced.")]
    public static partial void Introduced(ILogger logger, string call, PeerId caller, PeerId callee);

    [LoggerMessage(22, LogLevel.Information, "Call {Call}: {Caller} to {Callee} is rejected: {Reason}, {Detail}.")]
    public static partial void CallRejected(ILogger logger, string call, PeerId caller, PeerId callee, string reason, string detail);

    [LoggerMessage(23, LogLevel.Debug, "Call {Call}: {From} sends {Count} more candidates to {To}.")]
    public static partial void Trickled(ILogger logger, string call, PeerId from, PeerId to, int count);

    [LoggerMessage(24, LogLevel.Debug, "Call {Call}: a {Type} from {Peer} belongs to no live call of it; dropped.")]
    public static partial void UnknownCall(ILogger logger, string call, PeerId peer, string type);

    [LoggerMessage(25, LogLevel.Debug, "Call {Call}: {Callee} came back before it answered {Caller}, and is told again.")]
    public static partial void CallMoved(ILogger logger, string call, PeerId caller, PeerId callee);

    [LoggerMessage(26, LogLevel.Debug, "Call {Call}: {Caller} has given up; {Callee} is told.")]
    public static partial void HungUp(ILogger logger, string call, PeerId caller, PeerId callee);

    [LoggerMessage(40, LogLevel.Information, "The server is {Access}. STUN: {Stun}.")]
    public static partial void Started(ILogger logger, string access, string stun);

    [LoggerMessage(41, LogLevel.Information, "Shutting down; {Sessions} sessions are told and closed.")]
    public static partial void Stopping(ILogger logger, int sessions);

    [LoggerMessage(42, LogLevel.Information, "The access list '{Path}' changed: {Count} peers.")]
    public static partial void AccessListRead(ILogger logger, string path, int count);

    [LoggerMessage(43, LogLevel.Warning, "The access list '{Path}' cannot be used, the one before stays: {Reason}")]
    public static partial void AccessListKept(ILogger logger, string path, string reason);

    [LoggerMessage(44, LogLevel.Information, "The certificate '{Path}' changed: {Subject}, valid until {NotAfter}.")]
    public static partial void CertificateRead(ILogger logger, string path, string subject, DateTime notAfter);

    [LoggerMessage(45, LogLevel.Warning, "The certificate '{Path}' cannot be used, the one before stays: {Reason}")]
    public static partial void CertificateKept(ILogger logger, string path, string reason);

    [LoggerMessage(46, LogLevel.Error, "A sweep failed: this is a defect of the server.")]
    public static partial void SweepFailed(ILogger logger, Exception exception);
}
