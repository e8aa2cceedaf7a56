using System.Diagnostics.Metrics;
using Gimlet.Server.Observability;
using Gimlet.Server.Relay;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Relay;

/// <summary>Who may send what to whom, as the core decides it.</summary>
public sealed class RelayTests
{
    private readonly World _world = new();

    [Fact]
    public void An_introduction_lets_both_send_and_the_sender_is_written_by_the_server()
    {
        (WorldNode a, WorldNode b) = Met();
        a.Relay(b, [1, 2, 3]);
        (PeerId from, byte[][] datagrams) = b.NextRelayed()!.Value;
        Assert.Equal((a.Id, "010203"), (from, Convert.ToHexString(Assert.Single(datagrams))));
        b.Relay(a, [4]);
        Assert.Equal(b.Id, a.NextRelayed()!.Value.From);
        a.Output.Nothing();
        b.Output.Nothing();
    }

    [Fact]
    public void A_batch_goes_through_as_it_is()
    {
        (WorldNode a, WorldNode b) = Met();
        byte[] batch = Frames.Batch(b.Id, 1200, 50, tail: 30);
        a.SendBinary(batch);
        RelayFrame.WritePeer(batch, a.Id);
        Assert.Equal(batch, b.Output.TakeRelayed());
    }

    [Fact]
    public void Without_a_call_nothing_passes_until_the_destination_has_sent_itself()
    {
        WorldNode a = _world.Register();
        WorldNode b = _world.Register();
        a.Relay(b, [1]);
        ShouldBeUnreachable(a, b.Id, RejectReason.NoCall);
        Assert.Null(b.NextRelayed());
        b.Relay(a, [2]);
        Assert.Equal(b.Id, a.NextRelayed()!.Value.From);
        a.Relay(b, [3]);
        Assert.Equal(a.Id, b.NextRelayed()!.Value.From);
    }

    [Fact]
    public void Ten_datagrams_of_a_caller_pass_before_the_accept_and_all_after_it()
    {
        WorldNode caller = _world.Register();
        WorldNode callee = _world.Register(accept: AcceptMode.OnAccept);
        string call = caller.Call(callee);
        _ = callee.Output.Next<IncomingMessage>();
        for (byte i = 0; i < 4; i++)
        {
            caller.Relay(callee, [i]);
        }

        caller.SendBinary(Frames.Batch(callee.Id, 500, 8));
        Assert.Equal(10, callee.Output.DrainRelayed().Sum(f => Frames.Read(f).Datagrams.Length));
        ShouldBeUnreachable(caller, callee.Id, RejectReason.NoCall);
        caller.Relay(callee, [99]);
        Assert.Null(callee.NextRelayed());

        callee.Send(new AcceptMessage { Call = call });
        _ = caller.Output.Next<IntroduceMessage>();
        caller.SendBinary(Frames.Batch(callee.Id, 500, 50));
        Assert.Equal(50, callee.NextRelayed()!.Value.Datagrams.Length);
        callee.Relay(caller, [1]);
        Assert.NotNull(caller.NextRelayed());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refusal_or_a_time_out_ends_what_a_caller_may_send(bool timesOut)
    {
        WorldNode caller = _world.Register();
        WorldNode callee = _world.Register(accept: AcceptMode.OnAccept);
        string call = caller.Call(callee);
        if (timesOut)
        {
            _world.Advance(11);
        }
        else
        {
            callee.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused });
        }

        _ = caller.Output.Next<RejectMessage>();
        caller.Relay(callee, [1]);
        ShouldBeUnreachable(caller, callee.Id, RejectReason.NoCall);
        Assert.Null(callee.NextRelayed());
    }

    [Fact]
    public void A_call_that_waits_takes_its_share_to_the_callees_new_session()
    {
        WorldNode caller = _world.Register();
        WorldNode older = _world.Register(accept: AcceptMode.OnAccept);
        _ = caller.Call(older);
        WorldNode newer = new(_world, "198.51.100.9:9", World.Authority, older.Node);
        newer.Register(AcceptMode.OnAccept);
        caller.Relay(newer, [1]);
        Assert.Equal(caller.Id, newer.NextRelayed()!.Value.From);
    }

    [Fact]
    public void A_new_session_admits_nobody_until_it_sends()
    {
        (WorldNode a, WorldNode b) = Met();
        WorldNode back = _world.Register(node: b.Node);
        a.Relay(back, [1]);
        ShouldBeUnreachable(a, b.Id, RejectReason.NoCall);
        back.Relay(a, [2]);
        Assert.Equal(b.Id, a.NextRelayed()!.Value.From);
        a.Relay(back, [3]);
        Assert.Equal(a.Id, back.NextRelayed()!.Value.From);
    }

    [Fact]
    public void Who_sent_to_a_peer_before_it_came_has_admitted_it()
    {
        WorldNode a = _world.Register();
        using var later = new TestNode();
        a.SendBinary(Frames.Single(later.Id, [1]));
        ShouldBeUnreachable(a, later.Id, RejectReason.Offline);
        WorldNode b = _world.Register(node: later);
        b.Relay(a, [2]);
        Assert.Equal(b.Id, a.NextRelayed()!.Value.From);
    }

    [Fact]
    public void An_older_session_neither_sends_nor_receives()
    {
        (WorldNode a, WorldNode b) = Met();
        b.Relay(a, [1]);
        WorldNode back = _world.Register(node: b.Node);
        _ = a.Output.DrainRelayed();
        b.Relay(a, [2]);
        Assert.Null(a.NextRelayed());
        back.Relay(a, [3]);
        Assert.NotNull(a.NextRelayed());
        a.Relay(back, [4]);
        Assert.Null(b.NextRelayed());
        Assert.NotNull(back.NextRelayed());
        b.Disconnect();
        a.Relay(back, [5]);
        Assert.NotNull(back.NextRelayed());
    }

    [Fact]
    public void A_node_that_takes_no_relayed_datagrams_gets_none()
    {
        WorldNode a = _world.Register();
        WorldNode without = _world.Register(with: m => m with { Capabilities = [Capability.Direct] });
        _ = a.Call(without);
        _ = a.Output.Next<IntroduceMessage>();
        a.Relay(without, [1]);
        ShouldBeUnreachable(a, without.Id, RejectReason.NoCall);
        Assert.Null(without.NextRelayed());
    }

    [Fact]
    public void To_oneself_nothing_is_relayed()
    {
        WorldNode a = _world.Register();
        a.Relay(a, [1]);
        ShouldBeUnreachable(a, a.Id, RejectReason.NoCall);
        a.Relay(a, [1]);
        Assert.Null(a.NextRelayed());
    }

    [Fact]
    public void Who_has_not_registered_is_told_once()
    {
        WorldNode a = _world.Register();
        WorldNode stranger = _world.Connect();
        _ = stranger.Output.Next<ChallengeMessage>();
        stranger.Relay(a, [1]);
        stranger.Relay(a, [1]);
        Assert.Equal(ErrorCode.BadMessage, stranger.Output.Next<ErrorMessage>().Code);
        stranger.Output.Nothing();
        Assert.Null(a.NextRelayed());
    }

    public static TheoryData<string, byte[]> Unreadable => new()
    {
        { "empty", [] },
        { "kind only", [0] },
        { "truncated id", new byte[20] },
        { "no datagram", new byte[RelayFrame.SingleHeaderLength] },
        { "wrong kind", [2, .. new byte[100]] },
        { "kind of the future", [255, .. new byte[100]] },
        { "batch without a size", [1, .. new byte[32]] },
        { "batch with half a size", [1, .. new byte[33]] },
        { "batch without datagrams", [1, .. new byte[32], 0, 10] },
        { "segment size 0", [1, .. new byte[32], 0, 0, 1, 2, 3] },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void What_is_no_relayed_datagram_is_dropped_without_a_word(string what, byte[] frame)
    {
        Assert.NotNull(what);
        (WorldNode a, WorldNode b) = Met();
        a.SendBinary(frame);
        a.Output.Nothing();
        Assert.Null(b.NextRelayed());
        a.Relay(b, [1]);
        Assert.NotNull(b.NextRelayed());
    }

    [Fact]
    public void Unreachable_is_said_once_per_second_and_peer_and_to_sixteen_peers_in_a_second()
    {
        WorldNode a = _world.Register();
        PeerId[] nobody = [.. Enumerable.Range(1, 40).Select(i => new PeerId([(byte)i, .. new byte[31]]))];
        for (int round = 0; round < 3; round++)
        {
            foreach (PeerId id in nobody)
            {
                a.SendBinary(Frames.Single(id, [1]));
            }
        }

        SignalMessage[] told = a.Output.Drain();
        Assert.Equal(nobody[..16].Select(id => id.ToString()), told.Select(m => Assert.IsType<UnreachableMessage>(m).Peer));
        _world.Advance(1);
        a.SendBinary(Frames.Single(nobody[20], [1]));
        a.SendBinary(Frames.Single(nobody[20], [1]));
        ShouldBeUnreachable(a, nobody[20], RejectReason.Offline);
        a.Output.Nothing();
    }

    [Fact]
    public void Beyond_the_rate_datagrams_are_dropped_and_the_sender_is_told_which_limit_it_was_once_a_second()
    {
        var world = new World(o => o with { Limits = o.Limits with { RelayBytesPerSecond = 100_000 } });
        (WorldNode a, WorldNode b) = Met(world);
        a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        a.Output.Nothing();
        for (int i = 0; i < 3; i++)
        {
            a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        }

        Assert.Equal(99, b.Output.DrainRelayed().Sum(f => Frames.Read(f).Datagrams.Length));
        LimitedMessage limited = a.Output.Next<LimitedMessage>();
        Assert.Equal((RelayLimit.BytesPerSecond, 100_000L, 21L), (limited.Limit, limited.Value, limited.Dropped));
        a.Output.Nothing();

        // The rest with the sweep of the next second.
        world.Advance(1);
        Assert.Equal(120, a.Output.Next<LimitedMessage>().Dropped);
        world.Advance(5);
        a.Output.Nothing();
        b.Output.Nothing();
        a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        Assert.Equal(60, b.NextRelayed()!.Value.Datagrams.Length);
    }

    [Fact]
    public void Coming_back_does_not_refill_the_rate()
    {
        var world = new World(o => o with { Limits = o.Limits with { RelayBytesPerSecond = 70_000 } });
        (WorldNode a, WorldNode b) = Met(world);
        a.SendBinary(Frames.Batch(b.Id, 1000, 65));
        WorldNode back = world.Register(node: a.Node);
        back.SendBinary(Frames.Batch(b.Id, 1000, 65));
        Assert.Equal(61, back.Output.Next<LimitedMessage>().Dropped);
    }

    [Fact]
    public void Frames_are_bounded_however_small()
    {
        var world = new World(o => o with { Limits = o.Limits with { RelayFramesPerSecond = 50 } });
        (WorldNode a, WorldNode b) = Met(world);
        for (int i = 0; i < 60; i++)
        {
            a.Relay(b, [(byte)i]);
        }

        Assert.Equal(50, b.Output.DrainRelayed().Sum(f => Frames.Read(f).Datagrams.Length));
        LimitedMessage limited = a.Output.Next<LimitedMessage>();
        Assert.Equal((RelayLimit.FramesPerSecond, 50L, 1L), (limited.Limit, limited.Value, limited.Dropped));
        Assert.False(a.Session.IsClosed);
    }

    [Fact]
    public void A_receiver_that_does_not_read_costs_its_senders_their_oldest_datagrams_and_they_are_told()
    {
        var world = new World(o => o with { Limits = o.Limits with { RelayBytesPerSecond = 0 } });
        (WorldNode a, WorldNode b) = Met(world);
        WorldNode c = world.Register();
        b.Relay(c, [0]);
        c.Relay(b, [7]);
        for (int i = 0; i < 20; i++)
        {
            a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        }

        LimitedMessage first = a.Output.Next<LimitedMessage>();
        Assert.Equal((RelayLimit.Queue, 512L * 1024), (first.Limit, first.Value));
        world.Advance(1);
        LimitedMessage second = a.Output.Next<LimitedMessage>();
        List<byte[]> left = b.Output.DrainRelayed();
        Assert.Contains(left, f => Frames.Read(f).From == c.Id);
        Assert.Equal((20 * 60) + 1, left.Sum(f => Frames.Read(f).Datagrams.Length) + first.Dropped + second.Dropped);
        c.Output.Nothing();
        Assert.False(b.Session.IsClosed);
        Assert.Equal(1, b.Output.ReadyCalls);
    }

    [Fact]
    public void Relaying_alone_keeps_a_session_alive_and_does_not_count_as_messages()
    {
        (WorldNode a, WorldNode b) = Met();
        for (int second = 0; second < 60; second++)
        {
            for (int i = 0; i < 200; i++)
            {
                a.Relay(b, [1]);
                b.Relay(a, [2]);
            }

            _ = a.Output.DrainRelayed();
            _ = b.Output.DrainRelayed();
            _world.Advance(1);
        }

        a.Output.Nothing();
        b.Output.Nothing();
        Assert.False(a.Session.IsClosed || b.Session.IsClosed);
        for (int i = 0; i < 50; i++)
        {
            a.Send(new PongMessage());
        }

        Assert.False(a.Session.IsClosed);
    }

    [Fact]
    public void A_registered_node_is_told_what_may_be_relayed()
    {
        LimitsDescription limits = Limits(new World());
        Assert.Equal((RelayFrame.MaxLength, 2_500_000L), (limits.RelayFrameBytes, limits.RelayBytesPerSecond));
        limits = Limits(new World(o => o with { Limits = o.Limits with { RelayBytesPerSecond = 0 } }));
        Assert.Equal((RelayFrame.MaxLength, null), (limits.RelayFrameBytes, limits.RelayBytesPerSecond));
        limits = Limits(new World(o => o with { Relays = false }));
        Assert.Equal((null, null), (limits.RelayFrameBytes, limits.RelayBytesPerSecond));

        static LimitsDescription Limits(World world)
        {
            WorldNode node = world.Connect();
            node.Register();
            return node.Output.Next<RegisteredMessage>().Limits!;
        }
    }

    [Fact]
    public void A_node_that_left_gives_back_what_waited_for_it()
    {
        (WorldNode a, WorldNode b) = Met();
        a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        RelayQueue inbox = b.Session.Relay!.Inbox;
        Assert.NotEqual(0, inbox.Held);
        b.Disconnect();
        Assert.Equal(0, inbox.Held);
        a.Relay(b, [1]);
        ShouldBeUnreachable(a, b.Id, RejectReason.Offline);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_bytes_come_the_server_goes_on_and_no_node_gets_what_it_did_not_admit(int seed)
    {
        var random = new Random(seed);
        var world = new World(o => o with { Limits = o.Limits with { RelayBytesPerSecond = 0, RelayFramesPerSecond = int.MaxValue } });
        (WorldNode a, WorldNode b) = Met(world);
        WorldNode other = world.Register();
        byte[][] seeds = [Frames.Single(b.Id, new byte[100]), Frames.Batch(b.Id, 200, 10, tail: 5), Frames.Single(other.Id, new byte[50])];
        int relayed = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] frame = [.. seeds[random.Next(seeds.Length)]];
            for (int flips = random.Next(4); flips > 0; flips--)
            {
                frame[random.Next(Math.Min(frame.Length, 40))] = (byte)random.Next(256);
            }

            a.SendBinary(frame.AsSpan(0, random.Next(3) == 0 ? random.Next(frame.Length + 1) : frame.Length));
            while (b.NextRelayed() is { } received)
            {
                Assert.Equal(a.Id, received.From);
                relayed += received.Datagrams.Length;
            }

            _ = a.Output.Drain();
        }

        Assert.Null(other.NextRelayed());
        Assert.True(relayed > 1000, "some of it was right");
        Assert.False(a.Session.IsClosed || b.Session.IsClosed);
    }

    [Fact]
    public void The_meter_counts_what_was_relayed_and_what_was_dropped_by_kind()
    {
        using var meter = new Meter("Gimlet.Server.Test." + Guid.NewGuid());
        var sums = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter) && (instrument.Name.Contains("relay", StringComparison.Ordinal) || instrument.Name.EndsWith("drops", StringComparison.Ordinal)))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            string name = instrument.Name["gimlet.server.".Length..] + (tags.IsEmpty ? "" : $":{tags[0].Value}");
            sums[name] = sums.GetValueOrDefault(name) + value;
        });
        listener.Start();
        var world = new World(o => o with
        {
            Metrics = new ServerMetrics(meter),
            Limits = o.Limits with { RelayBytesPerSecond = 1_000_000, RelayFramesPerSecond = 30 },
        });
        (WorldNode a, WorldNode b) = Met(world);
        a.SendBinary(Frames.Batch(b.Id, 1000, 10));
        _ = b.NextRelayed();
        a.SendBinary([9]);
        a.Relay(a, [1]);
        a.SendBinary(Frames.Batch(new PeerId([5, .. new byte[31]]), 100, 3));
        for (int i = 0; i < 30; i++)
        {
            a.SendBinary(Frames.Batch(b.Id, 1000, 60));
        }

        _ = b.Output.DrainRelayed();
        Assert.Equal(3, sums["drops:relay-offline"]);
        Assert.Equal(1, sums["drops:relay-no-call"]);
        Assert.Equal(1, sums["drops:relay-unreadable"]);
        Assert.Equal(4 * 60, sums["drops:relay-frames-per-second"]);
        long accepted = 10 + (26 * 60) - sums["drops:relay-bytes-per-second"];
        Assert.Equal(accepted, sums["relay.datagrams"] + sums["drops:relay-queue"]);
        Assert.Equal((sums["relay.datagrams"] * 1000) + (sums["relay.frames"] * RelayFrame.BatchHeaderLength), sums["relay.bytes"]);
    }

    [Fact]
    public void A_frame_allocates_nothing_in_steady_state()
    {
        var world = new World(o => o with { Limits = o.Limits with { RelayFramesPerSecond = int.MaxValue, RelayBytesPerSecond = long.MaxValue / 2 } });
        (WorldNode a, WorldNode b) = Met(world);
        byte[] frame = Frames.Single(b.Id, new byte[1200]);
        RelayQueue inbox = b.Session.Relay!.Inbox;
        void Round()
        {
            for (int i = 0; i < 10; i++)
            {
                a.SendBinary(frame);
            }

            while (inbox.TryDequeue(out RelayedFrame next))
            {
                RelayBuffers.Return(next.Buffer);
            }
        }

        for (int i = 0; i < 200; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 2_000; i++)
        {
            Round();
        }

        // 20,000 frames. A thread that moves to another core fills that core's shelf once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    private static void ShouldBeUnreachable(WorldNode node, PeerId peer, string reason)
    {
        UnreachableMessage message = node.Output.Next<UnreachableMessage>();
        Assert.Equal((peer.ToString(), reason), (message.Peer, message.Reason));
    }

    private static (WorldNode A, WorldNode B) Met(World world)
    {
        WorldNode a = world.Register();
        WorldNode b = world.Register();
        _ = a.Call(b);
        _ = a.Output.Next<IntroduceMessage>();
        _ = b.Output.Next<IncomingMessage>();
        return (a, b);
    }

    private (WorldNode A, WorldNode B) Met() => Met(_world);
}
