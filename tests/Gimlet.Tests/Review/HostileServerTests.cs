using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Review;

public sealed class HostileServerTests : IDisposable
{
    private readonly NodeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Words_from_the_other_side_reach_nobodys_terminal_with_control_characters_or_at_any_length()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001");
        _world.Register(a);
        _world.OnSignal = static (_, m) => m;
        CallId call = _world.Dial(a, Keys.Large.Id);
        string nasty = "\u001b[2Jgone\r\nroot# \u202Etxt" + new string('x', 10_000);
        _world.Tell(a, 0, new RejectMessage { Call = call.ToString(), Reason = RejectReason.Refused, Detail = nasty });
        _world.Tell(a, 0, new ErrorMessage { Code = "a\nb", Detail = nasty });
        CallFailed failed = a.News<CallFailed>().Single();
        SessionError error = a.News<SessionError>().Single();
        foreach (string text in new[] { failed.Message, error.Detail, error.Code })
        {
            Assert.DoesNotContain(text, char.IsControl);
            Assert.DoesNotContain('\u202E', text);
            Assert.True(text.Length < 400, text);
        }

        Assert.Contains("gone", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Naming_other_stun_servers_at_each_connection_makes_no_list_grow()
    {
        var world = new Gathering();
        for (int i = 0; i < 100; i++)
        {
            _ = world.Ask([.. Enumerable.Range(0, 4).Select(n => TransportAddress.Parse($"198.51.100.{i}:{1000 + n}"))]).Run(30);
        }

        Assert.Equal(32, world.Gatherer.Targets.Count);
        Assert.Contains(world.Gatherer.Targets, t => t.Address == TransportAddress.Parse("198.51.100.99:1003"));
        Assert.True(world.Gatherer.Failures.Count <= 32, $"{world.Gatherer.Failures.Count}");
    }

    [Fact]
    public void A_stun_server_that_answers_outlives_those_that_do_not()
    {
        Gathering world = new Gathering().Answer(Gathering.Server1, Gathering.Mapped).Ask(Gathering.Server1).Run(5);
        for (int i = 0; i < 20; i++)
        {
            _ = world.Ask([.. Enumerable.Range(0, 4).Select(n => TransportAddress.Parse($"198.51.100.{i}:{1000 + n}"))]).Run(5);
        }

        Assert.Contains(world.Gatherer.Targets, t => t.Address == Gathering.Server1);
        Assert.Equal(Gathering.Mapped, world.Gatherer.Public.Address);
    }

    [Fact]
    public void A_node_with_many_calls_stays_below_the_rate_at_which_a_server_closes_it()
    {
        WorldNode hub = _world.Add(Keys.Large, "203.0.113.2:2002");
        WorldNode[] callers = [.. Enumerable.Range(0, 4).Select(i => _world.Add(NodeIdentity.Create(), $"203.0.113.{10 + i}:1001"))];
        _world.Register(hub);
        foreach (WorldNode caller in callers)
        {
            _world.Register(caller);
        }

        _world.Run(6);
        for (int i = 0; i < 120; i++)
        {
            _ = _world.Dial(callers[i % 4], hub.Core.Id);
            _world.Run(0.1);
        }

        _world.Run(2);
        Assert.Equal(120, hub.News<CallConnected>().Count());
        _world.Do(() => hub.Core.SignallingClosed(0, _world.Now));
        int before = hub.Signals.Count;
        _world.Register(hub);
        Assert.InRange(hub.Signals.Count - before, 10, 99);
    }
}
