using Gimlet.Signalling;

namespace Gimlet.Simulation;

/// <summary>A node's connection to one server; comes back by itself with the backoff of the real one.</summary>
internal sealed class SimSignallingLink
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(10);

    private readonly SimNode _node;
    private readonly int _session;
    private readonly SimRandom _random;
    private readonly SimTimer _retry;
    private ChannelEnd? _channel;
    private TimeSpan _startedAt;
    private bool _wasOpen;
    private bool _isUrgent;
    private int _failures;
    private bool _abandoned;

    public SimSignallingLink(SimNode node, SimServer server, int session)
    {
        _node = node;
        _session = session;
        Server = server;
        _retry = new SimTimer(node.Host.World, Open);
        _random = node.Host.World.Random($"backoff {node.Host.Name} {session}");
    }

    public SimServer Server { get; }

    /// <summary>How often a connection was lost or could not be opened.</summary>
    public int Failures { get; private set; }

    /// <summary>So late are its text frames read: the server's word is behind what comes directly.</summary>
    public TimeSpan ReadDelay { get; set; }

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

    /// <summary>Sends datagrams to a peer; false when there is no connection.</summary>
    public bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        if (_channel is not { IsOpen: true } channel)
        {
            return false;
        }

        bool isBatch = datagrams.Length > segmentSize;
        byte[] frame = new byte[(isBatch ? RelayFrame.BatchHeaderLength : RelayFrame.SingleHeaderLength) + datagrams.Length];
        datagrams.CopyTo(frame.AsSpan(RelayFrame.WriteHeader(frame, peer, segmentSize, isBatch)));
        channel.SendBinary(frame);
        return true;
    }

    /// <summary>The network has changed: whatever the present connection still believes, another is opened now.</summary>
    public void RestartAtOnce()
    {
        if (_channel is { } channel)
        {
            _isUrgent = true;
            channel.Close(1000, "the network has changed");
        }
        else if (!_abandoned)
        {
            _failures = 0;
            _retry.Cancel();
            Open();
        }
    }

    /// <summary>The process is gone: its kernel resets the connection.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _retry.Cancel();
        _channel?.Break("the process was killed");
    }

    private void Open(ChannelEnd channel)
    {
        _channel = channel;
        _startedAt = _node.Host.World.Now;
        _wasOpen = false;
        channel.OnOpen = () =>
        {
            _wasOpen = true;
            _node.Feed((core, now) => core.SignallingOpened(_session, Identity.Statement.Authority(SimRendezvous.Name, SimRendezvous.Port), now));
        };
        channel.OnMessage = message =>
        {
            if (ReadDelay == TimeSpan.Zero)
            {
                _node.Feed((core, now) => core.HandleSignal(_session, message.Span, now));
                return;
            }

            byte[] late = message.ToArray();
            _node.Host.World.After(ReadDelay, () => _node.Feed((core, now) => core.HandleSignal(_session, late, now)));
        };
        _node.Host.World.After(OpenTimeout, () =>
        {
            if (_channel == channel && !_wasOpen)
            {
                channel.Close(1000, "the server did not answer in time");
            }
        });
        channel.OnBinary = frame => _node.Relayed(_session, frame);
        channel.OnClosed = close =>
        {
            _channel = null;
            _failures = _wasOpen && _node.Host.World.Now - _startedAt >= StableAfter ? 0 : _failures;
            _node.Feed((core, now) => core.SignallingClosed(_session, now));
            if (_isUrgent)
            {
                _isUrgent = false;
                _failures = 0;
                Open();
            }
            else if (close.Code != SignalCloseCode.Replaced)
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
        _retry.Set(_node.Host.World.Now + _random.Next(ceiling / 4, ceiling));
    }
}
