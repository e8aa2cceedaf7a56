using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

/// <summary>A server that has lost its mind: whatever it says, a node goes on.</summary>
public sealed class SignalFuzzTests : IDisposable
{
    private const int PerMessage = 2_000;

    private readonly NodeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_truncation_and_thousands_of_mutations_of_genuine_messages_break_nothing()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001");
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", o => o with { OnAccept = true });
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);

        // Genuine ones, signatures and all, on their way to a (introduce) and to b (incoming).
        var genuine = new List<(WorldNode To, byte[] Text)>();
        _world.OnSignal = (node, message) =>
        {
            genuine.Add((node, SignalCodec.Write(message)));
            return message;
        };
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.Has<CallConnected>() && b.Has<CallConnected>(), withinSeconds: 1);
        foreach (WorldNode node in new[] { a, b })
        {
            genuine.Add((node, SignalCodec.Write(new CandidatesMessage { Call = call.ToString(), Candidates = [new CandidateDescription { Kind = "srflx", Address = "192.0.2.1:1" }], Nat = new NatDescription { Mapping = "unknown", Evidence = "x" } })));
            genuine.Add((node, SignalCodec.Write(new RejectMessage { Call = call.ToString(), Reason = RejectReason.Offline })));
            genuine.AddRange(SignalSamples.All.Select(m => (node, SignalCodec.Write(m))));
        }

        Assert.Contains(genuine, g => g.Text.AsSpan().IndexOf("\"introduce\""u8) >= 0);
        Assert.Contains(genuine, g => g.Text.AsSpan().IndexOf("\"incoming\""u8) >= 0);
        int seed = 0;
        foreach ((WorldNode to, byte[] text) in genuine)
        {
            foreach (byte[] bytes in Mutations.Truncations(text).Concat(Mutations.Random(text, ++seed, count: PerMessage)))
            {
                to.Core.HandleSignal(0, bytes, _world.Now);
            }
        }

        // The connection that was there is there, and the node still calls and is called.
        _world.OnSignal = static (_, message) => message;
        _world.Run(1);
        _world.Do(() => Assert.True(a.Core.TryPing(call, 1, _world.Now)));
        _world.Run(1);
        _ = Assert.Single(a.News<CallPong>());
        _world.Register(a);
        _world.Register(b);
        CallId second = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.News<CallConnected>().Any(c => c.Handle == second), withinSeconds: 1);
    }
}
