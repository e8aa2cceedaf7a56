using Gimlet.Server;
using Gimlet.Server.Access;
using Gimlet.Server.Relay;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Simulation;

/// <summary>The real <see cref="RendezvousCore"/> behind a simulated host's channels.</summary>
internal sealed class SimRendezvous
{
    /// <summary>The name that nodes dial.</summary>
    public const string Name = "gimlet.sim";
    public const int Port = 443;

    /// <summary>"About every second", says the core: its timeouts are that precise.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly SimHost _host;
    private readonly SimTimer _tick;
    private readonly RendezvousOptions _options;
    private readonly List<ChannelEnd> _channels = [];
    private RendezvousCore _core;

    public SimRendezvous(SimHost host, byte[] proofKey, RendezvousTimers timers)
    {
        _host = host;
        _options = new RendezvousOptions
        {
            Names = new ServedNames([Name], static _ => false),
            Nonces = host.Random.Fill,

            // An empty host is the one that was dialled.
            Stun = [$":{SimStunServer.Port}", $":{SimStunServer.AlternatePort}"],
            Observations = new Verifier(proofKey, new VirtualClock(host.World)),
            Timers = timers,
        };
        _core = new RendezvousCore(_options);
        _tick = new SimTimer(host.World, Tick);
        Start();
    }

    /// <summary>The core of the present run.</summary>
    public RendezvousCore Core => _core;

    /// <summary>Channels that are open now.</summary>
    public IReadOnlyList<ChannelEnd> Channels => _channels;

    /// <summary>The process dies: its connections are reset and new ones are refused.</summary>
    public void Crash()
    {
        _host.StopListening(Port);
        _tick.Cancel();
        foreach (ChannelEnd channel in _channels.ToArray())
        {
            channel.Break("the server crashed");
        }
    }

    /// <summary>The process comes back and knows nobody.</summary>
    public void Restart()
    {
        _core = new RendezvousCore(_options);
        Start();
    }

    private void Start()
    {
        _host.Listen(Port, Accept);
        _tick.Set(_host.World.Now + TickInterval);
    }

    private void Tick()
    {
        _core.Tick(_host.World.Now);
        _tick.Set(_host.World.Now + TickInterval);
    }

    private void Accept(ChannelEnd channel)
    {
        // The session belongs to the core of this run, which after a crash is another.
        RendezvousCore core = _core;
        _channels.Add(channel);
        RendezvousSession session = core.Connect(new Output(channel), new ConnectionInfo
        {
            Remote = channel.Remote,
            Authority = Identity.Statement.Authority(Name, Port),
            Now = _host.World.Now,
        });
        channel.OnMessage = message => core.Handle(session, message.Span, _host.World.Now);
        channel.OnBinary = frame =>
        {
            byte[] buffer = RelayBuffers.Rent(frame.Length);
            frame.CopyTo(buffer, 0);
            if (!core.HandleBinary(session, buffer, frame.Length, _host.World.Now))
            {
                RelayBuffers.Return(buffer);
            }
        };
        channel.OnClosed = close =>
        {
            _ = _channels.Remove(channel);
            core.Disconnected(session, _host.World.Now);
        };
    }

    private sealed class Output(ChannelEnd channel) : ISessionOutput
    {
        public bool TrySend(ReadOnlyMemory<byte> utf8)
        {
            channel.Send(utf8.Span);
            return true;
        }

        public void RelayReady(RelayQueue queue)
        {
            while (queue.TryDequeue(out RelayedFrame frame))
            {
                channel.SendBinary(frame.Bytes.ToArray());
                RelayBuffers.Return(frame.Buffer);
            }
        }

        public void Close(int code, string reason) => channel.Close(code, reason);
    }

    private sealed class Verifier(byte[] key, VirtualClock clock) : IObservationVerifier
    {
        public bool IsProven(TransportAddress address, ReadOnlySpan<byte> proof, TimeSpan now) =>
            ObservationProof.TryVerify(proof, address, key, clock.GetUtcNow());
    }
}
