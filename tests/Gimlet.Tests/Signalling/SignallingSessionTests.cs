using Gimlet.Identity;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Signalling;

public sealed class SignallingSessionTests
{
    private static readonly byte[] Nonce = SignalSamples.Bytes(32);

    private readonly SessionOwner _owner = new();
    private readonly SignallingSession _session;

    public SignallingSessionTests() => _session = new SignallingSession(3, Keys.Small, "a token", _owner);

    [Fact]
    public void A_challenge_is_answered_with_a_registration_that_verifies()
    {
        Open();
        Receive(new ChallengeMessage { Nonce = Nonce });
        RegisterMessage register = Assert.IsType<RegisterMessage>(Assert.Single(_owner.Sent));
        Assert.Equal(Keys.Small.PublicKey.ToArray(), register.PublicKey);
        Assert.True(P256.Verify(register.PublicKey, Statement.Registration("host:443", Nonce, register.PublicKey), register.Signature));
        Assert.False(P256.Verify(register.PublicKey, Statement.Registration("other:443", Nonce, register.PublicKey), register.Signature));
        Assert.Equal("a token", register.Token);
        Assert.Equal("test", register.Agent);
        Assert.Equal(SignallingState.AwaitingRegistered, _session.State);
        Receive(new RegisteredMessage { KeepAliveMs = 1000, Limits = new LimitsDescription { CallsPerMinute = 9 } });
        Assert.Equal(SignallingState.Registered, _session.State);
        Assert.Equal(9, _session.Limits!.CallsPerMinute);
        Assert.Equal(["challenge", "registered"], _owner.News);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_nonce_of_another_length_is_not_signed(int length)
    {
        Open();
        Receive(new ChallengeMessage { Nonce = new byte[length] });
        Receive(new ChallengeMessage());
        Assert.Empty(_owner.Sent);
        Assert.Equal(SignallingState.AwaitingChallenge, _session.State);
    }

    [Fact]
    public void Only_one_challenge_per_connection_is_signed()
    {
        Register();
        _owner.Sent.Clear();
        Receive(new ChallengeMessage { Nonce = Nonce });
        Assert.Empty(_owner.Sent);
    }

    [Fact]
    public void A_server_that_does_not_complete_the_registration_is_given_up_after_ten_seconds_whatever_else_it_says()
    {
        Open();
        for (int i = 1; i <= 9; i++)
        {
            Receive(new PingMessage { Id = i }, i);
            _session.HandleTimeout(Seconds(i));
        }

        Assert.Empty(_owner.News);
        Assert.Equal(Seconds(10), _session.NextTimeout);
        _session.HandleTimeout(Seconds(10));
        Assert.StartsWith("gave up", Assert.Single(_owner.News), StringComparison.Ordinal);
    }

    [Fact]
    public void A_session_that_was_given_up_says_so_once_and_has_no_timer()
    {
        Open();
        _session.HandleTimeout(Seconds(10));
        Assert.Equal(TimeSpan.MaxValue, _session.NextTimeout);
        _session.HandleTimeout(Seconds(11));
        Receive(new ChallengeMessage { Nonce = Nonce }, 12);
        _ = Assert.Single(_owner.News);
        Assert.Empty(_owner.Sent);
    }

    [Fact]
    public void A_silent_server_is_pinged_and_then_given_up()
    {
        Register(keepAliveMs: 1000);
        _owner.Sent.Clear();
        Assert.Equal(Seconds(1), _session.NextTimeout);
        _session.HandleTimeout(Seconds(0.5));
        Assert.Empty(_owner.Sent);
        _session.HandleTimeout(Seconds(1));
        _session.HandleTimeout(Seconds(2));
        Assert.Equal([1, 2], _owner.Sent.Cast<PingMessage>().Select(p => p.Id));
        Assert.Equal(Seconds(3), _session.NextTimeout);
        _session.HandleTimeout(Seconds(3));
        Assert.Contains("silent", _owner.News[^1], StringComparison.Ordinal);
        Assert.Equal(2, _owner.Sent.Count);
    }

    [Fact]
    public void Whatever_the_server_says_shows_that_it_lives()
    {
        Register(keepAliveMs: 1000);
        _owner.Sent.Clear();
        for (int i = 1; i <= 20; i++)
        {
            Receive(new PongMessage { Id = i }, i * 0.9);
            _session.HandleTimeout(Seconds(i * 0.9));
        }

        Assert.Empty(_owner.Sent);
        Assert.Equal(SignallingState.Registered, _session.State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(600_000)]
    [InlineData(int.MaxValue)]
    public void A_keep_alive_that_makes_no_sense_is_not_believed(int milliseconds)
    {
        Register(milliseconds);
        Assert.Equal(Seconds(15), _session.NextTimeout);
    }

    [Fact]
    public void A_ping_is_answered_in_every_state()
    {
        Open();
        Receive(new PingMessage { Id = 5 });
        Assert.Equal(5, Assert.IsType<PongMessage>(Assert.Single(_owner.Sent)).Id);
    }

    [Fact]
    public void What_is_out_of_place_is_ignored_in_every_state()
    {
        SignalMessage[] strange = [.. SignalSamples.All.Where(m => m is not (ChallengeMessage or PingMessage or ErrorMessage or RegisteredMessage))];
        _session.Handle(SignalCodec.Write(new ChallengeMessage { Nonce = Nonce }), TimeSpan.Zero);
        Assert.Empty(_owner.Sent);

        Open();
        Array.ForEach(strange, m => Receive(m));
        Receive(new RegisteredMessage());
        Assert.Equal(SignallingState.AwaitingChallenge, _session.State);
        Receive(new ChallengeMessage { Nonce = Nonce });
        Array.ForEach(strange, m => Receive(m));
        Assert.Equal(SignallingState.AwaitingRegistered, _session.State);
        Assert.Empty(_owner.Received);

        Receive(new RegisteredMessage());
        Receive(new RegisteredMessage());
        _owner.Received.Clear();
        Assert.Equal(["challenge", "registered"], _owner.News);
        Array.ForEach(strange, m => Receive(m));
        Assert.Equal(strange.Where(m => m is not PongMessage).Select(m => m.GetType()), _owner.Received.Select(m => m.GetType()));
        _session.Closed();
        Array.ForEach(strange, m => Receive(m));
        Assert.Equal(strange.Length - 1, _owner.Received.Count);
    }

    [Fact]
    public void Garbage_is_reported_and_the_session_goes_on()
    {
        Register();
        _session.Handle("garbage"u8, Seconds(1));
        Assert.Equal("ignored", _owner.News[^1]);
        Assert.Equal(SignallingState.Registered, _session.State);
    }

    [Fact]
    public void An_error_is_kept_until_the_next_connection()
    {
        Open();
        Receive(new ErrorMessage { Code = ErrorCode.Unauthorised });
        Assert.Equal(ErrorCode.Unauthorised, _session.LastError!.Code);
        Assert.Equal("error unauthorised", _owner.News[^1]);
        Open();
        Assert.Null(_session.LastError);
    }

    [Fact]
    public void A_new_connection_begins_anew()
    {
        Register();
        _session.Closed();
        Assert.Equal(TimeSpan.MaxValue, _session.NextTimeout);
        _session.Opened("host:443", Seconds(100));
        Assert.Equal(SignallingState.AwaitingChallenge, _session.State);
        Assert.Equal(Seconds(110), _session.NextTimeout);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private void Open() => _session.Opened("host:443", TimeSpan.Zero);

    private void Register(int keepAliveMs = 1000)
    {
        Open();
        Receive(new ChallengeMessage { Nonce = Nonce });
        Receive(new RegisteredMessage { KeepAliveMs = keepAliveMs });
    }

    private void Receive(SignalMessage message, double at = 0) => _session.Handle(SignalCodec.Write(message), Seconds(at));
}
