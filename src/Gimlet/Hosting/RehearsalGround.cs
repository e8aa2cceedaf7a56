using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>
/// What the nodes of a rehearsal stand on: real sockets on the loopback address, so that a direct path opens as well, and the little of a server that they need: real frames,
/// and no network.
/// </summary>
internal sealed class RehearsalGround : NodeGround
{
    private readonly ConcurrentDictionary<PeerId, MemoryLink> _nodes = new();

    public override NodeSockets Bind(int port, bool orAny) => NodeSockets.BindLoopback();

    public override List<IPAddress> FindAddresses(int max, bool includeLoopback) => [IPAddress.Loopback];

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
            case UpdateMessage { Candidates: not null } update when from.Record is not null:
                from.Record = from.Record with { Candidates = update.Candidates };
                break;
            case ConnectMessage connect when PeerId.TryParse(connect.Target, out PeerId target) && _nodes.TryGetValue(target, out MemoryLink? callee):
                Introduce(from, callee, connect);
                break;
            case CandidatesMessage candidates when from.Partner is { } partner:
                partner.Deliver(candidates);
                break;
            default:
                break;
        }
    }

    private static void Introduce(MemoryLink caller, MemoryLink callee, ConnectMessage connect)
    {
        (caller.Partner, callee.Partner) = (callee, caller);
        callee.Deliver(new IncomingMessage
        {
            Call = connect.Call,
            Peer = caller.Id.ToString(),
            PublicKey = caller.Record!.PublicKey,
            Ephemeral = connect.Ephemeral,
            Candidates = connect.Candidates,
            Nat = connect.Nat,
            Capabilities = caller.Record.Capabilities,
            Protocol = connect.Protocol,
        });
        caller.Deliver(new IntroduceMessage
        {
            Call = connect.Call,
            Peer = connect.Target,
            PublicKey = callee.Record!.PublicKey,
            Prekey = callee.Record.Prekey,
            Candidates = callee.Record.Candidates,
            Nat = callee.Record.Nat,
            Capabilities = callee.Record.Capabilities,
        });
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
        private readonly RehearsalGround _server;
        private readonly int _session;
        private readonly ISignallingLinkEvents _events;
        private readonly Channel<(byte[] Frame, bool IsText)> _queue = Channel.CreateUnbounded<(byte[], bool)>();
        private readonly LinkOutput _output = new();
        private readonly Task _loop;
        private readonly Task _sending;

        public MemoryLink(RehearsalGround server, int session, ISignallingLinkEvents events)
        {
            _server = server;
            _session = session;
            _events = events;
            _loop = Task.Run(CarryAsync);
            _sending = Task.Run(SendAsync);
        }

        public RegisterMessage? Record { get; set; }

        /// <summary>The other side of the last call.</summary>
        public MemoryLink? Partner { get; set; }

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
