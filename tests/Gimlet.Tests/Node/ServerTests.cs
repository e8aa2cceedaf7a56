using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

public sealed class ServerTests : IDisposable
{
    private readonly NodeWorld _world = new();
    private readonly WorldNode _a;
    private readonly WorldNode _b;

    public ServerTests()
    {
        _a = _world.Add(Keys.Small, "203.0.113.1:1001", o => o with { Servers = 3 });
        _b = _world.Add(Keys.Large, "203.0.113.2:2002", o => o with { Servers = 3 });
        _world.Run(6);
    }

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_dial_before_the_registration_goes_out_with_it()
    {
        _world.Register(_b);
        _ = _world.Dial(_a, _b.Core.Id);
        _world.Run(2);
        Assert.Empty(_a.Said<ConnectMessage>());
        _world.Register(_a);
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.2);
    }

    [Fact]
    public void A_dial_that_no_server_takes_in_time_says_so()
    {
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.Run(11);
        CallFailed failed = _a.News<CallFailed>().Single();
        Assert.Equal((call, GimletErrorKind.ServerUnreachable), (failed.Handle, failed.Kind));
    }

    [Fact]
    public void A_dial_that_nobody_answers_times_out()
    {
        _world.Register(_a);
        _world.OnSignal = static (_, _) => null;
        _ = _world.Dial(_a, _b.Core.Id);
        _world.Run(11);
        Assert.Equal(GimletErrorKind.TimedOut, _a.News<CallFailed>().Single().Kind);
    }

    [Fact]
    public void A_dial_survives_the_loss_of_its_server()
    {
        _world.Register(_a);
        _world.Register(_b);
        _world.Run(0.1);
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.Do(() => _a.Core.SignallingClosed(0, _world.Now));
        _world.OnSignal = (node, m) => ReferenceEquals(node, _a) && m is IntroduceMessage ? null : m;
        _world.Run(1);
        Assert.DoesNotContain(_a.Events, e => e is CallEvent and not CallRouted);
        _world.OnSignal = static (_, m) => m;
        _world.Register(_a);
        _world.Run(0.5);
        Assert.Equal([call.ToString(), call.ToString()], _a.Said<ConnectMessage>().Select(c => c.Call));
    }

    [Fact]
    public void Another_server_takes_the_dial_of_one_that_was_lost()
    {
        _world.Register(_a, 0);
        _world.Register(_a, 1);
        _world.Register(_b, 1);
        _world.Run(0.1);
        _world.OnSignal = static (_, _) => null;
        _ = _world.Dial(_a, _b.Core.Id);
        _world.Run(0.5);
        _world.OnSignal = static (_, m) => m;
        _world.Do(() => _a.Core.SignallingClosed(0, _world.Now));
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.2);
        Assert.Equal([0, 1], _a.Signals.Where(s => s.Message is ConnectMessage).Select(s => s.Session));
    }

    [Fact]
    public void A_peer_that_is_offline_at_one_server_is_looked_for_at_the_others()
    {
        _world.Register(_a, 0);
        _world.Register(_a, 1);
        _world.Register(_a, 2);
        _world.Register(_b, 2);
        _world.Run(0.1);
        _ = _world.Dial(_a, _b.Core.Id);
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.3);
        Assert.Equal([0, 1, 2], _a.Signals.Where(s => s.Message is ConnectMessage).Select(s => s.Session));
        Assert.False(_a.Has<CallFailed>());
    }

    [Fact]
    public void A_server_of_a_ticket_hears_of_no_calls_but_those_to_the_tickets_peer()
    {
        int session = 0;
        _world.Do(() => session = _a.Core.AddSession());
        _world.Do(() => _a.Core.NeedSession(session, Keys.Stranger.Id));
        _world.Register(_a, 0);
        _world.Register(_a, session);
        _ = _world.Dial(_a, _b.Core.Id);
        _world.Run(1);
        Assert.Equal(GimletErrorKind.PeerOffline, _a.News<CallFailed>().Single().Kind);
        _ = _world.Dial(_a, Keys.Stranger.Id);
        _world.Run(1);
        Assert.Equal([0, 0, session], _a.Signals.Where(s => s.Message is ConnectMessage).Select(s => s.Session));
    }

    [Fact]
    public void A_session_goes_with_the_last_peer_that_needs_it_and_what_comes_of_it_later_is_ignored()
    {
        int session = 0;
        _world.Do(() => session = _a.Core.AddSession());
        Assert.Equal(3, session);
        _world.Do(() => _a.Core.NeedSession(session, _b.Core.Id));
        _world.Do(() => _a.Core.NeedSession(session, Keys.Stranger.Id));
        _world.Do(() => _a.Core.NeedSession(0, Keys.Stranger.Id));
        Assert.Empty(_a.Core.ReleaseSessions(_b.Core.Id));
        Assert.Empty(_a.Core.ReleaseSessions(_b.Core.Id));
        Assert.Equal([session], _a.Core.ReleaseSessions(Keys.Stranger.Id));
        _world.Do(() => _a.Core.RemoveSession(session, _world.Now));
        int events = _a.Events.Count;
        _world.Register(_a, session);
        _world.Do(() => _a.Core.SignallingClosed(session, _world.Now));
        Assert.False(_a.Core.IsRegistered(session));
        Assert.False(_a.Core.RelaysAt(session));
        Assert.Equal(events, _a.Events.Count);
        _world.Do(() => Assert.Equal(4, _a.Core.AddSession()));
    }

    [Fact]
    public void A_dial_is_given_up_at_its_server_whatever_servers_were_left_before()
    {
        int session = 0;
        _world.Do(() => session = _a.Core.AddSession());
        _world.Do(() => _a.Core.RemoveSession(session, _world.Now));
        _world.Do(() => session = _a.Core.AddSession());
        _world.Do(() => _a.Core.NeedSession(session, _b.Core.Id));
        _world.Register(_a, session);
        _world.Register(_b, session);
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.Do(() => _a.Core.GiveUp(call, _world.Now));
        Assert.Equal((session, call.ToString()), _a.Signals.Where(s => s.Message is HangupMessage).Select(s => (s.Session, ((HangupMessage)s.Message).Call!)).Single());
    }

    [Fact]
    public void A_peer_that_is_offline_everywhere_is_offline()
    {
        _world.Register(_a, 0);
        _world.Register(_a, 1);
        _ = _world.Dial(_a, _b.Core.Id);
        _world.Run(1);
        Assert.Equal(GimletErrorKind.PeerOffline, _a.News<CallFailed>().Single().Kind);
    }

    [Fact]
    public void A_connection_does_not_notice_the_loss_of_the_server()
    {
        _world.Register(_a);
        _world.Register(_b);
        _world.Run(0.1);
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.3);
        _world.Do(() => _a.Core.SignallingClosed(0, _world.Now));
        _world.Do(() => _b.Core.SignallingClosed(0, _world.Now));
        _world.Run(60);
        _world.Do(() => Assert.True(_a.Core.TryPing(call, 1, _world.Now)));
        _world.Run(0.1);
        _ = Assert.Single(_a.News<CallPong>());
    }

    [Fact]
    public void Hanging_up_a_dial_leaves_nothing_behind()
    {
        _world.Register(_a);
        _world.Register(_b);
        _world.Run(0.1);
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.Do(() => _a.Core.Hangup(call, 0, _world.Now));
        _world.Run(20);
        Assert.DoesNotContain(_a.Events, e => e is CallEvent and not CallRouted);
        Assert.Equal(CallEnd.PunchFailed.ToString(), _b.News<CallFailed>().Single().Kind.ToString());
    }

    [Fact]
    public void A_server_that_goes_silent_is_given_up_once()
    {
        _world.Register(_a);
        _world.Run(60);
        _ = Assert.Single(_a.News<SessionGivenUp>());
        Assert.False(_a.Core.IsRegistered(0));
    }

    [Fact]
    public void New_addresses_are_told_to_the_servers_and_to_calls_under_way()
    {
        _world.Register(_a);
        _world.Register(_b);
        _world.Run(0.1);
        CallId call = _world.Dial(_a, _b.Core.Id);
        _world.RunUntil(_a.Has<CallConnected>, withinSeconds: 0.3);
        _a.Signals.Clear();
        _world.Do(() => _a.Core.SetPublicAddress(Sockets.TransportAddress.Parse("192.0.2.9:9"), _world.Now));
        Assert.Equal("192.0.2.9:9", _a.Said<UpdateMessage>().Single().Candidates![0].Address);
        Assert.Equal(call.ToString(), _a.Said<CandidatesMessage>().Single().Call);
        Assert.Equal("192.0.2.9:9", _a.Said<CandidatesMessage>().Single().Candidates!.Single().Address);
        _world.Do(() => _a.Core.SetPublicAddress(default, _world.Now));
        Assert.DoesNotContain(_a.Said<UpdateMessage>().Last().Candidates!, c => c.Address == "192.0.2.9:9");
    }
}
