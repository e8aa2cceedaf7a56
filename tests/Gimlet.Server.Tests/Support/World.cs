using Gimlet.Server.Access;
using Gimlet.Server.Relay;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Tests.Support;

/// <summary>A core with a clock that the test moves.</summary>
internal sealed class World
{
    public const string Authority = "gimlet.example.org:443";

    private readonly Random _random = new(1);

    public World(Func<RendezvousOptions, RendezvousOptions>? with = null)
    {
        var options = new RendezvousOptions
        {
            Names = new ServedNames(["gimlet.example.org"], static _ => false),
            Nonces = _random.NextBytes,
            Stun = [":3478", ":3479"],
        };
        Core = new RendezvousCore(with?.Invoke(options) ?? options);
    }

    public RendezvousCore Core { get; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(5);

    public WorldNode Connect(string remote = "198.51.100.7:50000", string authority = Authority) => new(this, remote, authority);

    public WorldNode Register(string remote = "198.51.100.7:50000", string accept = AcceptMode.Open, TestNode? node = null, Func<RegisterMessage, RegisterMessage>? with = null)
    {
        WorldNode connected = new(this, remote, Authority, node);
        connected.Register(accept, with);
        _ = connected.Output.Next<RegisteredMessage>();
        return connected;
    }

    /// <summary>Moves the clock, with a tick at every second on the way.</summary>
    public void Advance(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        while (Now < end)
        {
            TimeSpan step = end - Now < TimeSpan.FromSeconds(1) ? end - Now : TimeSpan.FromSeconds(1);
            Now += step;
            Core.Tick(Now);
        }
    }

    /// <summary>Moves the clock while every node answers pings.</summary>
    public void AdvanceAlive(double seconds, params WorldNode[] nodes)
    {
        for (int i = 0; i < (int)seconds; i++)
        {
            foreach (WorldNode node in nodes)
            {
                node.Send(new PongMessage { Id = i });
            }

            Advance(1);
        }
    }
}

/// <summary>One node's session in a <see cref="World"/>.</summary>
internal sealed class WorldNode
{
    private readonly World _world;

    public WorldNode(World world, string remote, string authority, TestNode? node = null)
    {
        _world = world;
        Node = node ?? new TestNode();
        Output = new FakeOutput();
        Authority = authority;
        Session = world.Core.Connect(Output, new ConnectionInfo { Remote = TransportAddress.Parse(remote), Authority = authority, Now = world.Now });
    }

    public TestNode Node { get; }

    public FakeOutput Output { get; }

    public RendezvousSession Session { get; }

    public string Authority { get; }

    public PeerId Id => Node.Id;

    public void Register(string accept = AcceptMode.Open, Func<RegisterMessage, RegisterMessage>? with = null)
    {
        ChallengeMessage challenge = Output.Next<ChallengeMessage>();
        RegisterMessage message = Node.Register(challenge.Nonce, Authority, accept);
        Send(with?.Invoke(message) ?? message);
    }

    public void Send(SignalMessage message) => _world.Core.Handle(Session, SignalCodec.Write(message), _world.Now);

    public void SendRaw(ReadOnlySpan<byte> frame) => _world.Core.Handle(Session, frame, _world.Now);

    public void SendBinary(ReadOnlySpan<byte> frame)
    {
        byte[] buffer = RelayBuffers.Rent(frame.Length);
        frame.CopyTo(buffer);
        if (!_world.Core.HandleBinary(Session, buffer, frame.Length, _world.Now))
        {
            RelayBuffers.Return(buffer);
        }
    }

    /// <summary>Sends one datagram by the relay.</summary>
    public void Relay(WorldNode to, byte[] datagram) => SendBinary(Frames.Single(to.Id, datagram));

    /// <summary>The next datagrams that came by the relay, and who sent them.</summary>
    public (PeerId From, byte[][] Datagrams)? NextRelayed() => Output.TakeRelayed() is { } frame ? Frames.Read(frame) : null;

    public string Call(WorldNode target)
    {
        ConnectMessage message = Node.Call(target.Id);
        Send(message);
        return message.Call!;
    }

    public void Disconnect() => _world.Core.Disconnected(Session, _world.Now);

    public void ShouldBeRefused(string code, int closeCode)
    {
        Assert.Equal(code, Output.Next<ErrorMessage>().Code);
        ShouldBeClosed(code, closeCode);
    }

    public void ShouldBeClosed(string code, int closeCode)
    {
        Assert.Equal((closeCode, code, 1), (Output.CloseCode, Output.CloseReason, Output.Closes));
        Assert.True(Session.IsClosed);
    }

    public void ShouldBeRejected(string call, string reason)
    {
        RejectMessage reject = Output.Next<RejectMessage>();
        Assert.Equal((call, reason), (reject.Call, reject.Reason));
        Assert.False(string.IsNullOrEmpty(reject.Detail));
    }
}
