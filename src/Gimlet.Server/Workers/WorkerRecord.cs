using System.Net;
using Gimlet.Server.Rendezvous;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>What is known of one worker id. Belongs to the registry.</summary>
internal sealed class WorkerRecord(string id)
{
    public string Id { get; } = id;

    /// <summary>The connection that speaks for it; null when it left.</summary>
    public WorkerConnection? Connection { get; set; }

    public string? Group { get; set; }

    /// <summary>Where its WebSocket comes from, or came from.</summary>
    public TransportAddress Remote { get; set; }

    /// <summary>What it reported of itself; null until then.</summary>
    public IPAddress? ReportedIp { get; set; }

    /// <summary>Its UDP endpoint; empty until it reports one on this connection: another connection may be another process behind another mapping.</summary>
    public TransportAddress Endpoint { get; set; }

    /// <summary>The peer id that holds this worker id; while there is a connection, it has proven this.</summary>
    public PeerId? Peer { get; set; }

    /// <summary>The queue in which it waits; null while it does not.</summary>
    public (string? Group, string Point)? WaitsAt { get; set; }

    /// <summary>Pairings that it may end; they go with the name, not with the connection, or coming back would refill them.</summary>
    public TokenBucket Pairings;

    /// <summary>When it left; meaningless while it is connected.</summary>
    public TimeSpan LeftAt { get; set; }

    /// <summary>Its places among those that left.</summary>
    public LinkedListNode<WorkerRecord>? InAll { get; set; }

    public LinkedListNode<WorkerRecord>? InAddress { get; set; }

    public AddressGroup LeftFrom { get; set; }

    public WorkerDescription Description => new(Id, Group, Peer);
}
