using Gimlet.Signalling;

namespace Gimlet.Simulation;

/// <summary>A node's connection to one server; comes back by itself with the backoff of the real one.</summary>
internal sealed class SimSignallingLink
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(15);

    private readonly SimNode _node;
    private readonly int _session;
    private readonly SimRandom _random;
    private ChannelEnd? _channel;
    private int _failures;
    private bool _abandoned;

    public SimSignallingLink(SimNode node, SimServer server, int session)
    {
        _node = node;
        _session = session;
        Server = server;
        _random = node.Host.World.Random($"backoff {node.Host.Name} {session}");
    }

    public SimServer Server { get; }

    /// <summary>How often a connection was lost or could not be opened.</summary>
    public int Failures { get; private set; }

    /// <summary>The channel that is open or being opened.</summary>
    public ChannelEnd? Channel => _channel;

    public void Open()
    {
        if (_abandoned)
        {
            return;
        }

        // Whatever version works: a host without IPv4 takes the server's IPv6 address.
        foreach (Sockets.TransportAddress address in Server.Resolve(SimRendezvous.Port))
        {
            if (_node.Host.SelectNic(address, out _) is not null)
            {
                Open(_node.Host.Connect(address));
                return;
            }
        }

        Retry();
    }

    public void Send(ReadOnlySpan<byte> text) => _channel?.Send(text);

    /// <summary>Ends the present connection; another one follows.</summary>
    public void Restart(string reason) => _channel?.Close(1000, reason);

    /// <summary>The process is gone: its kernel resets the connection.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _channel?.Break("the process was killed");
    }

    private void Open(ChannelEnd channel)
    {
        _channel = channel;
        channel.OnOpen = () =>
        {
            _failures = 0;
            _node.Feed((core, now) => core.SignallingOpened(_session, Identity.Statement.Authority(SimRendezvous.Name, SimRendezvous.Port), now));
        };
        channel.OnMessage = message => _node.Feed((core, now) => core.HandleSignal(_session, message.Span, now));
        channel.OnClosed = close =>
        {
            _channel = null;
            _node.Feed((core, now) => core.SignallingClosed(_session, now));
            if (close.Code != SignalCloseCode.Replaced)
            {
                Retry();
            }
        };
    }

    private void Retry()
    {
        Failures++;
        _failures++;
        TimeSpan ceiling = FirstBackoff * Math.Pow(2, Math.Min(_failures - 1, 10));
        ceiling = ceiling < MaxBackoff ? ceiling : MaxBackoff;
        _node.Host.World.After(_random.Next(ceiling / 4, ceiling), Open);
    }
}
