using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Gimlet.Signalling;

namespace Gimlet.Tests.Support;

/// <summary>A rendezvous server on loopback that says what a test tells it.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _connections;

    /// <summary>Makes a server.</summary>
    /// <param name="serve">What it does with each connection; it is closed afterwards.</param>
    /// <param name="subprotocol">The subprotocol it agrees to; null to be no WebSocket server at all.</param>
    public FakeServer(Func<Connection, Task> serve, string? subprotocol = SignalProtocol.Subprotocol)
    {
        (_listener, Address) = Listen();
        _loop = AcceptAsync(serve, subprotocol);
    }

    public Uri Address { get; }

    public int Connections => Volatile.Read(ref _connections);

    public static ChallengeMessage Challenge => new() { Nonce = new byte[32], Stun = [] };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        await _loop;
        _stop.Dispose();
    }

    private static (HttpListener Listener, Uri Address) Listen()
    {
        while (true)
        {
            // HttpListener cannot choose a free port itself; somebody may take this one before it does, then the next will do.
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            int port = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            var listener = new HttpListener();
            try
            {
                listener.Prefixes.Add($"http://127.0.0.1:{port}/");
                listener.Start();
                return (listener, new Uri($"http://127.0.0.1:{port}/"));
            }
            catch (HttpListenerException)
            {
                listener.Close();
            }
        }
    }

    private async Task AcceptAsync(Func<Connection, Task> serve, string? subprotocol)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                connections.Add(ServeAsync(context, serve, subprotocol));
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Disposed.
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(HttpListenerContext context, Func<Connection, Task> serve, string? subprotocol)
    {
        if (subprotocol is null)
        {
            context.Response.StatusCode = 404;
            context.Response.Close();
            return;
        }

        try
        {
            HttpListenerWebSocketContext upgraded = await context.AcceptWebSocketAsync(subprotocol.Length == 0 ? null : subprotocol);
            using var connection = new Connection(upgraded.WebSocket, Interlocked.Increment(ref _connections), _stop.Token);
            await serve(connection);
            connection.Abort();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or HttpListenerException or ObjectDisposedException or IOException)
        {
            // The node has left, or the test is over.
        }
    }

    /// <summary>A node's WebSocket, as its server sees it.</summary>
    internal sealed class Connection(WebSocket socket, int number, CancellationToken stop) : IDisposable
    {
        /// <summary>The how-manieth connection to this server this is, from 1.</summary>
        public int Number { get; } = number;

        public Task SendAsync(SignalMessage message) => SendAsync(SignalCodec.Write(message));

        public Task SendAsync(byte[] text) => socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, stop);

        /// <summary>Sends what relayed datagrams come in.</summary>
        public Task SendBinaryAsync(byte[] frame) => socket.SendAsync(frame, WebSocketMessageType.Binary, endOfMessage: true, stop);

        /// <summary>For whom datagrams came that were to be relayed.</summary>
        public ConcurrentBag<PeerId> RelayedTo { get; } = [];

        /// <summary>The next text frame; what was to be relayed before it is lost.</summary>
        public async Task<SignalMessage> ReceiveAsync()
        {
            byte[] buffer = new byte[RelayFrame.MaxLength];
            int length = 0;
            while (true)
            {
                WebSocketReceiveResult part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), stop);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    throw new WebSocketException("the node has closed");
                }

                length += part.Count;
                if (part.EndOfMessage && part.MessageType == WebSocketMessageType.Binary)
                {
                    Assert.True(RelayFrame.TryRead(buffer.AsSpan(0, length), out RelayFrame frame));
                    RelayedTo.Add(frame.Peer);
                    length = 0;
                }
                else if (part.EndOfMessage)
                {
                    Assert.True(SignalCodec.TryRead(buffer.AsSpan(0, length), out SignalMessage? message, out string? problem), problem);
                    return message;
                }
            }
        }

        /// <summary>Registers whoever is there.</summary>
        public async Task<RegisterMessage> RegisterAsync(LimitsDescription? limits = null)
        {
            await SendAsync(Challenge);
            RegisterMessage register = Assert.IsType<RegisterMessage>(await ReceiveAsync());
            await SendAsync(new RegisteredMessage { KeepAliveMs = 15_000, Observed = "203.0.113.1:5", Limits = limits });
            return register;
        }

        public Task CloseAsync(int code, string reason) => socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, stop);

        /// <summary>Reads until the node leaves or the test is over.</summary>
        public async Task HoldAsync()
        {
            while (true)
            {
                _ = await ReceiveAsync();
            }
        }

        public void Abort() => socket.Abort();

        public void Dispose() => socket.Dispose();
    }
}
