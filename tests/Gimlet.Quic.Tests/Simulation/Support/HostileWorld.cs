using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>A hostile peer and its victim on a good network.</summary>
internal sealed class HostileWorld : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Makes the two; nothing is sent yet.</summary>
    /// <param name="victim">Which role the connection under test has.</param>
    /// <param name="options">Its settings.</param>
    /// <param name="seed">For both.</param>
    public HostileWorld(EndpointRole victim, PairOptions? options = null, int seed = 1)
    {
        PairOptions used = options ?? new PairOptions();
        if (victim == EndpointRole.Server)
        {
            Victim = new SimulatedServer(seed, used);
            Peer = new HostilePeer(EndpointRole.Client, seed + 1, new PathId(1));
            Network = new Network(seed + 2, Peer, Victim);
        }
        else
        {
            Victim = new SimulatedClient(seed, used, new PathId(1));
            Peer = new HostilePeer(EndpointRole.Server, seed + 1, new PathId(101));
            Network = new Network(seed + 2, Victim, Peer);
        }
    }

    public SimulatedPeer Victim { get; }

    public HostilePeer Peer { get; }

    public Network Network { get; }

    public ConnectionCore Core => Victim.Core;

    /// <summary>The first packets go out; nothing has arrived yet.</summary>
    public HostileWorld Start()
    {
        if (Peer.Role == EndpointRole.Client)
        {
            Peer.Start();
        }

        Network.Flush();
        return this;
    }

    /// <summary>The handshake is made, and its last acknowledgements are there.</summary>
    public HostileWorld Handshake()
    {
        Start();
        Run(TimeSpan.FromSeconds(1));
        return Victim.IsConnected && Peer.IsComplete
            ? this
            : throw new SimulationException($"no handshake: {Victim.Connection?.Closed}, {Peer.Close}\n{Network.Trace}");
    }

    /// <summary>Runs for a time.</summary>
    public HostileWorld Run(TimeSpan duration)
    {
        TimeSpan until = Network.Now + duration;
        Network.Flush();
        while (Network.Step(until))
        {
        }

        return this;
    }

    /// <summary>Runs until the victim's connection is closed and the peer has heard of it.</summary>
    public HostileWorld RunUntilClosed(string what)
    {
        TimeSpan until = Network.Now + Patience;
        Network.Flush();
        while (Peer.Close is null || Victim.Connection?.Closed is null)
        {
            if (!Network.Step(until))
            {
                throw new SimulationException(
                    $"{what}: the victim closed with {Victim.Connection?.Closed?.ToString() ?? "nothing"}, the peer saw {Peer.Close}\n{Network.Trace}");
            }
        }

        return this;
    }

    public void Dispose()
    {
        Victim.Dispose();
        Peer.Dispose();
    }
}
