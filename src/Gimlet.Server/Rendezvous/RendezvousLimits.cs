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

    /// <summary>
    /// Bytes per second that one node may have relayed, with one second's worth at once; 0 for no limit. 2,500,000: 20 Mbit/s, a few video streams in high
    /// definition, and fifty nodes at their limit at once fit the gigabit of a small server. It is meant for those without a direct path, and who knows
    /// all users of a server can take the limit away.
    /// </summary>
    public long RelayBytesPerSecond { get; init; } = 2_500_000;

    /// <summary>
    /// Binary frames per second of one node, with one second's worth at once; 20,000: ten times what the default of <see cref="RelayBytesPerSecond"/> needs where
    /// each frame has one datagram of 1,200 bytes, and small frames of one node still cost the server a fraction of a core.
    /// </summary>
    public int RelayFramesPerSecond { get; init; } = 20_000;

    /// <summary>
    /// Memory that frames may hold while they wait for one receiver; 512 KiB: 200 ms at the default of <see cref="RelayBytesPerSecond"/>, which is more
    /// than any path's round trip is worth waiting for. The oldest frame of the sender with the most goes first.
    /// </summary>
    public int RelayQueueBytes { get; init; } = 512 * 1024;

    /// <summary>
    /// The same for all receivers together; 256 MiB: 512 full queues. Beyond it each receiver has room for one frame of the largest size (64 KiB), so that
    /// those that do not read take nothing from those that do.
    /// </summary>
    public long RelayMemoryBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Peers that one node has admitted at a time; 1,024, about 100 KB where a node uses them all. The least recently used goes first, and comes back
    /// when either side calls or the node itself sends.
    /// </summary>
    public int RelayPeersPerNode { get; init; } = 1024;

    internal string? FindProblem()
    {
        foreach ((string name, long value, long least) in new[]
        {
            (nameof(MessageBytes), (long)MessageBytes, 1024L),
            (nameof(MessagesPerSecond), MessagesPerSecond, 1),
            (nameof(MessageBurst), MessageBurst, 1),
            (nameof(CallsPerMinute), CallsPerMinute, 1),
            (nameof(IncomingCallsPerMinute), IncomingCallsPerMinute, 1),
            (nameof(WaitingCallsPerNode), WaitingCallsPerNode, 1),
            (nameof(NodesPerAddress), NodesPerAddress, 1),
            (nameof(UnregisteredPerAddress), UnregisteredPerAddress, 1),
            (nameof(TotalNodes), TotalNodes, 1),
            (nameof(TotalUnregistered), TotalUnregistered, 1),
            (nameof(RelayFramesPerSecond), RelayFramesPerSecond, 1),

            // One frame that waits and one that comes: with less, every frame of the largest size would be dropped by the next.
            (nameof(RelayQueueBytes), RelayQueueBytes, 2 * RelayFrame.MaxLength),
            (nameof(RelayMemoryBytes), RelayMemoryBytes, 2 * RelayFrame.MaxLength),
            (nameof(RelayPeersPerNode), RelayPeersPerNode, 1),
        })
        {
            if (value < least)
            {
                return $"Limits.{name} is {value}; it must be at least {least}.";
            }
        }

        if (RelayBytesPerSecond is < 0 or (> 0 and < RelayFrame.MaxLength))
        {
            return $"Limits.RelayBytesPerSecond is {RelayBytesPerSecond}; it must be at least {RelayFrame.MaxLength}, one frame of the largest size, or 0 for no limit.";
        }

        return MessageBytes > SignalProtocol.MaxMessageBytes
            ? $"Limits.MessageBytes is {MessageBytes}; the protocol allows at most {SignalProtocol.MaxMessageBytes}."
            : null;
    }
}
