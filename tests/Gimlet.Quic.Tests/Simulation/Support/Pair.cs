using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>A client, a server and the network between them, with the verbs that stories are told in. All of it follows from the seed.</summary>
internal sealed class Pair : IDisposable
{
    /// <summary>How long a story waits for something that must happen.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly List<Rule> _rules = [];

    public Pair(int seed = 1, PairOptions? options = null)
    {
        Options = options ?? new PairOptions();
        if (Options.Tapped || Seeds.ShowsFrames)
        {
            Tap = new WireTap(Options.Client.Protection);
            Options = Options with
            {
                ClientTls = Options.ClientTls with { KeyLog = Tap.AddKeys },
                ServerTls = Options.ServerTls with { KeyLog = Tap.AddKeys },
            };
        }

        // The first way's number on the client's side is 1, always.
        Client = new SimulatedClient(Mix(seed, 1), Options, new PathId(1));
        Server = new SimulatedServer(Mix(seed, 2), Options);
        Network = new Network(Mix(seed, 3), Client, Server) { OnSent = OnSent };
        Network.Intercept(Decide);
    }

    public PairOptions Options { get; }

    public SimulatedClient Client { get; }

    public SimulatedServer Server { get; }

    public Network Network { get; }

    /// <summary>The frames on the wire; null unless the options ask for it.</summary>
    public WireTap? Tap { get; }

    /// <summary>The way that is there from the beginning.</summary>
    public Way Way => Network.Ways[0];

    public TimeSpan Now => Network.Now;

    public SimulatedPeer this[EndpointRole side] => side == EndpointRole.Client ? Client : Server;

    /// <summary>Loses the next datagrams that contain such a packet.</summary>
    public Pair Lose(PacketType type, int count = 1, EndpointRole? from = null) =>
        Add(d => d.Contains(type) && (from is null || d.From == from), count, Fate.Lose);

    /// <summary>Loses a side's nth datagram, counted from 0.</summary>
    public Pair LoseNth(EndpointRole from, int n) => Add(d => d.From == from && d.Index == n, 1, Fate.Lose);

    /// <summary>Lets a side's nth datagram arrive twice.</summary>
    public Pair DuplicateNth(EndpointRole from, int n) => Add(d => d.From == from && d.Index == n, 1, Fate.Duplicate);

    /// <summary>Breaks a side's nth datagram.</summary>
    public Pair CorruptNth(EndpointRole from, int n) => Add(d => d.From == from && d.Index == n, 1, Fate.Corrupt);

    /// <summary>Lets a side's nth datagram arrive later than those behind it.</summary>
    public Pair DelayNth(EndpointRole from, int n, TimeSpan by) => Add(d => d.From == from && d.Index == n, 1, Fate.Delay(by));

    /// <summary>Decides over every datagram before the links do.</summary>
    public Pair Intercept(Func<SimulatedDatagram, Fate> decide)
    {
        Network.Intercept(decide);
        return this;
    }

    /// <summary>Loses this part of all datagrams, both directions, 0 to 100.</summary>
    public Pair SetLoss(double percent) => OnLinks(link => link.Loss = percent / 100);

    /// <summary>The round trip without queues.</summary>
    public Pair SetRtt(TimeSpan rtt) => OnLinks(link => link.Delay = rtt / 2);

    /// <summary>The rate of each direction, and how much waits for it at most.</summary>
    public Pair SetRate(long bitsPerSecond, int queueBytes = 64 * 1024) => OnLinks(link =>
    {
        link.BitsPerSecond = bitsPerSecond;
        link.QueueBytes = queueBytes;
    });

    /// <summary>The largest UDP payload that passes.</summary>
    public Pair ChangeMtu(int bytes) => OnLinks(link => link.Mtu = bytes);

    /// <summary>Nothing passes for a while.</summary>
    public Pair BlackHole(TimeSpan duration) => OnLinks(link => link.DarkUntil = Now + duration);

    public Pair Delay(TimeSpan oneWay) => OnLinks(link => link.Delay = oneWay);

    public Pair Reorder(double percent, TimeSpan by) => OnLinks(link =>
    {
        link.Reordering = percent / 100;
        link.ReorderBy = by;
    });

    public Pair Duplicate(double percent) => OnLinks(link => link.Duplicates = percent / 100);

    public Pair Corrupt(double percent) => OnLinks(link => link.Corruption = percent / 100);

    /// <summary>The client's NAT forgets the way's mapping.</summary>
    public Pair Rebind(Way? way = null)
    {
        Network.Rebind(way ?? Way);
        return this;
    }

    /// <summary>Runs until both are connected and the client knows that the server is.</summary>
    public Pair Handshake(TimeSpan? within = null)
    {
        RunUntil(() => IsConfirmed, within ?? Patience, "the handshake");
        return this;
    }

    public bool IsConnected => Client.IsConnected && Server.IsConnected;

    public bool IsConfirmed =>
        IsConnected && Client.Has(ConnectionEventKind.Confirmed) && Server.Has(ConnectionEventKind.Confirmed);

    /// <summary>Runs until a condition holds.</summary>
    /// <param name="condition">Looked at after every event.</param>
    /// <param name="within">How long it may take.</param>
    /// <param name="what">What is waited for, for the report.</param>
    public Pair RunUntil(Func<bool> condition, TimeSpan? within = null, string what = "the condition")
    {
        TimeSpan deadline = Now + (within ?? Patience);
        Network.Flush();
        while (!condition())
        {
            if (!Network.Step(deadline))
            {
                throw new SimulationException($"{what} did not come within {within ?? Patience}; {Describe()}");
            }
        }

        return this;
    }

    /// <summary>Runs for a time.</summary>
    public Pair Run(TimeSpan duration)
    {
        TimeSpan deadline = Now + duration;
        Network.Flush();
        while (Network.Step(deadline))
        {
        }

        return this;
    }

    /// <summary>Runs until nothing is under way and nobody has sent anything for a second: idle timers may still be set.</summary>
    public Pair RunToIdle(TimeSpan? within = null)
    {
        TimeSpan deadline = Now + (within ?? Patience);
        int sent;
        do
        {
            if (Now >= deadline)
            {
                throw new SimulationException($"they do not rest; {Describe()}");
            }

            sent = Sent;
            Run(TimeSpan.FromSeconds(1));
        }
        while (sent != Sent || Network.InFlight > 0);
        return this;
    }

    /// <summary>How it stands, for a report.</summary>
    public string Describe() =>
        $"at {Now}: client {Describe(Client)}, server {Describe(Server)}, {Network.InFlight} under way, next event {Network.NextEvent}, "
        + $"ways {string.Join(", ", Network.Ways.Select(w => $"{w.Client.Value}-{w.Server.Value}"))}\n{Network.Trace}"
        + (Seeds.ShowsFrames ? Tap!.Describe() : string.Empty);

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        Tap?.Dispose();
    }

    private int Sent => Network.SentBy(EndpointRole.Client) + Network.SentBy(EndpointRole.Server);

    // Neighbouring seeds of System.Random begin alike.
    private static int Mix(int seed, int part) => unchecked((int)(((uint)seed * 2654435761u) ^ ((uint)part * 0x9e37_79b9u)));

    private static string Describe(SimulatedPeer peer) => peer.Connection is null
        ? "has no connection"
        : $"{(peer.Connection.Closed is { } closed ? closed.ToString() : peer.IsConnected ? "connected" : "not connected")} on {peer.Connection.CurrentPath}, next timeout {peer.NextTimeout}";

    private Pair OnLinks(Action<Link> change)
    {
        foreach (Way way in Network.Ways)
        {
            way.Both(change);
        }

        return this;
    }

    private Pair Add(Func<SimulatedDatagram, bool> matches, int count, Fate fate)
    {
        _rules.Add(new Rule(matches, fate) { Left = count });
        return this;
    }

    private Fate Decide(SimulatedDatagram datagram)
    {
        foreach (Rule rule in _rules)
        {
            if (rule.Left > 0 && rule.Matches(datagram))
            {
                rule.Left--;
                return rule.Fate;
            }
        }

        return Fate.None;
    }

    private void OnSent(SimulatedDatagram datagram) => Tap?.Read(datagram);

    private sealed record Rule(Func<SimulatedDatagram, bool> Matches, Fate Fate)
    {
        public int Left { get; set; }
    }
}
