using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

/// <summary>One server by two names: two registrations would replace each other as those of two processes with one key do.</summary>
public sealed class SameServerTests : IDisposable
{
    private readonly NodeWorld _world = new();
    private readonly WorldNode _a;
    private readonly WorldNode _b;

    public SameServerTests()
    {
        _a = _world.Add(Keys.Small, "203.0.113.1:1001");
        _b = _world.Add(Keys.Large, "203.0.113.2:2002");
        _world.Run(6);
        _world.Instances[0] = 7;
    }

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_tickets_name_for_the_home_server_is_not_registered_with_and_its_calls_go_home()
    {
        int session = AddSession(instance: 7);
        _world.Register(_a);
        _world.Register(_b);
        CallId call = _a.Core.NewCallId();
        _world.Do(() => _a.Core.Dial(new DialRequest(call, _b.Core.Id) { Sessions = [session] }, _world.Now));
        Assert.Empty(_a.Said<ConnectMessage>());
        _world.Register(_a, session);
        Assert.Equal([0], _a.Signals.Where(static s => s.Message is RegisterMessage).Select(static s => s.Session));
        Assert.Equal(new SessionMerged(session, 0), _a.News<SessionMerged>().Single());
        _world.Do(() => _a.Core.RemoveSession(session, _world.Now));
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.3);
        Assert.Equal([0], _a.Signals.Where(static s => s.Message is ConnectMessage).Select(static s => s.Session));
    }

    [Fact]
    public void The_home_server_waits_for_no_tickets_name_and_comes_back_once_when_that_replaces_it()
    {
        int session = AddSession(instance: 7);
        _world.Do(() => _a.Core.SignallingOpened(session, "other:1", _world.Now));
        _world.Challenge(_a, session);

        // That registration is under way, and which of the two the server sees first, and replaces for good, nobody knows. To wait would leave it to the ticket's server.
        _world.Do(() => _a.Core.SignallingOpened(0, "test:1", _world.Now));
        _world.Challenge(_a, 0);
        Assert.Equal([session, 0], _a.Signals.Where(static s => s.Message is RegisterMessage).Select(static s => s.Session));
        Assert.Equal(new SessionMerged(session, 0), _a.News<SessionMerged>().Single());
        _world.Do(() => _a.Core.RemoveSession(session, _world.Now));
        Assert.True(_a.Core.TakeReplacedByOwn(0));
        Assert.False(_a.Core.TakeReplacedByOwn(0));
    }

    [Fact]
    public void The_home_server_takes_over_what_a_tickets_name_for_it_has()
    {
        int session = AddSession(instance: 7);
        _world.Register(_a, session);
        _world.Register(_a);
        Assert.True(_a.Core.IsRegistered(0));
        Assert.Equal(new SessionMerged(session, 0), _a.News<SessionMerged>().Single());
        Assert.False(_a.Core.TakeReplacedByOwn(0));
    }

    [Fact]
    public void Of_two_configured_names_one_is_enough_while_it_works()
    {
        WorldNode c = _world.Add(Keys.Stranger, "203.0.113.3:3003", static o => o with { Servers = 2 });
        _world.Instances[1] = 7;
        _world.Register(c, 0);
        _world.Do(() => c.Core.SignallingOpened(1, "other:1", _world.Now));
        _world.Challenge(c, 1);
        Assert.Equal(1, c.News<SessionGivenUp>().Single().Session);
        Assert.Empty(c.News<SessionMerged>());
        _world.Do(() => c.Core.SignallingClosed(1, _world.Now));
        _world.Do(() => c.Core.SignallingClosed(0, _world.Now));
        _world.Register(c, 1);
        Assert.True(c.Core.IsRegistered(1));
    }

    [Fact]
    public void Of_two_tickets_names_the_one_that_was_replaced_goes_and_a_word_alone_changes_nothing()
    {
        int first = AddSession(instance: 9);
        int second = AddSession(instance: 9);
        _world.Register(_a, first);
        _world.Register(_a, second);
        Assert.True(_a.Core.IsRegistered(first) && _a.Core.IsRegistered(second));
        Assert.Empty(_a.News<SessionMerged>());
        _world.Do(() => Assert.True(_a.Core.TryMergeReplaced(first)));
        Assert.Equal(new SessionMerged(first, second), _a.News<SessionMerged>().Single());
        _world.Do(() => _a.Core.RemoveSession(first, _world.Now));

        // Nobody else of this node is there: another process has its key.
        _world.Do(() => Assert.False(_a.Core.TryMergeReplaced(second)));
        _world.Do(() => Assert.False(_a.Core.TryMergeReplaced(0)));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(null)]
    public void Other_servers_and_those_that_do_not_say_are_registered_with(int? instance)
    {
        int session = AddSession(instance);
        _world.Register(_a);
        _world.Register(_a, session);
        Assert.True(_a.Core.IsRegistered(0) && _a.Core.IsRegistered(session));
    }

    private int AddSession(int? instance)
    {
        int session = 0;
        _world.Do(() => session = _a.Core.AddSession());
        _world.Do(() => _a.Core.NeedSession(session, _b.Core.Id));
        if (instance is { } number)
        {
            _world.Instances[session] = (byte)number;
        }

        return session;
    }
}
