using Gimlet.Sockets;

namespace Gimlet.Simulation.Tests;

/// <summary>What a probe found; hairpin is null where it cannot be asked.</summary>
internal readonly record struct ProbedBehaviour(Dependence Mapping, Dependence Filtering, bool Hairpin);

/// <summary>
/// Finds out a NAT's behaviour from inside, with the tests of RFC 5780 section 4 and a toy protocol: a request's one byte says from where to
/// answer, the answer holds the address that was seen. The simulator's NATs are judged by it, not by their own tables.
/// </summary>
internal sealed class BehaviourProbe
{
    private const int Primary = 3478;
    private const int Alternate = 3479;
    private const byte ChangeAddress = 1;
    private const byte ChangePort = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly World _world;
    private readonly SimHost _client;
    private readonly TransportAddress[] _addresses = new TransportAddress[2];
    private readonly SimSocket[] _server = new SimSocket[2];

    public BehaviourProbe(World world, SimHost client)
    {
        _world = world;
        _client = client;
        SimHost host = world.Internet.AddHost("probe server", IpVersions.V4);
        _addresses[0] = host.Nics[0].Address(ipv4: true);
        _addresses[1] = host.AddAddress(host.Nics[0]);
        _server[0] = host.Bind(Primary);
        _server[1] = host.Bind(Alternate);
        _server[0].OnDatagram = (local, remote, datagram) => Answer(0, local, remote, datagram);
        _server[1].OnDatagram = (local, remote, datagram) => Answer(1, local, remote, datagram);
    }

    public ProbedBehaviour Probe()
    {
        // RFC 5780 section 4.3: primary address and port, then the alternate address, then the alternate port there.
        using SimSocket socket = _client.Bind();
        TransportAddress first = Ask(socket, 0, Primary) ?? throw new InvalidOperationException("The probe server does not answer.");
        TransportAddress second = Ask(socket, 1, Primary) ?? default;
        TransportAddress third = Ask(socket, 1, Alternate) ?? default;
        Dependence mapping = second == first ? Dependence.Endpoint : third == second ? Dependence.Address : Dependence.AddressAndPort;

        // Section 4.4, from a fresh socket: what was sent above would open the filter.
        using SimSocket fresh = _client.Bind();
        _ = Ask(fresh, 0, Primary);
        Dependence filtering = Ask(fresh, 0, Primary, ChangeAddress | ChangePort) is not null ? Dependence.Endpoint
            : Ask(fresh, 0, Primary, ChangePort) is not null ? Dependence.Address
            : Dependence.AddressAndPort;
        return new ProbedBehaviour(mapping, filtering, ProbeHairpin());
    }

    /// <summary>
    /// Section 4.5, with two sockets. Both send first to the other's public address, because the filter in front of the receiver is none of
    /// hairpinning's business. Where mappings depend on the destination, the address to send to is not known and the answer is false.
    /// </summary>
    private bool ProbeHairpin()
    {
        using SimSocket a = _client.Bind();
        using SimSocket b = _client.Bind();
        TransportAddress publicA = Ask(a, 0, Primary) ?? default;
        TransportAddress publicB = Ask(b, 0, Primary) ?? default;
        bool arrived = false;
        b.OnDatagram = (_, _, _) => arrived = true;
        _ = b.Send(publicA, [0]);
        _ = a.Send(publicB, [0]);
        return _world.RunUntil(() => arrived, Patience);
    }

    private TransportAddress? Ask(SimSocket socket, int address, int port, byte change = 0)
    {
        TransportAddress? answer = null;
        socket.OnDatagram = (_, _, datagram) => answer = new TransportAddress(datagram[2..], (datagram[0] << 8) | datagram[1]);
        _ = socket.Send(_addresses[address].WithPort(port), [change]);
        _ = _world.RunUntil(() => answer is not null, Patience);
        socket.OnDatagram = null;
        return answer;
    }

    private void Answer(int port, TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram)
    {
        int address = local.SameAddress(_addresses[0]) ? 0 : 1;
        address ^= (datagram[0] & ChangeAddress) != 0 ? 1 : 0;
        port ^= (datagram[0] & ChangePort) != 0 ? 1 : 0;
        Span<byte> answer = stackalloc byte[18];
        answer[0] = (byte)(remote.Port >> 8);
        answer[1] = (byte)remote.Port;
        int length = 2 + remote.WriteAddress(answer[2..]);
        _ = _server[port].Send(remote, answer[..length], _addresses[address]);
    }
}
