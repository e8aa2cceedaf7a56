using Gimlet.Signalling;

namespace Gimlet.Server;

/// <summary>What one node, one address and all together may ask of the server. Every refusal is typed and immediate.</summary>
public sealed record RendezvousLimits
{
    /// <summary>Bytes of one text frame; 16 KiB, twice a registration with 64 candidates and a proof each.</summary>
    public int MessageBytes { get; init; } = SignalProtocol.MaxMessageBytes;

    /// <summary>
    /// Text frames per second and session, sustained; 20. A call is one frame and a few candidates, so this is several calls
    /// per second, and 20,000 nodes at their limit still parse on two cores.
    /// </summary>
    public int MessagesPerSecond { get; init; } = 20;

    /// <summary>Frames a session may send at once after a quiet time; 100, so that a node with many calls can answer after a stall.</summary>
    public int MessageBurst { get; init; } = 100;

    /// <summary>
    /// Calls per minute a node may make; 60. A person makes a few; a program that holds connections to many peers comes back
    /// to all of them within minutes after its network returned.
    /// </summary>
    public int CallsPerMinute { get; init; } = 60;

    /// <summary>Calls per minute a node receives; 600, so that ten callers at their own limit do not lock a popular node.</summary>
    public int IncomingCallsPerMinute { get; init; } = 600;

    /// <summary>Calls that wait for one node's accept; 64. Beyond it callers are told <c>busy</c>, since nobody answers that many within the timeout.</summary>
    public int WaitingCallsPerNode { get; init; } = 64;

    /// <summary>Registered nodes per IPv4 address or IPv6 /64; 256, an office or a share of a carrier's NAT.</summary>
    public int NodesPerAddress { get; init; } = 256;

    /// <summary>
    /// WebSockets per IPv4 address or IPv6 /64 that have not registered yet; 32. A registration follows its connection by one
    /// round trip, so honest nodes reach this only when an office comes back all at once, and then their backoff spreads them.
    /// </summary>
    public int UnregisteredPerAddress { get; init; } = 32;

    /// <summary>Registered nodes in all; 20,000, about 1 GB of idle TLS WebSockets (47 KB each, measured).</summary>
    public int TotalNodes { get; init; } = 20_000;

    /// <summary>WebSockets that have not registered yet, in all; 2,000: what a restart of a full server sees within a jittered second or two.</summary>
    public int TotalUnregistered { get; init; } = 2_000;

    internal string? FindProblem()
    {
        foreach ((string name, int value, int least) in new[]
        {
            (nameof(MessageBytes), MessageBytes, 1024),
            (nameof(MessagesPerSecond), MessagesPerSecond, 1),
            (nameof(MessageBurst), MessageBurst, 1),
            (nameof(CallsPerMinute), CallsPerMinute, 1),
            (nameof(IncomingCallsPerMinute), IncomingCallsPerMinute, 1),
            (nameof(WaitingCallsPerNode), WaitingCallsPerNode, 1),
            (nameof(NodesPerAddress), NodesPerAddress, 1),
            (nameof(UnregisteredPerAddress), UnregisteredPerAddress, 1),
            (nameof(TotalNodes), TotalNodes, 1),
            (nameof(TotalUnregistered), TotalUnregistered, 1),
        })
        {
            if (value < least)
            {
                return $"Limits.{name} is {value}; it must be at least {least}.";
            }
        }

        return MessageBytes > SignalProtocol.MaxMessageBytes
            ? $"Limits.MessageBytes is {MessageBytes}; the protocol allows at most {SignalProtocol.MaxMessageBytes}."
            : null;
    }
}
