using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Simulation.Tests;

/// <summary>The real <see cref="StunQuery"/> on a simulated socket.</summary>
internal sealed class StunClient : ISimDriver
{
    private readonly SimSocket _socket;
    private readonly StunQuery _query;
    private readonly DriverPump _pump;

    public StunClient(SimSocket socket, StunQueryOptions options, params IEnumerable<TransportAddress> servers)
    {
        _socket = socket;
        World world = socket.Host.World;
        _query = new StunQuery(options, socket.Host.Random.Fill);
        _pump = new DriverPump(world, this);
        socket.OnDatagram = (local, remote, datagram) =>
        {
            _ = _query.HandleDatagram(world.Now, remote, local, datagram);
            _pump.Pump();
        };
        socket.OnUnreachable = remote =>
        {
            _query.HandleSendFailure(world.Now, remote, "port unreachable");
            _pump.Pump();
        };
        foreach (TransportAddress server in servers)
        {
            _query.Add(world.Now, new StunTarget(server));
        }

        _query.Start(world.Now);
        _pump.Pump();
    }

    public bool IsComplete => _query.IsComplete;

    public IReadOnlyList<StunServerResult> Results => _query.Results;

    public TimeSpan? NextTimeout => _query.NextTimeout;

    public void HandleTimeout(TimeSpan now) => _query.HandleTimeout(now);

    public void Drain(TimeSpan now)
    {
        Span<byte> buffer = stackalloc byte[64];
        while (_query.PollTransmit(out TransportAddress destination, buffer, out int length))
        {
            if (!_socket.Send(destination, buffer[..length]))
            {
                _query.HandleSendFailure(now, destination, "no route");
            }
        }

        while (_query.PollResult(out _))
        {
        }
    }
}
