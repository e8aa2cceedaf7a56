using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>
/// Two nodes without sockets and a server in memory: one dials the other by the relay, and both exchange a round trip. What is compiled by it is everything
/// between the application and the WebSocket.
/// </summary>
internal static class NodeRehearsal
{
    private const string Protocol = "rehearsal";

    // A rehearsal that does not end must not hold a start up; nothing depends on its success.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    public static async Task PlayAsync()
    {
        using var bound = new CancellationTokenSource(Bound);
        var server = new MemoryServer();
        var options = new GimletNodeOptions
        {
            Servers = [new Uri("http://rehearsal.invalid")],
            Protocols = [Protocol],
            MetadataAddress = null,
            Ground = server,
            ServerTimeout = Bound,
        };
        try
        {
            GimletNode callee = await GimletNode.StartAsync(options, bound.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable endOfCallee = callee.ConfigureAwait(false);
            GimletNode caller = await GimletNode.StartAsync(options, bound.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable endOfCaller = caller.ConfigureAwait(false);
            foreach (PathPolicy policy in new[] { PathPolicy.RelayThenDirect, PathPolicy.RelayOnly })
            {
                await DialAsync(caller, callee, policy, bound.Token).ConfigureAwait(false);
            }

            _ = caller.GetStatistics();
        }
        catch (Exception e) when (e is OperationCanceledException or GimletException or ObjectDisposedException)
        {
            // A machine too busy to play it in time pays when the first call comes.
        }
    }

    private static async Task DialAsync(GimletNode caller, GimletNode callee, PathPolicy policy, CancellationToken bound)
    {
        Task<GimletConnection> accepting = callee.AcceptAsync(bound);
        GimletConnection dialled = await caller.ConnectAsync(callee.Id, new ConnectOptions { Policy = policy, Dialing = static _ => { } }, bound).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable end = dialled.ConfigureAwait(false);
        GimletConnection accepted = await accepting.ConfigureAwait(false);
        foreach (GimletConnection connection in new[] { dialled, accepted })
        {
            connection.PathChanged += static _ => { };
            connection.PingAnswered += static _ => { };
            _ = connection.IsAuthenticated ? connection.ConnectTime : default;
            _ = connection.WhyRelayed.Explanation + connection.WhyRelayed.Cause.ToCauseString() + connection.Path?.Server;
        }

        _ = await dialled.PingAsync(bound).ConfigureAwait(false);
        _ = await accepted.PingAsync(bound).ConfigureAwait(false);
    }

    /// <summary>The little of a server that a rehearsal needs: real frames, and no network.</summary>
    private sealed class MemoryServer : NodeGround
    {
        private readonly ConcurrentDictionary<PeerId, MemoryLink> _nodes = new();

        public override NodeSockets Bind(int port, bool orAny) => NodeSockets.None();

        public override IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time) => new MemoryLink(this, session, events);

        private void Handle(MemoryLink from, ReadOnlySpan<byte> frame)
        {
            if (!SignalCodec.TryRead(frame, out SignalMessage? message, out _))
            {
                return;
            }

            switch (message)
            {
                case RegisterMessage register:
                    from.Record = register;
                    _nodes[PeerId.FromPublicKey(register.PublicKey)] = from;
                    from.Deliver(new RegisteredMessage
                    {
                        KeepAliveMs = 15_000,
                        Limits = new LimitsDescription { MessageBytes = SignalProtocol.MaxMessageBytes, RelayFrameBytes = RelayFrame.MaxLength },
                    });
                    break;
                case ConnectMessage connect when PeerId.TryParse(connect.Target, out PeerId target) && _nodes.TryGetValue(target, out MemoryLink? callee):
                    from.Deliver(new IntroduceMessage
                    {
                        Call = connect.Call,
                        Peer = connect.Target,
                        PublicKey = callee.Record!.PublicKey,
                        Prekey = callee.Record.Prekey,
                        Candidates = [],
                        Capabilities = callee.Record.Capabilities,
                    });
                    callee.Deliver(new IncomingMessage
                    {
                        Call = connect.Call,
                        Peer = from.Id.ToString(),
                        PublicKey = from.Record!.PublicKey,
                        Ephemeral = connect.Ephemeral,
                        Candidates = [],
                        Capabilities = from.Record.Capabilities,
                        Protocol = connect.Protocol,
                    });
                    break;
                default:
                    break;
            }
        }

        private void Relay(MemoryLink from, byte[] frame)
        {
            if (RelayFrame.TryRead(frame, out RelayFrame header) && _nodes.TryGetValue(header.Peer, out MemoryLink? receiver))
            {
                RelayFrame.WritePeer(frame, from.Id);
                receiver.Deliver(frame, isText: false);
            }
        }

        /// <summary>One node's end: what is for it is handed over by a task of its own, as a WebSocket's is.</summary>
        private sealed class MemoryLink : IServerLink
        {
            private readonly MemoryServer _server;
            private readonly int _session;
            private readonly ISignallingLinkEvents _events;
            private readonly Channel<(byte[] Frame, bool IsText)> _queue = Channel.CreateUnbounded<(byte[], bool)>();
            private readonly LinkOutput _output = new();
            private readonly Task _loop;
            private readonly Task _sending;

            public MemoryLink(MemoryServer server, int session, ISignallingLinkEvents events)
            {
                _server = server;
                _session = session;
                _events = events;
                _loop = Task.Run(CarryAsync);
                _sending = Task.Run(SendAsync);
            }

            public RegisterMessage? Record { get; set; }

            public PeerId Id => PeerId.FromPublicKey(Record!.PublicKey);

            public bool TrySend(byte[] frame)
            {
                _server.Handle(this, frame);
                return true;
            }

            public bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize) => _output.TryAddRelayed(peer, datagrams, segmentSize);

            public void Restart()
            {
            }

            public void Hurry()
            {
            }

            public void RestartAtOnce()
            {
            }

            public void Deliver(SignalMessage message) => Deliver(SignalCodec.Write(message), isText: true);

            public void Deliver(byte[] frame, bool isText) => _ = _queue.Writer.TryWrite((frame, isText));

            public async ValueTask DisposeAsync()
            {
                _output.Complete();
                await _sending.ConfigureAwait(false);
                _output.Dispose();
                _ = _queue.Writer.TryComplete();
                await _loop.ConfigureAwait(false);
            }

            private async Task SendAsync()
            {
                do
                {
                    while (_output.TryTake(out _, out RelayedFrame? relayed))
                    {
                        using (relayed)
                        {
                            _server.Relay(this, relayed!.Bytes.ToArray());
                        }
                    }
                }
                while (await _output.WaitAsync(CancellationToken.None).ConfigureAwait(false));
            }

            private async Task CarryAsync()
            {
                _events.LinkOpened(_session, "rehearsal.invalid:80");
                Deliver(new ChallengeMessage { Nonce = new byte[SignalProtocol.NonceLength], Stun = [] });
                await foreach ((byte[] frame, bool isText) in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
                {
                    if (isText)
                    {
                        _events.LinkReceived(_session, frame);
                    }
                    else
                    {
                        _events.LinkRelayed(_session, frame);
                    }
                }
            }
        }
    }
}
