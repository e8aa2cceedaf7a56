using System.Collections.Concurrent;
using System.Net;
using Gimlet.Server.Observability;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>
/// The workers' rendezvous without sockets, tasks, timers or a clock: connections and text frames go in, text frames and closes come out through each connection's
/// <see cref="IWorkerOutput"/>. <c>now</c> is a time since any fixed origin.
/// <para>
/// Order per connection: <see cref="TryAdmit"/>, <see cref="Open"/> once, <see cref="Handle"/> as frames come, never two at the same time, <see cref="Disconnected"/>
/// once, last. Different connections may be handled on different threads at once: what is expensive, reading JSON and checking signatures, happens outside of the
/// one lock around the registry. <see cref="Tick"/> is called from one thread at a time, about every second.
/// </para>
/// </summary>
internal sealed class WorkerRendezvous(WorkerRendezvousOptions options)
{
    private readonly Lock _gate = new();
    private readonly WorkerRegistry _registry = new(options.Pairing, options.Limits);
    private readonly ConcurrentDictionary<long, WorkerConnection> _connections = new();
    private long _numbers;
    private volatile bool _closing;

    /// <summary>WebSockets, whether they have a worker's place yet or not.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Names that are paired, of workers that are here or not.</summary>
    public int PairedNames
    {
        get
        {
            lock (_gate)
            {
                return _registry.PairedNames;
            }
        }
    }

    public WorkerCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return Count();
            }
        }
    }

    /// <summary>Takes a place for a worker that asks to come in.</summary>
    /// <param name="info">Who it is.</param>
    /// <param name="now">The time.</param>
    /// <param name="refusal">Why not.</param>
    /// <returns>The connection, for which <see cref="Disconnected"/> is owed; null when it is refused.</returns>
    public WorkerConnection? TryAdmit(in WorkerInfo info, TimeSpan now, out WorkerRefusal? refusal)
    {
        var connection = new WorkerConnection(Interlocked.Increment(ref _numbers), info, options.Limits, now);
        lock (_gate)
        {
            refusal = _registry.Admit(connection);
        }

        if (refusal is null)
        {
            return connection;
        }

        WorkerLog.Refused(options.Logger, info.WorkerId, info.Remote, refusal.Status, refusal.Detail);
        return null;
    }

    /// <summary>The WebSocket is there.</summary>
    public void Open(WorkerConnection connection, IWorkerOutput output, TimeSpan now)
    {
        connection.Attach(output);
        _connections[connection.Number] = connection;
        if (_closing)
        {
            // In the table before the look: CloseAll finds it, or it finds out.
            _ = connection.Close(WorkerClose.GoingAway, WorkerClose.ShuttingDown);
            return;
        }

        lock (_gate)
        {
            _registry.Open(connection, now);
        }

        WorkerLog.Connected(options.Logger, connection.Number, connection.WorkerId, connection.Group, connection.Remote);
    }

    /// <summary>A text frame. Never throws for anything a worker can send.</summary>
    public void Handle(WorkerConnection connection, ReadOnlySpan<byte> textFrame, TimeSpan now)
    {
        if (!Arrived(connection, textFrame.Length, now))
        {
            return;
        }

        WorkerMessage message = WorkerMessageReader.Read(textFrame);
        switch (message.Kind)
        {
            case WorkerMessageKind.RegisterPublicIp:
                RegisterPublicIp(connection, message.Ip);
                break;
            case WorkerMessageKind.UpdateUdpEndpoint:
                UpdateEndpoint(connection, message.UdpIp, message.UdpPort, now);
                break;
            case WorkerMessageKind.EchoRequest:
                connection.Send(WorkerAnswers.Echo(message.Payload, connection.WorkerId));
                break;
            case WorkerMessageKind.ProvePeerId:
                Prove(connection, message.PublicKey, message.Signature, now);
                break;
            case WorkerMessageKind.ResumePairing:
                Resume(connection, message.PeerWorkerId, now);
                break;
            case WorkerMessageKind.EndPairing:
                bool speaks;
                lock (_gate)
                {
                    speaks = _registry.EndPairing(connection, now);
                }

                if (!speaks)
                {
                    Ignored(connection, "it speaks for nobody yet");
                }

                break;
            default:
                Ignored(connection, message.Problem ?? "");
                break;
        }
    }

    /// <summary>A binary frame, which means nothing here.</summary>
    public void HandleBinary(WorkerConnection connection, int length, TimeSpan now)
    {
        if (Arrived(connection, length, now))
        {
            Ignored(connection, "it is a binary frame");
        }
    }

    /// <summary>The host saw a message that is longer than it reads: the connection ends.</summary>
    /// <param name="connection">Whose it is.</param>
    /// <param name="reason">What there is too much of; null for bytes.</param>
    public void HandleTooLarge(WorkerConnection connection, string? reason = null) =>
        Refuse(connection, WorkerClose.MessageTooBig, reason ?? $"A message has at most {options.Limits.MessageBytes} bytes");

    /// <summary>The WebSocket is gone, whoever ended it.</summary>
    public void Disconnected(WorkerConnection connection, TimeSpan now)
    {
        connection.MarkGone();

        // First of all: an application's policy that throws below must not leave a dead connection here.
        bool wasHere = _connections.TryRemove(connection.Number, out _);
        lock (_gate)
        {
            _registry.Close(connection, now);
        }

        if (wasHere)
        {
            WorkerLog.Left(options.Logger, connection.Number, connection.WorkerId, connection.Remote);
        }
    }

    /// <summary>Pings, and the ends of those that do not answer them or do not prove what they must.</summary>
    public void Tick(TimeSpan now)
    {
        WorkerLimits limits = options.Limits;
        foreach ((_, WorkerConnection connection) in _connections)
        {
            if (connection.IsClosed)
            {
                continue;
            }

            if (now - connection.HeardAt >= limits.DropAfter)
            {
                WorkerLog.Silent(options.Logger, connection.Number, connection.WorkerId, connection.Remote, now - connection.HeardAt);
                connection.Abort();
            }
            else if (connection.IsNewcomer && now - connection.OpenedAt >= limits.ProofTimeout)
            {
                Refuse(connection, WorkerClose.PolicyViolation, WorkerClose.NotProven);
            }
            else if (connection.TakePing(now, limits.PingAfter))
            {
                connection.Ping();
            }
        }

        lock (_gate)
        {
            _registry.Tick(now);
        }
    }

    /// <summary>Tells every worker that the server goes; who comes from now on is told the same.</summary>
    public void CloseAll()
    {
        _closing = true;
        foreach ((_, WorkerConnection connection) in _connections)
        {
            _ = connection.Close(WorkerClose.GoingAway, WorkerClose.ShuttingDown);
        }
    }

    /// <summary>Offers two workers to each other by hand; null, or why not.</summary>
    public WorkerRefusal? Introduce(string a, string b)
    {
        lock (_gate)
        {
            return _registry.Introduce(a, b);
        }
    }

    /// <summary>All that is known, by name.</summary>
    public (WorkerCounts Counts, List<WorkerView> Workers) Describe()
    {
        List<WorkerView> views;
        WorkerCounts counts;
        lock (_gate)
        {
            views = new List<WorkerView>(_registry.Records.Count);
            counts = Count();
            foreach (WorkerRecord record in _registry.Records)
            {
                views.Add(new WorkerView(
                    record.Id, StateOf(record), record.Group, record.Peer, _registry.PartnerOf(record), record.Remote, record.ReportedIp, record.Endpoint, record.Connection is not null));
            }
        }

        views.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id));
        return (counts, views);
    }

    private WorkerCounts Count()
    {
        int paired = 0;
        foreach (WorkerRecord record in _registry.Records)
        {
            paired += record.Connection is not null && _registry.IsPaired(record) ? 1 : 0;
        }

        return new WorkerCounts(_registry.Connected, _registry.Waiting, paired, _registry.Departed, _registry.Offers);
    }

    private string StateOf(WorkerRecord record) =>
        record.Connection is null ? "left" : _registry.IsPaired(record) ? "paired" : record.WaitsAt is not null ? "waiting" : "connected";

    private void RegisterPublicIp(WorkerConnection connection, string? text)
    {
        if (!WorkerAddress.TryReadIp(text, out IPAddress? address))
        {
            Ignored(connection, $"its ip is {WorkerAddress.Quote(text)}");
            return;
        }

        lock (_gate)
        {
            WorkerRegistry.SetPublicIp(connection, address);
        }
    }

    private void UpdateEndpoint(WorkerConnection connection, string? ip, string? port, TimeSpan now)
    {
        if (WorkerAddress.ReadEndpoint(ip, port, connection.Remote.IsLoopback, out TransportAddress endpoint) is { } problem)
        {
            connection.Send(WorkerAnswers.EndpointRefused(problem));
            return;
        }

        lock (_gate)
        {
            _registry.SetEndpoint(connection, endpoint, now);
        }
    }

    private void Prove(WorkerConnection connection, string? publicKey, string? signature, TimeSpan now)
    {
        if (options.Names is not { } names)
        {
            connection.Send(WorkerAnswers.NotProven("This rendezvous has no names that a proof could hold: it takes no peer ids"));
            return;
        }

        if (publicKey is null && signature is null)
        {
            byte[] nonce = new byte[WorkerProof.NonceLength];
            options.Nonces(nonce);
            connection.Nonce = nonce;
            connection.Send(WorkerAnswers.Challenge(nonce));
            return;
        }

        byte[]? asked = connection.Nonce;
        connection.Nonce = null;
        PeerId peer = default;
        string? problem = names.Serves(connection.Authority)
            ? WorkerProof.Check(connection.Authority, connection.WorkerId, asked, publicKey, signature, out peer)
            : $"This server does not answer for '{connection.Authority}'; {names.Remedy}";
        if (problem is null)
        {
            lock (_gate)
            {
                problem = _registry.Prove(connection, peer, now);
            }
        }

        if (problem is null)
        {
            WorkerLog.Proven(options.Logger, connection.Number, connection.WorkerId, peer);
        }
        else
        {
            if (connection.TakeMistake() > 0)
            {
                WorkerLog.NotProven(options.Logger, connection.Number, connection.WorkerId, connection.Remote, problem);
            }

            connection.Send(WorkerAnswers.NotProven(problem));
        }
    }

    private void Resume(WorkerConnection connection, string? partner, TimeSpan now)
    {
        if (!WorkerName.IsName(partner) || partner == connection.WorkerId)
        {
            Ignored(connection, $"its peer_worker_id is {WorkerAddress.Quote(partner)}");
            return;
        }

        bool speaks;
        lock (_gate)
        {
            speaks = _registry.Resume(connection, partner!, now);
        }

        if (!speaks)
        {
            Ignored(connection, "it speaks for nobody yet");
        }
    }

    // What every frame goes through, whatever is in it; false when it goes no further.
    private bool Arrived(WorkerConnection connection, int length, TimeSpan now)
    {
        if (connection.IsClosed)
        {
            return false;
        }

        connection.Heard(now);
        if (length > options.Limits.MessageBytes)
        {
            HandleTooLarge(connection);
            return false;
        }

        if (!connection.TakeMessage(now))
        {
            Refuse(connection, WorkerClose.PolicyViolation, $"More than {options.Limits.MessagesPerSecond} messages a second");
            return false;
        }

        return true;
    }

    private void Refuse(WorkerConnection connection, int code, string reason)
    {
        if (connection.Close(code, reason))
        {
            WorkerLog.Closed(options.Logger, connection.Number, connection.WorkerId, connection.Remote, reason);
        }
    }

    private void Ignored(WorkerConnection connection, string why)
    {
        if (connection.TakeMistake() is > 0 and int mistake)
        {
            WorkerLog.Ignored(options.Logger, connection.Number, connection.WorkerId, why, WorkerConnection.IsLastLogged(mistake) ? " Further ones are not logged." : "");
        }
    }
}

/// <summary>How many workers there are.</summary>
/// <param name="Connected">With a connection, in whatever state.</param>
/// <param name="Waiting">Of these, who wait for another one.</param>
/// <param name="Paired">Of these, who are paired.</param>
/// <param name="Departed">Who left and are still known.</param>
/// <param name="Offers">Pairs that were offered to each other since the start.</param>
internal readonly record struct WorkerCounts(int Connected, int Waiting, int Paired, int Departed, long Offers);
