using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// Applications on both sides of a pair that open streams, write, read, reset, stop and send datagrams, each by its plan; and the naive model of what
/// must arrive: every byte in order, each end as the other side meant it, no datagram twice or changed.
/// </summary>
internal sealed class Traffic
{
    private readonly Talker _client;
    private readonly Talker _server;

    public Traffic(Pair pair, int seed, TrafficPlan client, TrafficPlan? server = null)
    {
        _client = new Talker(pair, pair.Client, new Random(seed + 1), client, Flows);
        _server = new Talker(pair, pair.Server, new Random(seed + 2), server ?? client with { }, Flows);
        pair.Client.Application = _client.Work;
        pair.Server.Application = _server.Work;
    }

    /// <summary>Every part of a stream that carries data, by stream and sender.</summary>
    public Dictionary<(long Stream, EndpointRole Sender), Flow> Flows { get; } = [];

    /// <summary>Whether everything was opened, and every part has come to its end at its receiver.</summary>
    public bool IsDone => _client.HasOpenedAll && _server.HasOpenedAll && Flows.Values.All(flow => flow.IsOver);

    /// <summary>Whether no stream is left on either side.</summary>
    public bool IsForgotten => _client.OpenStreams == 0 && _server.OpenStreams == 0;

    /// <summary>Bytes that were read on both sides.</summary>
    public long BytesRead => Flows.Values.Sum(flow => flow.Read);

    /// <summary>Datagrams that arrived, at client and server.</summary>
    public (int Client, int Server) DatagramsReceived => (_client.DatagramsReceived, _server.DatagramsReceived);

    /// <summary>Lets nobody read any more, or again.</summary>
    public void Pause(EndpointRole side, bool isPaused) => (side == EndpointRole.Client ? _client : _server).Pause(isPaused);

    /// <summary>What is not done, for a report.</summary>
    public string Describe() => string.Join('\n', Flows.Where(f => !f.Value.IsOver).Take(10).Select(f => $"  {f.Key}: {f.Value}"))
        + $"\n  opened all: {_client.HasOpenedAll} {_server.HasOpenedAll}";
}

/// <summary>One part of a stream: what its sender did, and what its receiver saw.</summary>
internal sealed class Flow(long key)
{
    /// <summary>Of the <see cref="Pattern"/>.</summary>
    public long Key { get; } = key;

    /// <summary>Bytes that the sender wrote.</summary>
    public long Written { get; set; }

    /// <summary>FIN behind <see cref="Written"/>.</summary>
    public bool IsFinished { get; set; }

    /// <summary>The sender's code, where it gave up.</summary>
    public long? ResetCode { get; set; }

    /// <summary>The receiver's code, where it did not want more.</summary>
    public long? StopCode { get; set; }

    /// <summary>Bytes that the receiver read.</summary>
    public long Read { get; set; }

    /// <summary>The receiver saw the end, or does not want to.</summary>
    public bool IsOver { get; set; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"written {Written}, finished {IsFinished}, reset {ResetCode}, stopped {StopCode}, read {Read}, over {IsOver}";
}
