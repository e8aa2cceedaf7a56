namespace Gimlet.Server.Workers;

/// <summary>Why WebSockets of workers end. The codes are those of RFC 6455 section 7.4.1; a reason has at most 123 bytes (section 5.5).</summary>
internal static class WorkerClose
{
    public const int Normal = 1000;
    public const int GoingAway = 1001;
    public const int PolicyViolation = 1008;
    public const int MessageTooBig = 1009;

    public const string TakenOver = "New connection from same worker ID";
    public const string ShuttingDown = "server shutting down";
    public const string TooSlow = "It does not read what it is sent";
    public const string NotProven = "The worker ID belongs to a peer ID, and this connection has not proven it in time";
    public const string NewcomersFull = "The worker ID belongs to a peer ID, and others are about to prove it";
    public const string NoPlace = "Too many workers";
}
