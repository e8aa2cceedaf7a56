using System.Net;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>
/// Who is connected, who waits, who is paired (docs/workers.md, "The registry"). No I/O, no clock, no lock: its owner calls it from one thread at a time. Per
/// connection: <see cref="Admit"/>, then <see cref="Open"/> once its output is attached, messages, and <see cref="Close"/> once, last, whatever came before.
/// </summary>
internal sealed class WorkerRegistry
{
    /// <summary>Connections that may be about to prove the peer id of one worker id, one per address; 4, so that a stranger with one address keeps nobody out.</summary>
    private const int NewcomersPerWorker = 4;

    private readonly IWorkerPairing _pairing;
    private readonly WorkerLimits _limits;
    private readonly AddressCensus _census;
    private readonly DepartedWorkers _departed;
    private readonly WorkerPairs _pairs = new();
    private readonly Dictionary<string, WorkerRecord> _records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<WorkerConnection>> _newcomers = new(StringComparer.Ordinal);

    // Two that could meet are offered to each other at once, so at most one waits at a point.
    private readonly Dictionary<(string? Group, string Point), WorkerRecord> _waiting = [];

    public WorkerRegistry(IWorkerPairing pairing, WorkerLimits limits)
    {
        _pairing = pairing;
        _limits = limits;
        _departed = new DepartedWorkers(limits);

        // A worker has no time of being unknown, so its census has one column.
        _census = new AddressCensus(new RendezvousLimits { TotalUnregistered = limits.Workers, UnregisteredPerAddress = limits.WorkersPerAddress });
    }

    /// <summary>Workers with a connection.</summary>
    public int Connected => _records.Count - _departed.Count;

    /// <summary>Workers that wait for another one.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Workers that left and are still known.</summary>
    public int Departed => _departed.Count;

    /// <summary>Offers made, in pairs.</summary>
    public long Offers { get; private set; }

    /// <summary>All records, in no order.</summary>
    public IReadOnlyCollection<WorkerRecord> Records => _records.Values;

    /// <summary>Names that are paired, whether they are here or not.</summary>
    public int PairedNames => _pairs.Count;

    public bool IsPaired(WorkerRecord record) => _pairs.Contains(record.Id);

    public string? PartnerOf(WorkerRecord record) => _pairs.PartnerOf(record.Id);

    /// <summary>Takes a place for a connection; null, or why there is none for it.</summary>
    public WorkerRefusal? Admit(WorkerConnection connection)
    {
        WorkerRecord? record = _records.GetValueOrDefault(connection.WorkerId);
        if (record?.Peer is not null && !HasRoomFor(connection))
        {
            return new WorkerRefusal(
                409, "id-held", $"Worker {connection.WorkerId} belongs to a peer id, and as many connections as may prove it are about to; come back in some seconds");
        }

        string? full = _census.TryEnter(connection.AddressGroup);
        connection.HasPlace = full is null;
        if (connection.HasPlace || record?.Connection?.AddressGroup == connection.AddressGroup)
        {
            // Without a place of its own it gets that of the connection it takes over.
            return null;
        }

        return full == ErrorCode.TooManyNodes
            ? new WorkerRefusal(503, "full", $"This rendezvous has as many workers as it takes ({_limits.Workers})")
            : new WorkerRefusal(429, "address-full", $"Your address has as many workers as one may have ({_limits.WorkersPerAddress})");
    }

    /// <summary>The connection is there: it takes over its worker id, or has to prove first that it may.</summary>
    public void Open(WorkerConnection connection, TimeSpan now)
    {
        WorkerRecord? record = _records.GetValueOrDefault(connection.WorkerId);
        if (record?.Peer is null)
        {
            Enter(connection, record, now);
        }
        else if (HasRoomFor(connection))
        {
            if (!_newcomers.TryGetValue(connection.WorkerId, out List<WorkerConnection>? newcomers))
            {
                newcomers = new List<WorkerConnection>(1);
                _newcomers[connection.WorkerId] = newcomers;
            }

            newcomers.Add(connection);
            connection.IsNewcomer = true;
        }
        else
        {
            // Others came between its request and its upgrade.
            _ = connection.Close(WorkerClose.PolicyViolation, WorkerClose.NewcomersFull);
        }
    }

    /// <summary>The connection is gone, whoever ended it; one that was taken over changes nothing of its successor.</summary>
    public void Close(WorkerConnection connection, TimeSpan now)
    {
        RemoveNewcomer(connection);
        if (connection.HasPlace)
        {
            connection.HasPlace = false;
            _census.Leave(connection.AddressGroup, registered: false);
        }

        if (connection.Record is not { } record)
        {
            return;
        }

        connection.Record = null;
        record.Connection = null;
        StopWaiting(record);
        if (_departed.Add(record, connection.AddressGroup, now) is { } forgotten)
        {
            Forget(forgotten);
        }
    }

    /// <summary>Forgets who left long ago; their pairings end with them.</summary>
    public void Tick(TimeSpan now)
    {
        while (_departed.Expired(now) is { } record)
        {
            Forget(record);
        }
    }

    public static void SetPublicIp(WorkerConnection connection, IPAddress address)
    {
        if (connection.Record is { } record)
        {
            record.ReportedIp = address;
        }
    }

    /// <summary>Stores an endpoint and says so; offers follow.</summary>
    public void SetEndpoint(WorkerConnection connection, TransportAddress endpoint, TimeSpan now)
    {
        if (connection.Record is not { } record)
        {
            connection.Send(WorkerAnswers.EndpointRefused(
                connection.IsNewcomer ? $"Worker {connection.WorkerId} belongs to a peer id: prove it first" : "This connection was taken over"));
            return;
        }

        bool isNewProcess = connection.MustResume && _pairs.Contains(record.Id);
        if (isNewProcess && !TakePairing(connection, record, now))
        {
            return;
        }

        connection.MustResume = false;
        record.Endpoint = endpoint;
        connection.Send(WorkerAnswers.EndpointStored);
        if (isNewProcess)
        {
            Unpair(record);
        }
        else
        {
            Wait(record);
        }
    }

    /// <summary>The connection has proven a peer id: it holds the worker id from now on, and is told so; offers follow.</summary>
    /// <param name="connection">Whose proof it is.</param>
    /// <param name="peer">The peer id.</param>
    /// <param name="now">The time.</param>
    /// <returns>Null, or why not.</returns>
    public string? Prove(WorkerConnection connection, PeerId peer, TimeSpan now)
    {
        WorkerRecord? record = _records.GetValueOrDefault(connection.WorkerId);
        if (connection.IsNewcomer)
        {
            if (record?.Peer is { } held && held != peer)
            {
                return $"Worker {connection.WorkerId} belongs to another peer id";
            }

            RemoveNewcomer(connection);
            Enter(connection, record, now);
        }

        if (connection.Record is not { } own)
        {
            return "This connection is closed";
        }

        if (own.Peer is { } before && before != peer)
        {
            return $"Worker {connection.WorkerId} belongs to another peer id";
        }

        bool isNews = own.Peer is null;
        own.Peer = peer;
        connection.Send(WorkerAnswers.Proven(peer));
        if (isNews)
        {
            // A policy may have another place for who is proven, or one at all.
            StopWaiting(own);
            Wait(own);
        }

        return null;
    }

    /// <summary>The worker is connected to another one already; who that is need not be here.</summary>
    /// <returns>False when this connection speaks for nobody.</returns>
    public bool Resume(WorkerConnection connection, string partner, TimeSpan now)
    {
        if (connection.Record is not { } record)
        {
            return false;
        }

        connection.MustResume = false;
        WorkerRecord? freed = null;
        if (_pairs.PartnerOf(record.Id) is { } before)
        {
            if (before == partner)
            {
                return true;
            }

            if (!TakePairing(connection, record, now))
            {
                return true;
            }

            freed = _pairs.Remove(record.Id) is { } left ? _records.GetValueOrDefault(left) : null;
        }

        StopWaiting(record);
        WorkerRecord? known = _records.GetValueOrDefault(partner);

        // Who is somebody else's partner stays that, who waits has said itself that it is free, and groups are closed to each other.
        if (_pairs.Contains(partner) || known?.WaitsAt is not null || (known is not null && known.Group != record.Group))
        {
            _pairs.AddHalf(record.Id, partner);
        }
        else
        {
            _pairs.Add(record.Id, partner);
        }

        // After the new pair is entered: whom the claim counts for is not met. One that still waits is, and it says itself where that is wrong.
        if (freed is not null)
        {
            Wait(freed);
        }

        return true;
    }

    /// <summary>The worker's connection to its partner is over: both wait again.</summary>
    /// <returns>False when this connection speaks for nobody.</returns>
    public bool EndPairing(WorkerConnection connection, TimeSpan now)
    {
        if (connection.Record is not { } record)
        {
            return false;
        }

        connection.MustResume = false;
        if (_pairs.Contains(record.Id) && TakePairing(connection, record, now))
        {
            Unpair(record);
        }

        return true;
    }

    /// <summary>Offers two workers to each other because somebody says so, in whatever state they are.</summary>
    /// <returns>Null, or why not.</returns>
    public WorkerRefusal? Introduce(string a, string b)
    {
        foreach (string id in (ReadOnlySpan<string>)[a, b])
        {
            if (!_records.ContainsKey(id))
            {
                return new WorkerRefusal(404, "by-hand", $"Worker {id} is not known");
            }
        }

        if (a == b)
        {
            return new WorkerRefusal(400, "by-hand", $"Worker {a} cannot be connected to itself");
        }

        WorkerRecord one = _records[a];
        WorkerRecord other = _records[b];
        foreach (WorkerRecord record in (ReadOnlySpan<WorkerRecord>)[one, other])
        {
            if (record.Connection is not { IsClosed: false })
            {
                return new WorkerRefusal(400, "by-hand", $"Worker {record.Id} is not connected");
            }
        }

        foreach (WorkerRecord record in (ReadOnlySpan<WorkerRecord>)[one, other])
        {
            if (record.Endpoint.IsEmpty)
            {
                return new WorkerRefusal(400, "by-hand", $"Worker {record.Id} has not reported a UDP endpoint");
            }
        }

        if (one.Group != other.Group)
        {
            return new WorkerRefusal(400, "by-hand", $"Workers {a} and {b} are not in the same group");
        }

        string? left = _pairs.Remove(a);
        string? alsoLeft = _pairs.Remove(b);
        one.Connection!.MustResume = false;
        other.Connection!.MustResume = false;
        StopWaiting(one);
        StopWaiting(other);
        Offer(one, other);
        foreach (string? id in (ReadOnlySpan<string?>)[left, alsoLeft])
        {
            if (id is not null && _records.TryGetValue(id, out WorkerRecord? free))
            {
                Wait(free);
            }
        }

        return null;
    }

    private bool HasRoomFor(WorkerConnection connection) =>
        !_newcomers.TryGetValue(connection.WorkerId, out List<WorkerConnection>? newcomers)
        || (newcomers.Count < NewcomersPerWorker && !newcomers.Exists(n => n.AddressGroup == connection.AddressGroup));

    private void RemoveNewcomer(WorkerConnection connection)
    {
        if (connection.IsNewcomer && _newcomers.TryGetValue(connection.WorkerId, out List<WorkerConnection>? newcomers) && newcomers.Remove(connection) && newcomers.Count == 0)
        {
            _ = _newcomers.Remove(connection.WorkerId);
        }

        connection.IsNewcomer = false;
    }

    // The connection becomes its worker's, in the place of whoever was that.
    private void Enter(WorkerConnection connection, WorkerRecord? record, TimeSpan now)
    {
        WorkerConnection? older = record?.Connection;
        if (!connection.HasPlace)
        {
            bool passesOn = older is { HasPlace: true } && older.AddressGroup == connection.AddressGroup;
            connection.HasPlace = passesOn || _census.TryEnter(connection.AddressGroup) is null;
            if (passesOn)
            {
                older!.HasPlace = false;
            }
            else if (!connection.HasPlace)
            {
                // The one it was to take over left, and somebody else has the place.
                _ = connection.Close(WorkerClose.PolicyViolation, WorkerClose.NoPlace);
                return;
            }
        }

        bool isReturn = record is not null && _pairs.Contains(record.Id);
        if (record is null)
        {
            record = new WorkerRecord(connection.WorkerId) { Pairings = TokenBucket.PerMinute(_limits.PairingsPerMinute, now) };
            _records.Add(record.Id, record);
        }
        else if (older is null)
        {
            _departed.Remove(record);
        }
        else
        {
            StopWaiting(record);
            older.Record = null;
            _ = older.Close(WorkerClose.Normal, WorkerClose.TakenOver);
        }

        record.Connection = connection;
        record.Group = connection.Group;
        record.Remote = connection.Remote;
        record.ReportedIp = null;
        record.Endpoint = default;
        connection.Record = record;
        connection.MustResume = isReturn;
        if (_pairs.PartnerOf(record.Id) is { } partner && _records.TryGetValue(partner, out WorkerRecord? other) && other.Group != record.Group)
        {
            // In another group it is not the one that its partner means; the partner's own word stays, unless this was a pairing made here.
            if (isReturn)
            {
                if (TakePairing(connection, record, now))
                {
                    Unpair(record);
                }
            }
            else
            {
                _pairs.RemoveHalf(record.Id);
            }
        }
    }

    private void Forget(WorkerRecord record)
    {
        _departed.Remove(record);
        _ = _records.Remove(record.Id);
        if (_pairs.Remove(record.Id) is { } partner && _records.TryGetValue(partner, out WorkerRecord? other))
        {
            Wait(other);
        }
    }

    // Whether the worker may end one more pairing; beyond its rate it is closed.
    private bool TakePairing(WorkerConnection connection, WorkerRecord record, TimeSpan now)
    {
        if (record.Pairings.TryTake(now))
        {
            return true;
        }

        _ = connection.Close(WorkerClose.PolicyViolation, $"More than {_limits.PairingsPerMinute} pairings a minute");
        return false;
    }

    // Both halves wait again, the one whose doing it is first.
    private void Unpair(WorkerRecord record)
    {
        string? partner = _pairs.Remove(record.Id);
        Wait(record);
        if (partner is not null && _records.TryGetValue(partner, out WorkerRecord? other))
        {
            Wait(other);
        }
    }

    // Waits where the policy says, or meets who waits there.
    private void Wait(WorkerRecord record)
    {
        if (record.Connection is not { IsClosed: false } || record.Endpoint.IsEmpty || record.WaitsAt is not null || _pairs.Contains(record.Id)
            || _pairing.MeetingPoint(record.Description) is not { } point)
        {
            return;
        }

        (string? Group, string Point) place = (record.Group, point);
        if (_waiting.TryGetValue(place, out WorkerRecord? first))
        {
            StopWaiting(first);
            if (first.Connection is { IsClosed: false })
            {
                Offer(first, record);
                return;
            }
        }

        _waiting.Add(place, record);
        record.WaitsAt = place;
    }

    private void StopWaiting(WorkerRecord record)
    {
        if (record.WaitsAt is { } place)
        {
            _ = _waiting.Remove(place);
            record.WaitsAt = null;
        }
    }

    private void Offer(WorkerRecord one, WorkerRecord other)
    {
        bool proven = one.Peer is not null && other.Peer is not null;
        _pairs.Add(one.Id, other.Id);
        Offers++;
        one.Connection!.Send(WorkerAnswers.Offer(other.Id, other.Endpoint, proven ? other.Peer : null));
        other.Connection!.Send(WorkerAnswers.Offer(one.Id, one.Endpoint, proven ? one.Peer : null));
    }
}
