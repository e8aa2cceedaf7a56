using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>
/// A reliable ordered message channel over the world's links. It is not a TCP: it keeps what the layers above can notice, which is order,
/// delay (with what loss adds), stalls on a black hole, breaks, and the address that the server sees.
/// </summary>
internal sealed class Channel
{
    /// <summary>How often a stalled direction looks whether its path passes again: TCP's smallest retransmission timeout on Linux.</summary>
    private static readonly TimeSpan StallPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>RFC 6298 section 2.1: "the sender SHOULD set RTO &lt;- 1 second"; it doubles.</summary>
    private static readonly TimeSpan FirstSynRetransmission = TimeSpan.FromSeconds(1);

    private readonly World _world;
    private readonly ChannelOptions _options;
    private readonly ChannelPath? _path;
    private readonly ChannelEnd _client;
    private readonly ChannelEnd _server;
    private readonly Direction _outward;
    private readonly Direction _backward;
    private bool _forgotten;
    private TimeSpan _giveUpAt;

    private Channel(World world, ChannelOptions options, ChannelPath? path)
    {
        _world = world;
        _options = options;
        _path = path;
        _client = new ChannelEnd(this, isClient: true);
        _server = new ChannelEnd(this, isClient: false);
        _outward = new Direction(this, _client, _server);
        _backward = new Direction(this, _server, _client);
    }

    public static ChannelEnd Connect(SimHost host, TransportAddress server, ChannelOptions options)
    {
        World world = host.World;
        ChannelPath? path = ChannelPath.Find(host, server, host.Random.Next(32768, 61000));
        Channel channel = new(world, options, path);
        ChannelEnd client = channel._client;
        client.Remote = server;
        if (path is null)
        {
            world.After(TimeSpan.Zero, () => channel.Report(client, new ChannelClose(ChannelClose.Abnormal, "no route")));
            return client;
        }

        client.Local = path.Client;
        channel._server.Local = server;
        channel._server.Remote = path.ClientSeen;
        foreach (Link link in path.Links)
        {
            link.WasCut += () => channel.Break("the link was cut");
        }

        foreach (Router router in path.Routers)
        {
            router.Forgot += () => channel._forgotten = true;
        }

        channel._giveUpAt = world.Now + options.ConnectTimeout;
        channel.Handshake(options.HandshakeRoundTrips, FirstSynRetransmission);
        return client;
    }

    public void Send(ChannelEnd from, ReadOnlySpan<byte> message)
    {
        if (from is { IsOpen: true, IsClosed: false })
        {
            (from.IsClient ? _outward : _backward).Enqueue(message.ToArray());
        }
    }

    /// <summary>Sends a binary message, whose bytes are the channel's from now on.</summary>
    public void SendBinary(ChannelEnd from, byte[] message)
    {
        if (from is { IsOpen: true, IsClosed: false })
        {
            (from.IsClient ? _outward : _backward).Enqueue(new BinaryMessage(message));
        }
    }

    public void Close(ChannelEnd from, ChannelClose close)
    {
        if (from.IsClosed)
        {
            return;
        }

        if (from.IsOpen)
        {
            (from.IsClient ? _outward : _backward).Enqueue(close);
        }

        from.IsOpen = false;
        _world.After(TimeSpan.Zero, () => Report(from, close));
    }

    public void Break(string reason)
    {
        ChannelClose close = new(ChannelClose.Abnormal, reason);
        _world.After(TimeSpan.Zero, () =>
        {
            Report(_client, close);
            Report(_server, close);
        });
    }

    private void Handshake(int roundTrips, TimeSpan retransmission)
    {
        if (_client.IsClosed)
        {
            return;
        }

        if (!_path!.Passes(outward: true) || !_path.Passes(outward: false))
        {
            if (_world.Now + retransmission > _giveUpAt)
            {
                _world.After(_giveUpAt - _world.Now, () => Report(_client, new ChannelClose(ChannelClose.Abnormal, "connect timed out")));
            }
            else
            {
                _world.After(retransmission, () => Handshake(roundTrips, retransmission * 2));
            }

            return;
        }

        TimeSpan there = _path.Delay(outward: true);
        if (_path.Server!.Listener(_server.Local.Port) is not { } listener)
        {
            _world.After(there + _path.Delay(outward: false), () => Report(_client, new ChannelClose(ChannelClose.Abnormal, "refused")));
            return;
        }

        if (roundTrips > 1)
        {
            _world.After(there + _path.Delay(outward: false), () => Handshake(roundTrips - 1, FirstSynRetransmission));
            return;
        }

        // The last round trip is the upgrade: the server's end is open when the request arrives, the client's with the answer.
        _world.After(there, () =>
        {
            if (_client.IsClosed)
            {
                return;
            }

            _server.IsOpen = true;
            _world.Trace?.Write(_world.Now, _path.Server.Name, $"accepts a channel from {_server.Remote}");
            _backward.EnqueueOpen();
            listener(_server);
        });
    }

    private void Report(ChannelEnd end, ChannelClose close)
    {
        if (end.IsClosed)
        {
            return;
        }

        // A server that never heard of the channel has nothing to be told.
        bool known = end.IsClient || end.IsOpen || !end.Remote.IsEmpty;
        end.IsOpen = false;
        end.IsClosed = true;
        if (known)
        {
            _world.Trace?.Write(_world.Now, end.IsClient ? "client" : "server", $"channel {end.Local} - {end.Remote} closed: {close.Code} {close.Reason}");
            end.OnClosed?.Invoke(close);
        }
    }

    private sealed record BinaryMessage(byte[] Bytes);

    /// <summary>One direction: items arrive in order, each not before its path's delay.</summary>
    private sealed class Direction(Channel channel, ChannelEnd from, ChannelEnd to) : IEventTarget
    {
        /// <summary>The server's answer to the upgrade.</summary>
        private static readonly object Open = new();

        private readonly Queue<object> _stalled = new();
        private TimeSpan _stalledSince;
        private TimeSpan _lastDue;

        public void EnqueueOpen() => Enqueue(Open);

        public void Enqueue(object item)
        {
            if (_stalled.Count > 0 || !channel._path!.Passes(from.IsClient))
            {
                Stall(item);
            }
            else if (channel._forgotten)
            {
                LoseOnForgottenPath();
            }
            else
            {
                Dispatch(item);
            }
        }

        void IEventTarget.Fire(object? state, long number)
        {
            if (state is null)
            {
                Retry();
                return;
            }

            if (to.IsClosed)
            {
                return;
            }

            if (state == Open)
            {
                to.IsOpen = true;
                to.OnOpen?.Invoke();
            }
            else if (state is ChannelClose close)
            {
                channel.Report(to, close);
            }
            else if (!to.IsOpen)
            {
                return;
            }
            else if (state is BinaryMessage binary)
            {
                to.OnBinary?.Invoke(binary.Bytes);
            }
            else
            {
                to.OnMessage?.Invoke((byte[])state);
            }
        }

        private void Dispatch(object item)
        {
            TimeSpan due = channel._world.Now + channel._path!.Delay(from.IsClient);
            _lastDue = due < _lastDue ? _lastDue : due;
            channel._world.Schedule(_lastDue, this, item);
        }

        private void Stall(object item)
        {
            if (_stalled.Count == 0)
            {
                _stalledSince = channel._world.Now;
                channel._world.Schedule(channel._world.Now + StallPoll, this);
            }

            _stalled.Enqueue(item);
        }

        private void Retry()
        {
            if (from.IsClosed && to.IsClosed)
            {
                return;
            }

            if (channel._path!.Passes(from.IsClient))
            {
                while (_stalled.TryDequeue(out object? item))
                {
                    if (channel._forgotten)
                    {
                        LoseOnForgottenPath();
                        _stalled.Clear();
                        return;
                    }

                    Dispatch(item);
                }
            }
            else if (channel._world.Now - _stalledSince >= channel._options.StallTimeout)
            {
                channel.Report(from, new ChannelClose(ChannelClose.Abnormal, "timed out"));
            }
            else
            {
                channel._world.Schedule(channel._world.Now + StallPoll, this);
            }
        }

        /// <summary>
        /// A router on the way has forgotten the connection. What the client sends arrives from an unknown end point and is reset; what
        /// the server sends is dropped by the router, and the server learns nothing until its own timeout.
        /// </summary>
        private void LoseOnForgottenPath()
        {
            World world = channel._world;
            if (from.IsClient)
            {
                TimeSpan roundTrip = channel._path!.Delay(outward: true) + channel._path.Delay(outward: false);
                world.After(roundTrip, () => channel.Report(from, new ChannelClose(ChannelClose.Abnormal, "reset")));
            }
            else
            {
                world.After(channel._options.StallTimeout, () => channel.Report(from, new ChannelClose(ChannelClose.Abnormal, "timed out")));
            }
        }
    }
}
