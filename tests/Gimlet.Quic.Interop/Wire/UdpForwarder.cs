using System.Net;
using System.Net.Sockets;

namespace Gimlet.Quic.Interop.Wire;

/// <summary>
/// The network between a client and a server: takes datagrams on a port of its own and sends them on, as a NAT does, from a port per client. Rules
/// see every datagram and may lose it, change it, or change the forwarder.
/// </summary>
internal sealed class UdpForwarder : IAsyncDisposable
{
    // What a burst of a whole window needs; the system may give less, which is loss, which the two must live with.
    private const int BufferBytes = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Socket _front = Bind();
    private readonly Dictionary<IPEndPoint, Flow> _flows = [];
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyList<IWireRule> _rules;
    private IPEndPoint _target;

    private UdpForwarder(IPEndPoint target, IReadOnlyList<IWireRule> rules)
    {
        _target = target;
        _rules = rules;
        foreach (IWireRule rule in rules)
        {
            rule.Attach(this);
        }

        EndPoint = (IPEndPoint)_front.LocalEndPoint!;
        _loops.Add(FromClientsAsync());
    }

    /// <summary>What clients take for the server.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Starts to forward.</summary>
    /// <param name="target">The server.</param>
    /// <param name="rules">Asked for each datagram, one after the other, and never at the same time.</param>
    public static UdpForwarder Start(IPEndPoint target, params IReadOnlyList<IWireRule> rules) => new(target, rules);

    /// <summary>From now on every client comes from another port, and nothing gets through to it by the old one.</summary>
    public void Rebind()
    {
        lock (_gate)
        {
            foreach (Flow flow in _flows.Values)
            {
                flow.Upstream.Dispose();
                Open(flow);
            }
        }
    }

    /// <summary>From now on another server is behind this, and the one before is cut off.</summary>
    public void Retarget(IPEndPoint target)
    {
        lock (_gate)
        {
            _target = target;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task[] loops;
        lock (_gate)
        {
            _stop.Cancel();
            _front.Dispose();
            foreach (Flow flow in _flows.Values)
            {
                flow.Upstream.Dispose();
            }

            loops = [.. _loops];
        }

        await Task.WhenAll(loops);
        _stop.Dispose();
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveBufferSize = BufferBytes,
            SendBufferSize = BufferBytes,
        };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private Task FromClientsAsync() => ReceiveAsync(_front, (datagram, from) =>
    {
        if (!_flows.TryGetValue(from, out Flow? flow))
        {
            flow = new Flow(from);
            _flows.Add(from, flow);
            Open(flow);
        }

        // A rule may exchange the socket: this datagram leaves by the new one.
        if (Passes(WireDirection.ToServer, datagram))
        {
            _ = flow.Upstream.SendTo(datagram, _target);
        }
    });

    private void Open(Flow flow)
    {
        flow.Upstream = Bind();
        _loops.Add(ReceiveAsync(flow.Upstream, (datagram, from) =>
        {
            if (from.Equals(_target) && Passes(WireDirection.ToClient, datagram))
            {
                _ = _front.SendTo(datagram, flow.Client);
            }
        }));
    }

    private bool Passes(WireDirection direction, Span<byte> datagram)
    {
        foreach (IWireRule rule in _rules)
        {
            if (!rule.Passes(direction, datagram))
            {
                return false;
            }
        }

        return true;
    }

    private async Task ReceiveAsync(Socket socket, Forward forward)
    {
        byte[] buffer = new byte[ushort.MaxValue];
        CancellationToken stop = _stop.Token;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stop);
                lock (_gate)
                {
                    if (stop.IsCancellationRequested)
                    {
                        return;
                    }

                    forward(buffer.AsSpan(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint);
                }
            }
        }
        catch (Exception e)
            when (e is OperationCanceledException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
        {
            // The socket was exchanged for another, or the test is over.
        }
    }

    private delegate void Forward(Span<byte> datagram, IPEndPoint from);

    private sealed class Flow(IPEndPoint client)
    {
        public IPEndPoint Client => client;

        public Socket Upstream { get; set; } = null!;
    }
}
