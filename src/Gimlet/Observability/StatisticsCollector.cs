using System.Diagnostics.Metrics;

namespace Gimlet.Observability;

/// <summary>
/// Counts what a node does. Thread-safe: one lock, taken once per event and never per packet, so that <see cref="GetStatistics"/> sees every number of the
/// same moment; listeners of the meter are called outside of it.
/// </summary>
/// <param name="isHeard">Meter and spans tell of it, which is for all nodes but those of a rehearsal: exporters would count calls that nobody made.</param>
internal sealed class StatisticsCollector(bool isHeard = true) : IDisposable
{
    private readonly long[] _sent = new long[2];
    private readonly long[] _received = new long[2];

    // What is open here is not in the meter, or not any more.
    private bool _isOut = !isHeard;

    /// <summary>Guards <see cref="Numbers"/> and the state of the calls and connections that count into them.</summary>
    internal Lock Gate { get; } = new();

    internal StatisticsNumbers Numbers { get; } = new();

    /// <summary>A call begins: a dial or an attempt to find paths that goes out, or a peer's call that is taken. A refused call is none.</summary>
    /// <param name="call">Its id.</param>
    /// <param name="peer">The other side.</param>
    /// <param name="direction">Who calls.</param>
    /// <param name="policy">The path policy in words (<c>relay-then-direct</c>, ...), for the span.</param>
    public CallRecord BeginCall(CallId call, PeerId peer, CallDirection direction, string policy)
    {
        lock (Gate)
        {
            if (direction == CallDirection.Outgoing)
            {
                Numbers.CallsOutgoing++;
            }
            else
            {
                Numbers.CallsIncoming++;
            }
        }

        Tell(direction == CallDirection.Outgoing ? GimletMeter.CallsOutgoing : GimletMeter.CallsIncoming);
        return new CallRecord(this, isHeard ? CallSpan.Start(call, peer, direction, policy) : default);
    }

    /// <summary>A connection is usable.</summary>
    /// <param name="direction">Who dialled.</param>
    /// <param name="path">The path that it begins on.</param>
    /// <param name="pathNumber">What tells that path from others of its kind.</param>
    public ConnectionRecord OpenConnection(CallDirection direction, PathKind path, int pathNumber)
    {
        lock (Gate)
        {
            Numbers.ConnectionsOpen++;
            if (direction == CallDirection.Outgoing)
            {
                Numbers.ConnectionsOpened++;
            }
            else
            {
                Numbers.ConnectionsAccepted++;
            }

            if (!_isOut)
            {
                GimletMeter.AddOpen(1);
            }
        }

        Tell(direction == CallDirection.Outgoing ? GimletMeter.ConnectionsOpened : GimletMeter.ConnectionsAccepted);
        return new ConnectionRecord(this, path, pathNumber);
    }

    /// <summary>Adds bytes of datagrams. Takes no lock: called once for each batch of datagrams.</summary>
    /// <param name="path">The kind of path.</param>
    /// <param name="sent">Bytes sent on it.</param>
    /// <param name="received">Bytes that came on it.</param>
    public void AddBytes(PathKind path, long sent, long received)
    {
        if (sent > 0)
        {
            _ = Interlocked.Add(ref _sent[(int)path], sent);
            if (isHeard)
            {
                GimletMeter.BytesSent.Add(sent, new KeyValuePair<string, object?>(GimletMeter.PathTag, GimletMeter.Text(path)));
            }
        }

        if (received > 0)
        {
            _ = Interlocked.Add(ref _received[(int)path], received);
            if (isHeard)
            {
                GimletMeter.BytesReceived.Add(received, new KeyValuePair<string, object?>(GimletMeter.PathTag, GimletMeter.Text(path)));
            }
        }
    }

    /// <summary>The port mapping has another state. Each <see cref="PortMappingState.Mapped"/> is a new mapping, also after another one; its renewals count from zero.</summary>
    /// <param name="state">The state.</param>
    public void SetPortMapping(PortMappingState state)
    {
        lock (Gate)
        {
            if (!_isOut)
            {
                GimletMeter.MovePortMapping(Numbers.PortMappingState, state);
            }

            Numbers.PortMappingState = state;
            if (state == PortMappingState.Mapped)
            {
                Numbers.PortMappingRenewals = 0;
            }
        }
    }

    /// <summary>The port mapping was renewed as it was. One that came back with another address or port is new: <see cref="SetPortMapping"/>.</summary>
    public void RenewPortMapping()
    {
        lock (Gate)
        {
            if (Numbers.PortMappingState != PortMappingState.Mapped)
            {
                return;
            }

            Numbers.PortMappingRenewals++;
        }

        Tell(GimletMeter.PortMappingRenewals);
    }

    /// <summary>
    /// One moment. The numbers of events fit together: a punch is never counted as succeeded before it is counted as attempted. Bytes are added without the
    /// lock; each of them is right by itself and never goes back.
    /// </summary>
    public NodeStatistics GetStatistics()
    {
        lock (Gate)
        {
            return new NodeStatistics
            {
                CallsOutgoing = Numbers.CallsOutgoing,
                CallsIncoming = Numbers.CallsIncoming,
                ConnectionsOpened = Numbers.ConnectionsOpened,
                ConnectionsAccepted = Numbers.ConnectionsAccepted,
                ConnectionsOpen = Numbers.ConnectionsOpen,
                PunchesAttempted = Numbers.PunchesAttempted,
                PunchesSucceeded = Numbers.PunchesSucceeded,
                PunchesFailed = Numbers.PunchesFailed,
                PunchesFailedByCause = Numbers.FailuresByCause(),
                RelayFallbacks = Numbers.RelayFallbacks,
                Upgrades = Numbers.Upgrades,
                Downgrades = Numbers.Downgrades,
                Migrations = Numbers.Migrations,
                PortMappingState = Numbers.PortMappingState,
                PortMappingRenewals = Numbers.PortMappingRenewals,
                BytesSentDirect = Interlocked.Read(ref _sent[(int)PathKind.Direct]),
                BytesReceivedDirect = Interlocked.Read(ref _received[(int)PathKind.Direct]),
                BytesSentRelay = Interlocked.Read(ref _sent[(int)PathKind.Relay]),
                BytesReceivedRelay = Interlocked.Read(ref _received[(int)PathKind.Relay]),
                TimeToFirstByte = Numbers.TimeToFirstByte.Snapshot(),
                TimeToDirect = Numbers.TimeToDirect.Snapshot(),
            };
        }
    }

    /// <summary>Takes what this node has open out of the meter, whose numbers are of the process. The statistics stay readable. Safe to call twice.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_isOut)
            {
                return;
            }

            _isOut = true;
            GimletMeter.AddOpen(-Numbers.ConnectionsOpen);
            GimletMeter.MovePortMapping(Numbers.PortMappingState, PortMappingState.None);
        }
    }

    /// <summary>Tells the meter of one event; called without the lock, as the next.</summary>
    internal void Tell(Counter<long> counter)
    {
        if (isHeard)
        {
            counter.Add(1);
        }
    }

    /// <summary>Tells the meter of a punch that failed.</summary>
    internal void TellFailure(RelayCause cause)
    {
        if (isHeard)
        {
            GimletMeter.PunchesFailed.Add(1, new KeyValuePair<string, object?>(GimletMeter.CauseTag, cause.ToCauseString()));
        }
    }

    /// <summary>Tells the meter how long something took.</summary>
    internal void Tell(Histogram<double> histogram, TimeSpan duration)
    {
        if (isHeard)
        {
            histogram.Record(duration.TotalSeconds);
        }
    }

    /// <summary>A connection has ended; called under the lock, once for each.</summary>
    internal void CloseConnection()
    {
        Numbers.ConnectionsOpen--;
        if (!_isOut)
        {
            GimletMeter.AddOpen(-1);
        }
    }
}
