using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>The way of a channel from its client through routers to its server, found when it is opened.</summary>
internal sealed class ChannelPath
{
    private readonly List<LinkDirection> _out = [];
    private readonly List<LinkDirection> _back = [];

    public List<Link> Links { get; } = [];

    public List<Router> Routers { get; } = [];

    public SimHost? Server { get; private set; }

    /// <summary>The client's own address, port included.</summary>
    public TransportAddress Client { get; private set; }

    /// <summary>What the server sees as the client's address.</summary>
    public TransportAddress ClientSeen { get; private set; }

    /// <summary>The way to a server; null when there is none (no route, or a NAT that would have to let strangers in).</summary>
    public static ChannelPath? Find(SimHost client, TransportAddress server, int clientPort)
    {
        if (client.SelectNic(server, out TransportAddress source) is not { } nic)
        {
            return null;
        }

        ChannelPath path = new() { Client = source.WithPort(clientPort) };
        TransportAddress seen = path.Client;
        while (true)
        {
            if (nic.Network.Resolve(server, nic) is not { } to)
            {
                return null;
            }

            path.Add(nic, to);
            if (to.Owner is SimHost host)
            {
                path.Server = host;
                path.ClientSeen = seen;
                return path;
            }

            Router router = (Router)to.Owner;
            if (to != router.InsideNic)
            {
                return null;
            }

            path.Routers.Add(router);
            seen = router.TranslateStream(seen);
            nic = router.OutsideNic;
        }
    }

    /// <summary>True when no link of the way swallows packets.</summary>
    public bool Passes(bool outward)
    {
        foreach (LinkDirection direction in outward ? _out : _back)
        {
            if (direction.IsBlackHole)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The time a message takes; a lost segment is sent again by the sender's tail loss probe, after two round trips (RFC 8985 section 7.2).</summary>
    public TimeSpan Delay(bool outward)
    {
        TimeSpan retry = RoundTrip * 2;
        TimeSpan delay = TimeSpan.Zero;
        foreach (LinkDirection direction in outward ? _out : _back)
        {
            delay += direction.ReliableDelay(retry);
        }

        return delay;
    }

    /// <summary>Without jitter and loss.</summary>
    public TimeSpan RoundTrip
    {
        get
        {
            TimeSpan sum = TimeSpan.Zero;
            foreach (Link link in Links)
            {
                sum += link.Up.Conditions.Latency + link.Down.Conditions.Latency;
            }

            return sum;
        }
    }

    private void Add(Nic from, Nic to)
    {
        _out.Add(from.Link.Up);
        _out.Add(to.Link.Down);
        _back.Add(to.Link.Up);
        _back.Add(from.Link.Down);
        Links.Add(from.Link);
        Links.Add(to.Link);
    }
}
