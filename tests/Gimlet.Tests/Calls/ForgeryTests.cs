using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Calls;

public sealed class ForgeryTests
{
    private static readonly TransportAddress Mallory = TransportAddress.Parse("192.0.2.66:666");

    [Fact]
    public void A_request_that_does_not_verify_gets_no_answer_and_changes_nothing()
    {
        using Pair pair = new Pair().Connect();
        int sent = pair.Sent.Count;
        foreach (byte[] key in new[] { new byte[32], pair.KeyOfA, [] })
        {
            pair.Inject(Mallory, Pair.AddressOfA, pair.Forge(pair.B, key: key));
            pair.Inject(Mallory, Pair.AddressOfA, pair.Forge(pair.B, CheckPurpose.Close, key: key));
            pair.Inject(Mallory, Pair.AddressOfB, pair.Forge(pair.A, CheckPurpose.Nominate, 1000, key: key.Length == 0 ? key : pair.KeyOfB));
        }

        pair.Run(0.5);
        Assert.Equal(sent, pair.Sent.Count);
        _ = Assert.Single(pair.A.Agent.Pairs);
        Assert.Equal(CallState.Connected, pair.B.Agent.State);
    }

    [Fact]
    public void A_reflected_request_does_not_verify()
    {
        using var pair = new Pair();
        pair.A.Learn(pair.Now, Pair.Describe(Mallory));
        pair.Run(0.1);
        Packet check = pair.Sent.First();
        pair.Inject(Mallory, Pair.AddressOfA, check.Bytes);
        pair.Run(0.1);
        Assert.Equal(0, pair.A.Agent.RequestsReceived);
        Assert.DoesNotContain(pair.Sent, p => p.Kind == PacketKind.Answer);

        // Not even with the side in the user name turned round: it is signed with the wrong key.
        pair.Inject(Mallory, Pair.AddressOfA, pair.Forge(pair.B, key: pair.KeyOfA));
        pair.Run(0.1);
        Assert.Equal(0, pair.A.Agent.RequestsReceived);
    }

    [Fact]
    public void A_forged_answer_changes_nothing_and_leaves_room_for_the_true_one()
    {
        using Pair pair = new Pair().Introduce();
        pair.Run(0.001);
        Packet check = pair.Sent.Single(p => p.From == Pair.AddressOfA);
        foreach (byte[] key in new[] { new byte[32], pair.KeyOfB })
        {
            pair.Inject(Pair.AddressOfB, Pair.AddressOfA, Pair.ForgeAnswer(check, key));
        }

        byte[] error = new byte[512];
        var builder = new StunMessageBuilder(error, StunClass.Error, StunMethod.Binding, TransactionOf(check));
        builder.AddErrorCode(StunErrorCode.Unauthenticated, default);
        builder.AddMessageIntegritySha256(pair.KeyOfA);
        pair.Inject(Pair.AddressOfB, Pair.AddressOfA, error[..builder.Length]);

        pair.Run(0.01);
        Assert.Equal(0, pair.A.Agent.AnswersReceived);
        Assert.Equal(CallState.Checking, pair.A.Agent.State);
        pair.RunUntil(() => pair.A.Agent.State == CallState.Connected, withinSeconds: 0.03);
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.Now);
    }

    [Fact]
    public void An_answer_from_another_address_than_was_asked_does_not_count_even_if_it_is_genuine()
    {
        using Pair pair = new Pair().Introduce();
        pair.Run(0.001);
        Packet check = pair.Sent.Single(p => p.From == Pair.AddressOfA);
        pair.Inject(Mallory, Pair.AddressOfA, Pair.ForgeAnswer(check, pair.KeyOfA));
        pair.Inject(Pair.AddressOfB.WithPort(1), Pair.AddressOfA, Pair.ForgeAnswer(check, pair.KeyOfA));
        pair.Run(0.01);
        Assert.Equal(CallState.Checking, pair.A.Agent.State);
        pair.RunUntil(() => pair.A.Agent.State == CallState.Connected, withinSeconds: 0.03);
    }

    [Fact]
    public void A_duplicate_answer_is_counted_once()
    {
        using Pair pair = new Pair().Connect();
        int answers = pair.A.Agent.AnswersReceived;
        foreach (Packet answer in pair.Delivered.Where(p => p.Kind == PacketKind.Answer && p.To == Pair.AddressOfA).ToList())
        {
            pair.Inject(answer.From, answer.To, answer.Bytes);
        }

        pair.Run(0.1);
        Assert.Equal(answers, pair.A.Agent.AnswersReceived);
        Assert.Equal(["proven"], pair.A.News);
    }

    [Fact]
    public void An_answer_that_comes_after_the_end_changes_nothing()
    {
        using var pair = new Pair();
        using IDisposable losses = pair.Lose(static p => p.Kind == PacketKind.Answer);
        _ = pair.Introduce();
        pair.Run(5.1);
        Assert.Equal(CallEnd.PunchFailed, pair.A.End);
        Packet answer = pair.Sent.Last(p => p.Kind == PacketKind.Answer && p.To == Pair.AddressOfA);
        pair.Inject(answer.From, answer.To, answer.Bytes);
        pair.Inject(Pair.AddressOfB, Pair.AddressOfA, pair.Forge(pair.B));
        pair.Run(1);
        Assert.Equal(CallState.Ended, pair.A.Agent.State);
        Assert.Equal(["ended PunchFailed"], pair.A.News);
    }

    [Fact]
    public void A_check_that_somebody_repeats_from_elsewhere_does_not_move_the_path()
    {
        // Whoever can see the checks can send a copy from an address of his own, and his copy may be the first to arrive.
        using Pair pair = new Pair().Connect();
        using (pair.Lose(static p => p.To == Pair.AddressOfB && p.Kind == PacketKind.Nomination))
        {
            pair.RunUntil(() => pair.Sent.Exists(p => p.SentAt > TimeSpan.FromSeconds(2) && p.Kind == PacketKind.Nomination), withinSeconds: 5);
            Packet stolen = pair.Sent.Last(p => p.Kind == PacketKind.Nomination);
            pair.Inject(Mallory, Pair.AddressOfB, stolen.Bytes);
            pair.Run(0.1);
        }

        Assert.Equal(Pair.AddressOfA, pair.B.ActiveRemote);
        Assert.Equal(Pair.AddressOfA, pair.B.NominatedRemote);
        pair.Run(30);
        Assert.Equal(["proven"], pair.B.News);
        Assert.Equal(["proven"], pair.A.News);
    }

    private static StunTransactionId TransactionOf(Packet packet)
    {
        Assert.True(StunMessage.TryParse(packet.Bytes, out StunMessage message));
        return message.TransactionId;
    }
}
