using System.Net;
using Gimlet.Hosting;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>The ground of a node whose way to its server a test bends: no address that works is named, or relayed datagrams wait.</summary>
internal sealed class BentGround : NodeGround
{
    // Loopback, so that the server tells it to a node on loopback; nobody listens at the discard port.
    private const string DeadAddress = "127.0.0.1:9";

    private readonly Lock _gate = new();
    private readonly Queue<Action> _held = new();
    private bool _holds;

    /// <summary>The peer is told an address at which nobody answers, instead of those that work.</summary>
    public bool NamesDeadAddresses { get; init; }

    /// <summary>Relayed datagrams that come for the node wait from now on.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            _holds = true;
        }
    }

    /// <summary>Those that wait come, in their order, and all others at once.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _holds = false;
            while (_held.TryDequeue(out Action? frame))
            {
                frame();
            }
        }
    }

    public override NodeSockets Bind(int port, bool orAny) => Real.Bind(port, orAny);

    public override List<IPAddress> FindAddresses(int max, bool includeLoopback) => Real.FindAddresses(max, includeLoopback);

    public override IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time) =>
        new Link(this, Real.Open(server, session, new Events(this, events), time));

    private byte[] Bend(byte[] frame)
    {
        if (!NamesDeadAddresses || !SignalCodec.TryRead(frame, out SignalMessage? message, out _))
        {
            return frame;
        }

        CandidateDescription[] dead = [new CandidateDescription { Kind = "host", Address = DeadAddress }];
        return message switch
        {
            RegisterMessage register => SignalCodec.Write(register with { Candidates = dead }),
            UpdateMessage update => SignalCodec.Write(update with { Candidates = dead }),
            ConnectMessage { Candidates.Length: > 0 } connect => SignalCodec.Write(connect with { Candidates = dead }),
            AcceptMessage accept => SignalCodec.Write(accept with { Candidates = dead }),
            CandidatesMessage candidates => SignalCodec.Write(candidates with { Candidates = dead }),
            _ => frame,
        };
    }

    private sealed class Link(BentGround ground, IServerLink inner) : IServerLink
    {
        public bool TrySend(byte[] frame) => inner.TrySend(ground.Bend(frame));

        public bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize) => inner.TryRelay(peer, datagrams, segmentSize);

        public void Restart() => inner.Restart();

        public void Hurry() => inner.Hurry();

        public void RestartAtOnce() => inner.RestartAtOnce();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Events(BentGround ground, ISignallingLinkEvents inner) : ISignallingLinkEvents
    {
        public void LinkOpened(int session, string authority) => inner.LinkOpened(session, authority);

        public void LinkReceived(int session, ReadOnlySpan<byte> frame) => inner.LinkReceived(session, frame);

        public void LinkRelayed(int session, Span<byte> frame)
        {
            lock (ground._gate)
            {
                if (ground._holds)
                {
                    byte[] copy = frame.ToArray();
                    ground._held.Enqueue(() => inner.LinkRelayed(session, copy));
                    return;
                }

                inner.LinkRelayed(session, frame);
            }
        }

        public bool IsMissed(int session) => inner.IsMissed(session);

        public void LinkClosed(int session, string reason, bool final, int failures) => inner.LinkClosed(session, reason, final, failures);
    }
}
