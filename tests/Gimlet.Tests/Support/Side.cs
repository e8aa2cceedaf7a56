using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Stun;

namespace Gimlet.Tests.Support;

/// <summary>One of the two agents of a <see cref="Pair"/>, the addresses it has, and everything that it told its host.</summary>
internal sealed class Side : ICallEvents, IDisposable
{
    public Side(string name, TransportAddress[] addresses, TraversalOptions options, NodeIdentity identity, int seed, bool allowLoopback)
    {
        Name = name;
        Addresses = [.. addresses];
        Transmits = new TransmitQueue();
        Context = new CallContext(options, identity.Id, Transmits, SeededRandom.From(seed), allowLoopback);
    }

    public string Name { get; }

    /// <summary>Where it can be reached now; the first one is where datagrams to the outside come from.</summary>
    public List<TransportAddress> Addresses { get; }

    public TransmitQueue Transmits { get; }

    public CallContext Context { get; }

    public CallAgent Agent { get; set; } = null!;

    /// <summary>What the agent told, in words, in order.</summary>
    public List<string> News { get; } = [];

    public List<(TimeSpan At, string What)> Times { get; } = [];

    public List<(uint Sequence, TimeSpan RoundTrip)> Pongs { get; } = [];

    public CallEnd? End { get; private set; }

    public TransportAddress ActiveRemote => Agent.Active?.Remote.Address ?? default;

    public TransportAddress NominatedRemote => Agent.Nominated?.Remote.Address ?? default;

    public TimeSpan? TimeOf(string what) => Times.Exists(t => t.What == what) ? Times.Find(t => t.What == what).At : null;

    /// <summary>Inside the site a private address sends to private ones; outside it is always the first.</summary>
    public TransportAddress SourceFor(TransportAddress destination) =>
        Addresses.Find(a => a.IsPrivate && destination.IsPrivate && a.IsIPv4 == destination.IsIPv4) is { IsEmpty: false } inside ? inside
        : Addresses.Find(a => !a.IsPrivate && a.IsIPv4 == destination.IsIPv4) is { IsEmpty: false } outside ? outside
        : Addresses[0];

    /// <summary>What a node does with a datagram that is about this call. True when the agent took it.</summary>
    public bool Receive(TimeSpan now, TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> bytes)
    {
        if (!StunMessage.TryParse(bytes, out StunMessage message))
        {
            return false;
        }

        bool taken = false;
        if (message.Class == StunClass.Request)
        {
            taken = CheckMessages.TryReadUsername(message, out CallId id, out bool fromCaller) && id == Agent.Id && fromCaller != Agent.IsCaller
                && Agent.HandleRequest(now, local, remote, message);
        }
        else if (Context.Transactions.TryPeek(message.TransactionId, out CheckTransaction transaction) && Agent.HandleAnswer(now, local, remote, transaction, message))
        {
            taken = Context.Transactions.TryTake(message.TransactionId, out _);
        }

        Wake(now);
        return taken;
    }

    public void Wake(TimeSpan now)
    {
        if (now >= Agent.NextTimeout)
        {
            Agent.HandleTimeout(now);
        }
    }

    public void Learn(TimeSpan now, params Candidate[] candidates)
    {
        foreach (Candidate candidate in candidates)
        {
            Agent.AddRemote(candidate, now);
        }

        Wake(now);
    }

    /// <summary>Where authenticated checks of the other side came from, each once.</summary>
    public List<TransportAddress> Heard { get; } = [];

    public CandidatePair PairTo(TransportAddress remote) => Agent.Pairs.Single(p => p.Remote.Address == remote);

    public void Dispose() => Agent.Dispose();

    void ICallEvents.PathProven(CallAgent call, CandidatePair pair, TimeSpan now) => Note(now, "proven");

    void ICallEvents.PathChanged(CallAgent call, CandidatePair pair, string reason, TimeSpan now) => Note(now, "changed");

    void ICallEvents.PathSuspect(CallAgent call, TimeSpan now) => Note(now, "suspect");

    void ICallEvents.PathRecovered(CallAgent call, CandidatePair pair, TimeSpan now) => Note(now, "recovered");

    void ICallEvents.PeerHeard(CallAgent call, TransportAddress remote, TimeSpan now) => Heard.Add(remote);

    void ICallEvents.PathLost(CallAgent call, TimeSpan now) => Note(now, "lost");

    void ICallEvents.PingAnswered(CallAgent call, uint sequence, TimeSpan roundTripTime, TransportAddress remote, TimeSpan now)
    {
        Pongs.Add((sequence, roundTripTime));
        Note(now, $"pong {sequence}");
    }

    void ICallEvents.PingReceived(CallAgent call, uint sequence, TransportAddress remote, TimeSpan now) => Note(now, $"ping {sequence}");

    void ICallEvents.Ended(CallAgent call, CallEnd end, TimeSpan now)
    {
        Assert.Null(End);
        End = end;
        Note(now, $"ended {end}");
    }

    private void Note(TimeSpan now, string what)
    {
        News.Add(what);
        Times.Add((now, what));
    }
}
