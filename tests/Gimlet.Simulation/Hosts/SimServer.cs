using Gimlet.Server;
using Gimlet.Server.Rendezvous;
using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Simulation;

/// <summary>A public machine with everything that <c>gimlet serve</c> has: STUN on two ports and the rendezvous.</summary>
internal sealed class SimServer
{
    /// <summary>Puts a server into the internet.</summary>
    /// <param name="world">The world.</param>
    /// <param name="versions">The IP versions it has.</param>
    /// <param name="secondAddress">A second address per version: behaviour discovery works (RFC 5780).</param>
    /// <param name="timers">The rendezvous' times; null for the defaults.</param>
    public SimServer(World world, IpVersions versions = IpVersions.Both, bool secondAddress = false, RendezvousTimers? timers = null)
    {
        Host = world.Internet.AddHost("server", versions);
        foreach (TransportAddress address in secondAddress ? Host.Nics[0].Addresses.ToArray() : [])
        {
            _ = Host.AddAddress(Host.Nics[0], address.IsIPv4);
        }

        byte[] proofKey = new byte[ObservationProof.KeyLength];
        world.Random("proof key").Fill(proofKey);
        Stun = new SimStunServer(Host, proofKey);
        Rendezvous = new SimRendezvous(Host, proofKey, timers ?? new RendezvousTimers());
    }

    public SimHost Host { get; }

    public SimStunServer Stun { get; }

    public SimRendezvous Rendezvous { get; }

    /// <summary>The addresses that the server's name resolves to.</summary>
    public IReadOnlyList<TransportAddress> Resolve(int port) =>
    [
        .. new[] { Host.Nics[0].Address(ipv4: true), Host.Nics[0].Address(ipv4: false) }.Where(static a => !a.IsEmpty).Select(a => a.WithPort(port)),
    ];
}
