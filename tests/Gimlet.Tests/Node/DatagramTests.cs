using Gimlet.Calls;
using Gimlet.Node;
using Gimlet.Serverless;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Node;

public sealed class DatagramTests : IDisposable
{
    private static readonly TransportAddress Mallory = TransportAddress.Parse("192.0.2.66:666");

    private readonly NodeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Truncated_and_mutated_checks_answers_and_pings_neither_throw_nor_change_anything()
    {
        (WorldNode a, WorldNode b, CallId call) = Connected();
        _world.Do(() => a.Core.TryPing(call, 1, _world.Now));
        _world.Run(4);
        byte[][] samples = [.. _world.Datagrams.Where(d => d.To == b.Address && d.From == a.Address).Select(d => d.Bytes)
            .GroupBy(d => new Packet(default, default, default, d).Kind).Select(g => g.Last())];
        Assert.Equal(4, samples.Length); // a check or nomination of each sort, a ping, an answer
        int events = b.Events.Count;
        int sent = _world.Datagrams.Count;
        long ignored = b.Core.IgnoredDatagrams;
        int fed = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            foreach (byte[] bytes in Mutations.Truncations(samples[i]).Concat(Mutations.Random(samples[i], seed: i, stun: true)).Where(m => !StartsWithSignedPart(m, samples[i])))
            {
                fed++;
                _world.Inject(fed % 2 == 0 ? a.Address : Mallory, b, bytes);
            }
        }

        Assert.InRange(fed, 35_000, 50_000);
        Assert.Equal(events, b.Events.Count);
        Assert.Equal(sent, _world.Datagrams.Count);
        Assert.Equal(ignored + fed, b.Core.IgnoredDatagrams);
        _world.Run(10);
        Assert.DoesNotContain(b.Events.Skip(events), e => e is CallEvent);
    }

    [Fact]
    public void Truncated_and_mutated_hellos_neither_throw_nor_connect()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001", stun: false);
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002", stun: false);
        _world.Loses = (_, to, _) => to == b.Address;
        _ = _world.DialServerless(a, b.Address, b.Core.Id, timeout: 3600);
        _ = _world.DialServerless(b, a.Address, a.Core.Id, timeout: 3600);
        byte[] hello = _world.Datagrams.First(d => d.From == a.Address).Bytes;
        int events = b.Events.Count;
        int sent = _world.Datagrams.Count;
        foreach (byte[] bytes in Mutations.Truncations(hello).Concat(Mutations.Random(hello, seed: 9, stun: true)))
        {
            // A mutated transaction id with a repaired fingerprint would be a hello; nobody repairs it here.
            _world.Inject(a.Address, b, bytes);
        }

        Assert.Equal(events, b.Events.Count);
        Assert.Equal(sent, _world.Datagrams.Count);
        _world.Run(1.1); // the verifications of that second are used up
        sent = _world.Datagrams.Count;
        _world.Inject(a.Address, b, hello);
        Assert.True(_world.Datagrams.Count > sent);
    }

    [Fact]
    public void What_is_not_STUN_is_counted_and_dropped()
    {
        (WorldNode a, _, _) = Connected();
        long before = a.Core.IgnoredDatagrams;
        byte[][] others = [[], [0], [0x40, 1, 2], [0xC0, .. new byte[1199]], new byte[20], [.. Enumerable.Repeat((byte)0xFF, 1500)], "GET / HTTP/1.1\r\n\r\n"u8.ToArray()];
        foreach (byte[] other in others)
        {
            _world.Inject(Mallory, a, other);
        }

        Assert.Equal(before + others.Length, a.Core.IgnoredDatagrams);
    }

    [Fact]
    public void A_stranger_gets_no_answer_to_anything()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        int sent = _world.Datagrams.Count;
        byte[] buffer = new byte[512];
        var plain = new StunMessageBuilder(buffer, StunClass.Request, StunMethod.Binding, new StunTransactionId("abcdefghijkl"u8));
        _world.Inject(Mallory, a, buffer[..plain.Length]);
        byte[] username = CheckMessages.Username(a.News<CallConnected>().Single().Call, isCaller: false);
        int length = CheckMessages.WriteRequest(buffer, new StunTransactionId("abcdefghijkl"u8), username, new byte[32], new CheckContent(CheckPurpose.Check, 0, Controlling: false, 1, 1));
        _world.Inject(b.Address, a, buffer[..length]);
        username = CheckMessages.Username(new CallId(new byte[16]), isCaller: false);
        length = CheckMessages.WriteRequest(buffer, new StunTransactionId("abcdefghijkl"u8), username, new byte[32], new CheckContent(CheckPurpose.Check, 0, Controlling: false, 1, 1));
        _world.Inject(b.Address, a, buffer[..length]);
        Assert.Equal(sent, _world.Datagrams.Count);
    }

    [Fact]
    public void A_forged_answer_does_not_use_up_the_transaction_of_the_true_one()
    {
        (WorldNode a, WorldNode b, CallId call) = Connected();
        _world.Do(() => a.Core.TryPing(call, 9, _world.Now));
        Packet ping = new(default, a.Address, b.Address, _world.Datagrams[^1].Bytes);
        Assert.Equal(PacketKind.Ping, ping.Kind);
        _world.Inject(b.Address, a, Pair.ForgeAnswer(ping, new byte[32]));
        _world.Run(0.1);
        Assert.Equal(9u, a.News<CallPong>().Single().Sequence);
    }

    [Fact]
    public void Garbage_from_a_STUN_server_is_what_the_results_say()
    {
        WorldNode node = _world.Add(Keys.Small, "203.0.113.1:1001", stun: false);
        TransportAddress server = TransportAddress.Parse("198.51.100.9:3478");
        _world.Do(() => node.Core.AddStunTargets([new StunTarget(server)], _world.Now));
        _world.Inject(server, node, "HTTP/1.1 400 Bad Request"u8.ToArray());
        long ignored = node.Core.IgnoredDatagrams;
        _world.Inject(Mallory, node, "HTTP/1.1 400 Bad Request"u8.ToArray());
        Assert.Equal(ignored + 1, node.Core.IgnoredDatagrams);
        _world.Run(4);
        StunServerResult result = node.Core.StunResults.Single();
        Assert.Equal(StunOutcome.Malformed, result.Outcome);
        Assert.Contains("no STUN message", result.Detail, StringComparison.Ordinal);
        Assert.True(node.Has<FallbackNeeded>());
    }

    [Fact]
    public void A_server_that_cannot_be_sent_to_does_not_hold_the_classification_up()
    {
        WorldNode node = _world.Add(Keys.Small, "203.0.113.1:1001", stun: false);
        TransportAddress server = TransportAddress.Parse("198.51.100.9:3478");
        _world.Do(() => node.Core.AddStunTargets([new StunTarget(server)], _world.Now));
        for (int i = 0; i < 20 && node.Core.Nat is null; i++)
        {
            _world.Do(() => node.Core.HandleSendFailure(_world.Now, server, "no route to that address"));
            _world.Run(0.1);
        }

        Assert.NotNull(node.Core.Nat);
        Assert.InRange(_world.Now, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Answering_a_check_and_sending_one_allocates_nothing()
    {
        (WorldNode a, WorldNode b, _) = Connected();
        byte[] check = _world.Datagrams.Last(d => d.From == b.Address && d.To == a.Address && new Packet(default, d.From, d.To, d.Bytes).Kind == PacketKind.Check).Bytes;
        int answers = 0;
        TimeSpan now = _world.Now;
        Allocations.AssertNone(() =>
        {
            a.Core.HandleDatagram(now, a.Address, b.Address, check);
            while (a.Core.PollDatagram(out Datagram datagram))
            {
                answers++;
                a.Core.Return(datagram);
            }
        });
        Assert.Equal(2000, answers);
    }

    [Fact]
    public void Keeping_a_path_alive_allocates_nothing_on_either_side()
    {
        using Pair pair = new Pair().Connect();
        TimeSpan now = pair.Now;
        byte[] buffer = new byte[TransmitQueue.BufferLength];
        TimeSpan tick = TimeSpan.FromMilliseconds(500);
        int exchanged = 0;
        Allocations.AssertNone(() =>
        {
            now += tick;
            pair.A.Wake(now);
            pair.B.Wake(now);
            while (Hand(pair.A, pair.B, now, buffer) | Hand(pair.B, pair.A, now, buffer))
            {
                exchanged++;
            }
        });
        Assert.InRange(exchanged, 500, 2000);
        Assert.Equal(CallState.Connected, pair.A.Agent.State);
        Assert.Equal(CallState.Connected, pair.B.Agent.State);
    }

    private static bool Hand(Side from, Side to, TimeSpan now, byte[] buffer)
    {
        bool any = false;
        while (from.Transmits.TryDequeue(out Datagram datagram))
        {
            datagram.Bytes.CopyTo(buffer);
            int length = datagram.Length;
            from.Transmits.Return(datagram.Buffer);
            any = true;
            _ = to.Receive(now, to.Addresses[0], from.Addresses[0], buffer.AsSpan(0, length));
        }

        return any;
    }

    // Bytes behind MESSAGE-INTEGRITY-SHA256 are not covered by it: a fingerprint that is wrong there does no harm.
    private static bool StartsWithSignedPart(byte[] mutated, byte[] valid) =>
        StunMessage.TryParse(mutated, out StunMessage message)
        && mutated.Length >= valid.Length - 8
        && mutated.AsSpan(4, valid.Length - 12).SequenceEqual(valid.AsSpan(4, valid.Length - 12))
        && message.Class == StunMessageClass(valid);

    private static StunClass StunMessageClass(byte[] bytes)
    {
        Assert.True(StunMessage.TryParse(bytes, out StunMessage message));
        return message.Class;
    }

    private (WorldNode A, WorldNode B, CallId Call) Connected()
    {
        WorldNode a = _world.Add(Keys.Small, "203.0.113.1:1001");
        WorldNode b = _world.Add(Keys.Large, "203.0.113.2:2002");
        _world.Run(6);
        _world.Register(a);
        _world.Register(b);
        _world.Run(0.1);
        CallId call = _world.Dial(a, b.Core.Id);
        _world.RunUntil(() => a.Has<CallConnected>() && b.Has<CallConnected>(), withinSeconds: 1);
        _world.Run(4);
        return (a, b, call);
    }
}
