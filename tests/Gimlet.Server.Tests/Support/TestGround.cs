using System.Net;
using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>
/// The machine's own sockets and WebSockets under one node, in the hands of a test: what the server says can be held back, and all of it can vanish
/// as a process that is killed does.
/// </summary>
internal sealed class TestGround : NodeGround
{
    private readonly List<NodeSockets> _sockets = [];
    private readonly List<HeldLink> _links = [];

    /// <summary>Gives each text frame that the node sends; called from any thread.</summary>
    public Action<byte[]>? Sent { get; set; }

    /// <summary>Gives each text frame of a server after the node has had it; called from one thread at a time.</summary>
    public Action<byte[]>? Heard { get; set; }

    /// <summary>How often the node gave up what it had and wanted another connection at once.</summary>
    public int Restarts => _links.Sum(static l => l.Restarts);

    public override NodeSockets Bind(int port, bool orAny)
    {
        NodeSockets sockets = Real.Bind(port, orAny);
        _sockets.Add(sockets);
        return sockets;
    }

    public override List<IPAddress> FindAddresses(int max, bool includeLoopback) => Real.FindAddresses(max, includeLoopback);

    public override IServerLink Open(Uri server, int session, ISignallingLinkEvents events, TimeProvider time)
    {
        var link = new HeldLink(this, server, session, events, time);
        _links.Add(link);
        return link;
    }

    /// <summary>From now on the node hears nothing of its servers, and they hear of it.</summary>
    public void Hold() => _links.ForEach(static l => l.Hold());

    /// <summary>The node hears what was held back, in order, and what comes.</summary>
    public void Release() => _links.ForEach(static l => l.Release());

    /// <summary>Completes when the node has sent a message of this kind.</summary>
    public Task SendsAsync<T>()
        where T : SignalMessage
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Sent += frame => Look<T>(frame, sent);
        return sent.Task.Within();
    }

    /// <summary>Completes when the node has had a message of this kind.</summary>
    public Task HearsAsync<T>()
        where T : SignalMessage
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Heard += frame => Look<T>(frame, heard);
        return heard.Task.Within();
    }

    /// <summary>
    /// Nothing leaves the node or comes to it any more, and nobody was told. A node to which this was done is not disposed: a process that was killed
    /// is not either.
    /// </summary>
    public async Task VanishAsync()
    {
        // The links first: what the node still says with its sockets gone would be heard by the relay.
        foreach (HeldLink link in _links)
        {
            await link.VanishAsync();
        }

        _sockets.ForEach(static s => s.Dispose());
    }

    private static void Look<T>(byte[] frame, TaskCompletionSource seen)
        where T : SignalMessage
    {
        if (SignalCodec.TryRead(frame, out SignalMessage? message, out _) && message is T)
        {
            _ = seen.TrySetResult();
        }
    }

    private sealed class HeldLink : IServerLink, ISignallingLinkEvents
    {
        private readonly TestGround _ground;
        private readonly ISignallingLinkEvents _node;
        private readonly IServerLink _link;
        private readonly Channel<Action<ISignallingLinkEvents>> _news = Channel.CreateUnbounded<Action<ISignallingLinkEvents>>();
        private readonly Task _telling;
        private TaskCompletionSource _open = Opened();
        private volatile bool _isGone;
        private int _restarts;

        public HeldLink(TestGround ground, Uri server, int session, ISignallingLinkEvents node, TimeProvider time)
        {
            (_ground, _node) = (ground, node);
            _telling = Task.Run(TellAsync);
            _link = Real.Open(server, session, this, time);
        }

        public int Restarts => Volatile.Read(ref _restarts);

        public void Hold() => Volatile.Write(ref _open, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        public void Release() => _ = Volatile.Read(ref _open).TrySetResult();

        public async Task VanishAsync()
        {
            _isGone = true;
            await _link.DisposeAsync();
            await EndAsync();
        }

        public bool TrySend(byte[] frame)
        {
            _ground.Sent?.Invoke(frame);
            return !_isGone && _link.TrySend(frame);
        }

        public bool TryRelay(PeerId peer, ReadOnlySpan<byte> datagrams, int segmentSize) => !_isGone && _link.TryRelay(peer, datagrams, segmentSize);

        public void Restart() => _link.Restart();

        public void Hurry() => _link.Hurry();

        public void RestartAtOnce()
        {
            _ = Interlocked.Increment(ref _restarts);
            _link.RestartAtOnce();
        }

        public void LinkOpened(int session, string authority) => Tell(node => node.LinkOpened(session, authority));

        public void LinkReceived(int session, ReadOnlySpan<byte> frame)
        {
            byte[] copy = frame.ToArray();
            Tell(node =>
            {
                node.LinkReceived(session, copy);
                _ground.Heard?.Invoke(copy);
            });
        }

        public void LinkRelayed(int session, Span<byte> frame)
        {
            byte[] copy = frame.ToArray();
            Tell(node => node.LinkRelayed(session, copy));
        }

        public bool IsMissed(int session) => _node.IsMissed(session);

        public void LinkClosed(int session, string reason, bool final, int failures) => Tell(node => node.LinkClosed(session, reason, final, failures));

        public async ValueTask DisposeAsync()
        {
            await _link.DisposeAsync();
            await EndAsync();
        }

        private static TaskCompletionSource Opened()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }

        private void Tell(Action<ISignallingLinkEvents> news) => _ = _news.Writer.TryWrite(news);

        private async Task EndAsync()
        {
            _ = _news.Writer.TryComplete();
            Release();
            await _telling;
        }

        private async Task TellAsync()
        {
            await foreach (Action<ISignallingLinkEvents> news in _news.Reader.ReadAllAsync())
            {
                await Volatile.Read(ref _open).Task;
                if (!_isGone)
                {
                    news(_node);
                }
            }
        }
    }
}
