using System.Net;
using Gimlet.Hosting;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>The machine's own sockets and servers, where the word of a call may be late.</summary>
internal sealed class LateGround : NodeGround, IDisposable
{
    private readonly ManualResetEventSlim _mayCome = new(initialState: true);

    /// <summary>From now on the next <c>incoming</c>, and what follows it, waits for <see cref="Release"/>.</summary>
    public void HoldBack() => _mayCome.Reset();

    public void Release() => _mayCome.Set();

    public override List<IPAddress> FindAddresses(int max, bool includeLoopback) => Real.FindAddresses(max, includeLoopback);

    public override NodeSockets Bind(int port, bool orAny) => Real.Bind(port, orAny);

    public override IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time) =>
        Real.Open(server, session, new Late(events, _mayCome), time);

    public void Dispose() => _mayCome.Dispose();

    private sealed class Late(ISignallingLinkEvents events, ManualResetEventSlim mayCome) : ISignallingLinkEvents
    {
        public void LinkOpened(int session, string authority) => events.LinkOpened(session, authority);

        // The link's own task waits, as it would for a segment that was lost.
        public void LinkReceived(int session, ReadOnlySpan<byte> frame)
        {
            if (SignalCodec.TryRead(frame, out SignalMessage? message, out _) && message is IncomingMessage)
            {
                Assert.True(mayCome.Wait(Nodes.Deadline), "nobody released the call");
            }

            events.LinkReceived(session, frame);
        }

        public void LinkRelayed(int session, Span<byte> frame) => events.LinkRelayed(session, frame);

        public bool IsMissed(int session) => events.IsMissed(session);

        public void LinkClosed(int session, string reason, bool final, int failures) => events.LinkClosed(session, reason, final, failures);
    }
}
