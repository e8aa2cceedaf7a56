using System.Text;
using Gimlet.Sockets;
using Xunit;

namespace Gimlet.Simulation.Tests;

public sealed class ChannelTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private readonly World _world = new(1);
    private readonly SimHost _server;
    private readonly Router _router;
    private readonly SimHost _client;
    private readonly List<string> _log = [];
    private ChannelEnd? _accepted;

    public ChannelTests()
    {
        _server = _world.Internet.AddHost("server");
        _server.Link.SetConditions(new LinkConditions());
        _router = new Router(_world, "home", _world.Internet, new RouterOptions { Wan = new LinkConditions { Latency = 20 * Millisecond } });
        _router.InsideNic.Link.SetConditions(new LinkConditions());
        _client = _router.Inside.AddHost("client");
        _client.Link.SetConditions(new LinkConditions());
        _server.Listen(443, end =>
        {
            _accepted = end;
            end.OnMessage = message => Note("server got " + Encoding.UTF8.GetString(message.Span));
            end.OnClosed = close => Note($"server closed {close.Code} {close.Reason}");
            end.Send("hello"u8);
        });
    }

    private TransportAddress ServerAddress => _server.Address(443);

    [Fact]
    public void A_channel_opens_after_its_handshake_and_carries_messages_both_ways_in_order()
    {
        ChannelEnd end = Connect();
        end.OnOpen += () =>
        {
            end.Send("1"u8);
            end.Send("2"u8);
        };
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(["120 open", "120 client got hello", "140 server got 1", "140 server got 2"], _log);
    }

    [Fact]
    public void The_server_sees_the_NATs_address()
    {
        _ = Connect();
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(_router.Nat!.PublicAddresses[0], _accepted!.Remote.WithPort(0));
        Assert.Equal(ServerAddress, _accepted.Local);
    }

    [Fact]
    public void A_close_arrives_after_what_was_sent_before_it_with_its_code_and_reason()
    {
        ChannelEnd end = Open();
        end.Send("bye"u8);
        end.Close(1001, "going away");
        end.Send("never"u8);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(["0 client closed 1001 going away", "20 server got bye", "20 server closed 1001 going away"], _log);
    }

    [Fact]
    public void A_cut_link_is_reported_to_both_ends_once()
    {
        ChannelEnd end = Open();
        end.Send("lost"u8);
        _router.Wan.Cut();
        _router.Wan.Restore();
        _router.Wan.Cut();
        _world.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal(["0 client closed 1006 the link was cut", "0 server closed 1006 the link was cut"], _log);
    }

    [Fact]
    public void A_channel_can_be_broken_by_itself()
    {
        Open().Break("reset");
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(["0 client closed 1006 reset", "0 server closed 1006 reset"], _log);
    }

    [Fact]
    public void A_short_black_hole_delays_messages_and_loses_none()
    {
        ChannelEnd end = Open();
        _router.Wan.BlackHole();
        end.Send("1"u8);
        end.Send("2"u8);
        _world.RunFor(TimeSpan.FromSeconds(5));
        _router.Wan.Restore();
        end.Send("3"u8);
        _world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(["5220 server got 1", "5220 server got 2", "5220 server got 3"], _log);
    }

    [Fact]
    public void A_long_black_hole_ends_the_channel_for_the_end_that_sends()
    {
        ChannelEnd end = Open();
        _router.Wan.BlackHole();
        end.Send("1"u8);
        _world.RunFor(TimeSpan.FromMinutes(5));
        Assert.Equal(["20000 client closed 1006 timed out"], _log);
        Assert.False(_accepted!.IsClosed);
    }

    [Fact]
    public void Blocked_UDP_does_not_touch_channels()
    {
        _router.Wan.BlockUdp();
        Open().Send("1"u8);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(["20 server got 1"], _log);
    }

    [Fact]
    public void After_a_NAT_reboot_the_client_is_reset_when_it_sends_and_the_server_hears_nothing()
    {
        ChannelEnd end = Open();
        _router.Reboot();
        _accepted!.Send("lost"u8);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(_log);
        end.Send("1"u8);
        _world.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal(["1040 client closed 1006 reset"], _log);
    }

    [Fact]
    public void Connecting_to_nobody_is_refused_and_into_nothing_times_out()
    {
        _ = Connect(_server.Address(444));
        _ = Connect(TransportAddress.Parse("99.0.0.1:443"));
        _router.Wan.BlackHole();
        _ = Connect();
        _world.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal(["0 client closed 1006 no route", "40 client closed 1006 refused", "10000 client closed 1006 connect timed out"], _log);
    }

    [Fact]
    public void A_connect_goes_through_when_the_path_comes_back_before_it_is_given_up()
    {
        _router.Wan.BlackHole();
        _world.After(2500 * Millisecond, _router.Wan.Restore);
        _ = Connect();
        _world.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal("3120 open", _log[0]);
    }

    [Fact]
    public void Loss_delays_a_message_and_keeps_the_order()
    {
        ChannelEnd end = Open();
        _router.Wan.SetConditions(new LinkConditions { Latency = 20 * Millisecond, Loss = 0.3 });
        for (int i = 0; i < 100; i++)
        {
            end.Send([(byte)('A' + (i % 26))]);
        }

        _world.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(0, 100).Select(static i => (char)('A' + (i % 26))), _log.Select(static line => line[^1]));
        Assert.Contains(_log, static line => !line.StartsWith("20 ", StringComparison.Ordinal));
    }

    private ChannelEnd Connect(TransportAddress? server = null)
    {
        ChannelEnd end = _client.Connect(server ?? ServerAddress);
        end.OnOpen = () => Note("open");
        end.OnMessage = message => Note("client got " + Encoding.UTF8.GetString(message.Span));
        end.OnClosed = close => Note($"client closed {close.Code} {close.Reason}");
        return end;
    }

    /// <summary>An open channel, an empty log, and the log's clock at zero.</summary>
    private ChannelEnd Open()
    {
        ChannelEnd end = Connect();
        Assert.True(_world.RunUntil(() => end.IsOpen, TimeSpan.FromSeconds(5)));
        end.OnMessage = null;
        _world.RunFor(TimeSpan.FromSeconds(1));
        _log.Clear();
        _start = _world.Now;
        return end;
    }

    private TimeSpan _start;

    private void Note(string what) => _log.Add($"{(_world.Now - _start).TotalMilliseconds:F0} {what}");
}
