using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Stun;

namespace Gimlet.Tests.Support;

/// <summary>
/// Two agents of one call and a wire between them that does what a test tells it: <c>pair.Lose(...)</c>, <c>pair.Rebind(pair.A)</c>,
/// <c>pair.Run(2.5)</c>. A has the smaller id, so it controls; A is the caller. The wire has no NAT: who knows an address reaches it.
/// </summary>
internal sealed class Pair : IDisposable
{
    public static readonly TransportAddress AddressOfA = TransportAddress.Parse("198.51.100.1:1001");
    public static readonly TransportAddress AddressOfB = TransportAddress.Parse("203.0.113.2:2002");

    private readonly PriorityQueue<Packet, (TimeSpan At, int Order)> _inFlight = new();
    private readonly List<Func<Packet, bool>> _losses = [];
    private int _order;
    private int _rebinds;

    public Pair(TraversalOptions? options = null, TransportAddress[]? a = null, TransportAddress[]? b = null, bool allowLoopback = false)
    {
        Options = options ?? new TraversalOptions();
        A = new Side("a", a ?? [AddressOfA], Options, Keys.Small, 1, allowLoopback);
        B = new Side("b", b ?? [AddressOfB], Options, Keys.Large, 2, allowLoopback);
        Span<byte> id = stackalloc byte[CallId.Size];
        SeededRandom.From(3)(id);
        var call = new CallId(id);
        (CallKeys caller, CallKeys callee) = Keys.OfCall(call, Keys.Small.Id, Keys.Large.Id);
        KeyOfA = caller.Caller.ToArray();
        KeyOfB = caller.Callee.ToArray();
        A.Agent = new CallAgent(A.Context, A, call, Keys.Large.Id, isCaller: true, isControlling: true, caller, TimeSpan.Zero);
        B.Agent = new CallAgent(B.Context, B, call, Keys.Small.Id, isCaller: false, isControlling: false, callee, TimeSpan.Zero);
    }

    public TraversalOptions Options { get; }

    /// <summary>What A's requests are signed with.</summary>
    public byte[] KeyOfA { get; }

    public byte[] KeyOfB { get; }

    public Side A { get; }

    public Side B { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>How long a datagram takes.</summary>
    public Func<Packet, TimeSpan> Delay { get; set; } = static _ => TimeSpan.FromMilliseconds(20);

    /// <summary>Everything that was sent, lost or not.</summary>
    public List<Packet> Sent { get; } = [];

    /// <summary>Everything that arrived.</summary>
    public List<Packet> Delivered { get; } = [];

    /// <summary>Both get the other's addresses, as an introduction does.</summary>
    public Pair Introduce()
    {
        A.Learn(Now, [.. B.Addresses.Select(Describe)]);
        B.Learn(Now, [.. A.Addresses.Select(Describe)]);
        return this;
    }

    /// <summary>Introduces both and runs until both have settled on a nominated pair.</summary>
    public Pair Connect()
    {
        _ = Introduce();
        Run(1);
        Assert.Equal(CallState.Connected, A.Agent.State);
        Assert.Equal(CallState.Connected, B.Agent.State);
        return this;
    }

    /// <summary>A check as a side would send it, or with anything about it wrong.</summary>
    public byte[] Forge(Side from, CheckPurpose purpose = CheckPurpose.Check, uint value = 0, byte[]? key = null)
    {
        byte[] buffer = new byte[512];
        byte[] id = new byte[12];
        BitConverter.TryWriteBytes(id, ++_order);
        bool isA = ReferenceEquals(from, A);
        int length = CheckMessages.WriteRequest(
            buffer, new StunTransactionId(id), CheckMessages.Username(from.Agent.Id, isA), key ?? (isA ? KeyOfA : KeyOfB), new CheckContent(purpose, value, isA, 1, 1));
        return buffer[..length];
    }

    /// <summary>An answer to a request that was sent.</summary>
    public static byte[] ForgeAnswer(Packet request, byte[] key)
    {
        byte[] buffer = new byte[512];
        Assert.True(StunMessage.TryParse(request.Bytes, out StunMessage message));
        return buffer[..CheckMessages.WriteAnswer(buffer, message, request.From, key)];
    }

    public static Candidate Describe(TransportAddress address) =>
        new(address.IsPrivate || address.IsLoopback ? CandidateKind.Host : CandidateKind.ServerReflexive, address);

    /// <summary>Loses what matches, from now on; dispose the result to stop that.</summary>
    public IDisposable Lose(Func<Packet, bool> what)
    {
        _losses.Add(what);
        return new Undo(() => _losses.Remove(what));
    }

    /// <summary>Loses the next datagram that matches.</summary>
    public void LoseNext(Func<Packet, bool> what)
    {
        bool done = false;
        _losses.Add(p => !done && (done = what(p)));
    }

    public IDisposable LoseAll() => Lose(static _ => true);

    /// <summary>The NAT in front of a side forgets its mapping: the side has another outside address, the old one leads nowhere.</summary>
    public TransportAddress Rebind(Side side)
    {
        int at = side.Addresses.FindIndex(a => !a.IsPrivate);
        side.Addresses[at] = side.Addresses[at].WithPort(40_000 + ++_rebinds);
        return side.Addresses[at];
    }

    /// <summary>Puts a datagram on the wire that neither side made.</summary>
    public void Inject(TransportAddress from, TransportAddress to, byte[] bytes) =>
        _inFlight.Enqueue(new Packet(Now, from, to, bytes), (Now, _order++));

    public void Run(double seconds) => RunUntil(Now + TimeSpan.FromSeconds(seconds), static () => false);

    /// <summary>Runs until something holds; fails when it does not within the time.</summary>
    public void RunUntil(Func<bool> holds, double withinSeconds) =>
        Assert.True(RunUntil(Now + TimeSpan.FromSeconds(withinSeconds), holds), $"it did not happen within {withinSeconds} s");

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private bool RunUntil(TimeSpan end, Func<bool> holds)
    {
        Collect();
        int guard = 0;
        TimeSpan last = Now;
        while (!holds())
        {
            TimeSpan next = Min(A.Agent.NextTimeout, B.Agent.NextTimeout);
            if (_inFlight.TryPeek(out _, out (TimeSpan At, int Order) head))
            {
                next = Min(next, head.At);
            }

            if (next > end)
            {
                Now = end;
                return false;
            }

            Now = next > Now ? next : Now;
            guard = Now == last ? guard + 1 : 0;
            last = Now;
            Assert.True(guard < 1000, "the agents spin: a timer is due and nothing comes of it");
            while (_inFlight.TryPeek(out Packet? packet, out head) && head.At <= Now)
            {
                _ = _inFlight.Dequeue();
                Deliver(packet);
            }

            A.Wake(Now);
            B.Wake(Now);
            Collect();
        }

        return true;
    }

    private void Deliver(Packet packet)
    {
        foreach (Side side in new[] { A, B })
        {
            if (side.Addresses.Contains(packet.To))
            {
                Delivered.Add(packet);
                _ = side.Receive(Now, packet.To, packet.From, packet.Bytes);
                Collect();
            }
        }
    }

    private void Collect()
    {
        foreach (Side side in new[] { A, B })
        {
            while (side.Transmits.TryDequeue(out Datagram datagram))
            {
                // An answer leaves from where the request came to, if that address is still ours.
                TransportAddress from = side.Addresses.Contains(datagram.From) ? datagram.From : side.SourceFor(datagram.Remote);
                var packet = new Packet(Now, from, datagram.Remote, datagram.Bytes.ToArray());
                side.Transmits.Return(datagram.Buffer);
                Sent.Add(packet);
                if (!_losses.Exists(l => l(packet)))
                {
                    _inFlight.Enqueue(packet, (Now + Delay(packet), _order++));
                }
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class Undo(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
