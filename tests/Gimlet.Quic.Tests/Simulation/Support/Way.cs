using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>Where datagrams travel between the two: one link each way. Each side has its own number for it, as each side's sockets would.</summary>
internal sealed class Way(string name, PathId client, PathId server)
{
    public string Name { get; } = name;

    /// <summary>The client's number; it stays when the NAT rebinds.</summary>
    public PathId Client { get; } = client;

    /// <summary>The server's number now; another one after <see cref="Network.Rebind"/>.</summary>
    public PathId Server { get; set; } = server;

    /// <summary>From client to server.</summary>
    public Link Up { get; } = new();

    /// <summary>From server to client.</summary>
    public Link Down { get; } = new();

    public PathId PathOf(EndpointRole side) => side == EndpointRole.Client ? Client : Server;

    public Link LinkFrom(EndpointRole side) => side == EndpointRole.Client ? Up : Down;

    /// <summary>Does something to both directions.</summary>
    public Way Both(Action<Link> change)
    {
        change(Up);
        change(Down);
        return this;
    }
}
