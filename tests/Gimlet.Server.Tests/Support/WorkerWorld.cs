using System.Text;
using Gimlet.Identity;
using Gimlet.Server.Access;
using Gimlet.Server.Workers;
using Gimlet.Sockets;

namespace Gimlet.Server.Tests.Support;

/// <summary>A workers' rendezvous with a clock that the test moves.</summary>
internal sealed class WorkerWorld
{
    public const string Authority = "gimlet.example.org:443";

    private readonly Random _random = new(1);

    public WorkerWorld(Func<WorkerRendezvousOptions, WorkerRendezvousOptions>? with = null)
    {
        var options = new WorkerRendezvousOptions
        {
            Names = new ServedNames(["gimlet.example.org"], static _ => false),
            Nonces = _random.NextBytes,
            Logger = Log,
        };
        Core = new WorkerRendezvous(with?.Invoke(options) ?? options);
    }

    public WorkerRendezvous Core { get; }

    public LogLines Log { get; } = new();

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(5);

    public WorldWorker Connect(string id, string? group = null, string remote = "198.51.100.7:50000", string authority = Authority)
    {
        WorldWorker? worker = TryConnect(id, out WorkerRefusal? refusal, group, remote, authority);
        Assert.True(worker is not null, refusal?.Detail);
        return worker;
    }

    public WorldWorker? TryConnect(string id, out WorkerRefusal? refusal, string? group = null, string remote = "198.51.100.7:50000", string authority = Authority)
    {
        var info = new WorkerInfo { WorkerId = id, Group = group, Remote = TransportAddress.Parse(remote), Authority = authority };
        return Core.TryAdmit(info, Now, out refusal) is { } connection ? new WorldWorker(this, connection) : null;
    }

    /// <summary>A worker with an endpoint; the acknowledgement is read, offers are not.</summary>
    public WorldWorker Ready(string id, string? group = null, string remote = "198.51.100.7:50000", string udp = "203.0.113.7:41002")
    {
        WorldWorker worker = Connect(id, group, remote);
        worker.Report(udp);
        return worker;
    }

    /// <summary>Two workers that are paired; the offers are read.</summary>
    public (WorldWorker A, WorldWorker B) Pair(string a = "a", string b = "b", string? group = null)
    {
        (WorldWorker one, WorldWorker other) = (Ready(a, group), Ready(b, group));
        one.ShouldBeOffered(b);
        other.ShouldBeOffered(a);
        return (one, other);
    }

    /// <summary>Moves the clock, with a sweep at every second on the way.</summary>
    public void Advance(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        while (Now < end)
        {
            TimeSpan step = end - Now < TimeSpan.FromSeconds(1) ? end - Now : TimeSpan.FromSeconds(1);
            Now += step;
            Core.Tick(Now);
        }
    }

    /// <summary>Moves the clock while these workers answer pings.</summary>
    public void AdvanceAlive(double seconds, params WorldWorker[] workers)
    {
        for (int i = 0; i < (int)seconds; i++)
        {
            foreach (WorldWorker worker in workers)
            {
                worker.Connection.Heard(Now);
            }

            Advance(1);
        }
    }

    public WorkerView View(string id) => Core.Describe().Workers.Single(w => w.Id == id);

    public string StateOf(string id) => View(id).State;
}

/// <summary>One connection of a worker in a <see cref="WorkerWorld"/>.</summary>
internal sealed class WorldWorker
{
    private readonly WorkerWorld _world;

    public WorldWorker(WorkerWorld world, WorkerConnection connection)
    {
        _world = world;
        Connection = connection;
        Output = new FakeWorkerOutput();
        world.Core.Open(connection, Output, world.Now);
    }

    public WorkerConnection Connection { get; }

    public FakeWorkerOutput Output { get; }

    public void Send(string text) => _world.Core.Handle(Connection, Encoding.UTF8.GetBytes(text), _world.Now);

    public void Report(string udp)
    {
        TransportAddress address = TransportAddress.Parse(udp);
        Send($$"""{"type":"update_udp_endpoint","udp_ip":"{{address.ToIPAddress()}}","udp_port":{{address.Port}}}""");
        Output.ShouldSay("""{"type":"udp_endpoint_ack","status":"success"}""");
    }

    public void Resume(string partner) => Send($$"""{"type":"resume_pairing","peer_worker_id":"{{partner}}"}""");

    public void EndPairing() => Send("""{"type":"end_pairing"}""");

    public void Leave() => _world.Core.Disconnected(Connection, _world.Now);

    /// <summary>Asks for a challenge and answers it.</summary>
    public void Prove(NodeIdentity identity, string authority = WorkerWorld.Authority, string? workerId = null)
    {
        Send("""{"type":"prove_peer_id"}""");
        byte[] nonce = WorkerKeys.NonceOf(Output.Next());
        Send(WorkerKeys.Proof(identity, authority, workerId ?? Connection.WorkerId, nonce));
    }

    public void ShouldHaveProven(PeerId peer) => Output.ShouldSay($$"""{"type":"peer_id_proof","status":"success","peer_id":"{{peer}}"}""");

    public void ShouldBeOffered(string peer, string udp = "203.0.113.7:41002", PeerId? proven = null)
    {
        TransportAddress address = TransportAddress.Parse(udp);
        string id = proven is null ? "" : $",\"peer_id\":\"{proven}\"";
        Output.ShouldSay($$"""{"type":"p2p_connection_offer","peer_worker_id":"{{peer}}","peer_udp_ip":"{{address.ToIPAddress()}}","peer_udp_port":{{address.Port}}{{id}}}""");
    }

    public void ShouldBeClosed(int code, string reason)
    {
        Assert.Equal((code, reason, 1), (Output.CloseCode, Output.CloseReason, Output.Closes));
        Assert.True(Connection.IsClosed);
    }
}

/// <summary>Keeps what a worker was told; may be told to be full.</summary>
internal sealed class FakeWorkerOutput : IWorkerOutput
{
    private readonly Queue<string> _said = new();
    private readonly Lock _gate = new();

    public bool Full { get; set; }

    public int? CloseCode { get; private set; }

    public string? CloseReason { get; private set; }

    public int Closes { get; private set; }

    public int Pings { get; private set; }

    public bool IsAborted { get; private set; }

    public bool TrySend(ReadOnlyMemory<byte> utf8)
    {
        if (Full)
        {
            return false;
        }

        lock (_gate)
        {
            _said.Enqueue(Encoding.UTF8.GetString(utf8.Span));
        }

        return true;
    }

    public void Ping() => Pings++;

    public void Close(int code, string reason)
    {
        Assert.True(Encoding.UTF8.GetByteCount(reason) <= 123, "RFC 6455 section 5.5: a close frame has room for no more");
        (CloseCode, CloseReason) = (code, reason);
        Closes++;
    }

    public void Abort() => IsAborted = true;

    public string Next()
    {
        Assert.True(_said.TryDequeue(out string? text), "nothing was said");
        return text;
    }

    public void ShouldSay(string expected) => Assert.Equal(expected, Next());

    public void ShouldSayNothing() => Assert.Empty(_said);

    public string[] Drain()
    {
        string[] all = [.. _said];
        _said.Clear();
        return all;
    }
}

/// <summary>A worker's side of a proof.</summary>
internal static class WorkerKeys
{
    public static byte[] NonceOf(string challenge)
    {
        using var json = System.Text.Json.JsonDocument.Parse(challenge);
        Assert.Equal("peer_id_challenge", json.RootElement.GetProperty("type").GetString());
        byte[] nonce = json.RootElement.GetProperty("nonce").GetBytesFromBase64();
        Assert.Equal(32, nonce.Length);
        return nonce;
    }

    public static string Proof(NodeIdentity identity, string authority, string workerId, byte[] nonce)
    {
        byte[] statement = [.. Encoding.ASCII.GetBytes($"gimlet.v1 worker\0{authority}\0{workerId}\0"), .. nonce, .. identity.PublicKey.Span];
        return $$"""{"type":"prove_peer_id","public_key":"{{Convert.ToBase64String(identity.PublicKey.Span)}}","signature":"{{Convert.ToBase64String(identity.Sign(statement))}}"}""";
    }
}
