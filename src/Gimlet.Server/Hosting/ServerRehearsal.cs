using System.Net;
using System.Security.Cryptography;
using Gimlet.Node;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Hosting;

/// <summary>
/// Two nodes register with a rendezvous in memory and one calls the other, once per process, while the real server starts: the first real
/// call then finds its code compiled instead of waiting for it.
/// </summary>
internal static class ServerRehearsal
{
    private const string Authority = "localhost:1";

    // Challenge, register, registered, connect, introduce: a handful of rounds; the bound only keeps a bug from spinning.
    private const int MaxRounds = 8;

    private static readonly Lazy<Task> Once = new(static () => Task.Run(Play));

    /// <summary>Completes when the rehearsal is over; starts it when nobody has yet.</summary>
    public static Task Done => Once.Value;

    private static void Play()
    {
        var core = new RendezvousCore(new RendezvousOptions { Names = new AnyName(), Nonces = RandomNumberGenerator.Fill, AllowLoopback = true });
        using var caller = new Actor(core, 1);
        using var callee = new Actor(core, 2);
        for (int round = 0; round < MaxRounds; round++)
        {
            caller.Exchange();
            callee.Exchange();
            if (round == MaxRounds / 2)
            {
                caller.Node.Dial(caller.Node.NewCallId(), callee.Node.Id, TimeSpan.Zero);
            }
        }

        core.Tick(TimeSpan.Zero);
        caller.Leave();
        callee.Leave();
    }

    private sealed class AnyName : IServedNames
    {
        public string Remedy => string.Empty;

        public bool Serves(string authority) => true;
    }

    private sealed class Actor : ISessionOutput, IDisposable
    {
        private readonly RendezvousCore _core;
        private readonly NodeIdentity _identity = NodeIdentity.Create();
        private readonly Queue<byte[]> _received = new();
        private readonly RendezvousSession _session;

        public Actor(RendezvousCore core, int port)
        {
            _core = core;
            Node = new NodeCore(new NodeCoreOptions { Identity = _identity, Traversal = new TraversalOptions(), Random = RandomNumberGenerator.Fill, Servers = 1, AllowLoopback = true });
            Node.Start((port, 0), [IPAddress.Loopback], TimeSpan.Zero);
            Node.SignallingOpened(0, Authority, TimeSpan.Zero);
            _session = core.Connect(this, new ConnectionInfo { Remote = new TransportAddress(IPAddress.Loopback, port), Authority = Authority, Now = TimeSpan.Zero });
        }

        public NodeCore Node { get; }

        public void Exchange()
        {
            while (_received.TryDequeue(out byte[]? frame))
            {
                Node.HandleSignal(0, frame, TimeSpan.Zero);
            }

            while (Node.PollSignal(out _, out SignalMessage? message))
            {
                _core.Handle(_session, SignalCodec.Write(message!), TimeSpan.Zero);
            }
        }

        public void Leave() => _core.Disconnected(_session, TimeSpan.Zero);

        public bool TrySend(ReadOnlyMemory<byte> utf8)
        {
            _received.Enqueue(utf8.ToArray());
            return true;
        }

        public void Close(int code, string reason) => _received.Clear();

        public void Dispose()
        {
            Node.Dispose();
            _identity.Dispose();
        }
    }
}
