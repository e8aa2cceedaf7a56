using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Simulation;

/// <summary>The real <see cref="StunResponder"/> on a simulated host: two ports, and as many addresses as the host has.</summary>
internal sealed class SimStunServer
{
    public const int Port = 3478;
    public const int AlternatePort = 3479;

    private readonly StunResponder _responder;
    private readonly Dictionary<(bool IsIPv4, int Port), SimSocket> _sockets = [];
    private readonly byte[] _answer = new byte[StunResponder.MaxAnswerLength];

    /// <summary>Binds on a host.</summary>
    /// <param name="host">A host in the internet; a second address of a family makes it an RFC 5780 server for that family.</param>
    /// <param name="proofKey">The key of GIMLET-PROOF.</param>
    public SimStunServer(SimHost host, ReadOnlySpan<byte> proofKey)
    {
        StunServerEndpoints endpoints = new()
        {
            Port = Port,
            AlternatePort = AlternatePort,
            IPv4 = Pair(host, ipv4: true),
            IPv6 = Pair(host, ipv4: false),
        };
        _responder = new StunResponder(endpoints, proofKey, new VirtualClock(host.World));
        foreach (bool ipv4 in (ReadOnlySpan<bool>)[true, false])
        {
            if (host.Nics[0].Address(ipv4).IsEmpty)
            {
                continue;
            }

            foreach (int port in (ReadOnlySpan<int>)[Port, AlternatePort])
            {
                SimSocket socket = host.Bind(port, ipv4);
                socket.OnDatagram = Answer;
                _sockets.Add((ipv4, port), socket);
            }
        }
    }

    /// <summary>True while the server swallows what it gets, as a crashed one behind a firewall does.</summary>
    public bool IsSilent { get; set; }

    private static StunAddressPair Pair(SimHost host, bool ipv4)
    {
        TransportAddress first = default;
        foreach (TransportAddress address in host.Nics[0].Addresses)
        {
            if (address.IsIPv4 != ipv4)
            {
                continue;
            }

            if (!first.IsEmpty)
            {
                return new StunAddressPair(first, address);
            }

            first = address;
        }

        return default;
    }

    private void Answer(TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (IsSilent)
        {
            return;
        }

        StunAnswer answer = _responder.Answer(datagram, remote, local, _answer);
        if (answer.Length > 0)
        {
            _ = _sockets[(remote.IsIPv4, answer.Source.Port)].Send(answer.Destination, _answer.AsSpan(0, answer.Length), answer.Source);
        }
    }
}
