using Gimlet.Access;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Access;

public sealed class TicketBookTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Point = [4, .. new byte[64]];
    private static readonly PeerId Callee = Keys.Large.Id;

    private readonly TicketBook _book = new(SeededRandom.From(1), capacity: 8);
    private int _calls;

    public void Dispose() => _book.Dispose();

    [Fact]
    public void A_ticket_admits_whoever_proves_it_as_often_as_they_like()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions(), Start);
        Assert.Null(ticket.Expires);
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start));
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Stranger.Id, Start.AddYears(100)));
    }

    [Fact]
    public void A_secret_that_was_not_issued_is_unknown()
    {
        Assert.Equal(TicketVerdict.Unknown, Redeem(new IssuedTicket(new byte[16], null), Keys.Small.Id, Start));
        _ = _book.Issue(new TicketOptions(), Start);
        Assert.Equal(TicketVerdict.Unknown, Redeem(new IssuedTicket(new byte[16], null), Keys.Small.Id, Start));
    }

    [Fact]
    public void A_proof_for_another_caller_callee_call_or_key_is_unknown()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { OneTime = true }, Start);
        CallId call = NextCall();
        byte[] proof = TicketProof.Compute(ticket.Secret, call, Keys.Small.Id, Callee, Point);
        byte[] otherPoint = [4, .. Enumerable.Repeat((byte)1, 64)];
        Assert.Equal(TicketVerdict.Unknown, _book.TryRedeem(call, Keys.Stranger.Id, Callee, Point, proof, Start));
        Assert.Equal(TicketVerdict.Unknown, _book.TryRedeem(call, Keys.Small.Id, Keys.Stranger.Id, Point, proof, Start));
        Assert.Equal(TicketVerdict.Unknown, _book.TryRedeem(NextCall(), Keys.Small.Id, Callee, Point, proof, Start));
        Assert.Equal(TicketVerdict.Unknown, _book.TryRedeem(call, Keys.Small.Id, Callee, otherPoint, proof, Start));

        // None of them has taken it.
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Stranger.Id, Start));
    }

    [Theory]
    [InlineData(0, 65)]
    [InlineData(31, 65)]
    [InlineData(33, 65)]
    [InlineData(5000, 65)]
    [InlineData(32, 0)]
    [InlineData(32, 64)]
    [InlineData(32, 66)]
    public void Hostile_lengths_are_unknown_and_no_exception(int proof, int point)
    {
        _ = _book.Issue(new TicketOptions(), Start);
        Assert.Equal(TicketVerdict.Unknown, _book.TryRedeem(NextCall(), Keys.Small.Id, Callee, new byte[point], new byte[proof], Start));
    }

    [Fact]
    public void An_expired_ticket_is_named_so_from_its_second_on()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { Lifetime = TimeSpan.FromMinutes(1) }, Start);
        Assert.Equal(Start.AddMinutes(1), ticket.Expires);
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start.AddMinutes(1).AddTicks(-1)));
        Assert.Equal(TicketVerdict.Expired, Redeem(ticket, Keys.Small.Id, Start.AddMinutes(1)));
        Assert.Equal(TicketVerdict.Expired, Redeem(ticket, Keys.Stranger.Id, Start.AddYears(1)));
    }

    [Fact]
    public void The_end_is_a_whole_second_and_never_sooner_than_asked()
    {
        foreach (long ticks in new[] { 1, TimeSpan.TicksPerSecond - 1, TimeSpan.TicksPerSecond, TimeSpan.TicksPerSecond + 1 })
        {
            DateTimeOffset now = Start.AddTicks(1234567);
            DateTimeOffset end = _book.Issue(new TicketOptions { Lifetime = TimeSpan.FromTicks(ticks) }, now).Expires!.Value;
            Assert.Equal(0, end.Ticks % TimeSpan.TicksPerSecond);
            Assert.InRange(end - now, TimeSpan.FromTicks(ticks), TimeSpan.FromTicks(ticks + TimeSpan.TicksPerSecond));
        }

        Assert.Null(_book.Issue(new TicketOptions { Lifetime = TimeSpan.MaxValue }, Start).Expires);
    }

    [Fact]
    public void A_one_time_ticket_belongs_to_the_first_that_proves_it()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { OneTime = true, Lifetime = TimeSpan.FromMinutes(1) }, Start);
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start));
        Assert.Equal(TicketVerdict.Used, Redeem(ticket, Keys.Stranger.Id, Start));
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start));

        // For the life of the book, past its end: a lost answer and a new punch come with the same ticket.
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start.AddDays(1)));
        Assert.Equal(TicketVerdict.Used, Redeem(ticket, Keys.Stranger.Id, Start.AddDays(1)));
    }

    [Fact]
    public void A_one_time_ticket_that_has_expired_is_taken_by_nobody()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { OneTime = true, Lifetime = TimeSpan.FromMinutes(1) }, Start);
        Assert.Equal(TicketVerdict.Expired, Redeem(ticket, Keys.Small.Id, Start.AddHours(1)));
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Stranger.Id, Start));
    }

    [Fact]
    public void A_revoked_ticket_is_unknown_also_to_who_had_taken_it()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { OneTime = true }, Start);
        IssuedTicket other = _book.Issue(new TicketOptions(), Start);
        Assert.Equal(TicketVerdict.Accepted, Redeem(ticket, Keys.Small.Id, Start));
        Assert.True(_book.Revoke(ticket.Secret));
        Assert.False(_book.Revoke(ticket.Secret));
        Assert.False(_book.Revoke([]));
        Assert.Equal(TicketVerdict.Unknown, Redeem(ticket, Keys.Small.Id, Start));
        Assert.Equal(TicketVerdict.Accepted, Redeem(other, Keys.Small.Id, Start));
    }

    [Fact]
    public void A_full_book_says_so_and_keeps_what_it_has()
    {
        IssuedTicket[] tickets = [.. Enumerable.Range(0, 8).Select(_ => _book.Issue(new TicketOptions { Lifetime = TimeSpan.FromHours(1) }, Start))];
        GimletException e = Assert.Throws<GimletException>(() => _book.Issue(new TicketOptions(), Start));
        Assert.Equal(GimletErrorKind.LocalFault, e.Kind);
        Assert.Contains("8 tickets", e.Message, StringComparison.Ordinal);
        Assert.All(tickets, t => Assert.Equal(TicketVerdict.Accepted, Redeem(t, Keys.Small.Id, Start)));
        Assert.True(_book.Revoke(tickets[3].Secret));
        Assert.Equal(TicketVerdict.Accepted, Redeem(_book.Issue(new TicketOptions(), Start), Keys.Small.Id, Start));
    }

    [Fact]
    public void What_expired_first_makes_room_and_what_is_taken_last()
    {
        IssuedTicket taken = _book.Issue(new TicketOptions { OneTime = true, Lifetime = TimeSpan.FromMinutes(1) }, Start);
        _ = Redeem(taken, Keys.Small.Id, Start);
        IssuedTicket later = _book.Issue(new TicketOptions { Lifetime = TimeSpan.FromMinutes(3) }, Start);
        IssuedTicket sooner = _book.Issue(new TicketOptions { Lifetime = TimeSpan.FromMinutes(2) }, Start);
        IssuedTicket[] endless = [.. Enumerable.Range(0, 5).Select(_ => _book.Issue(new TicketOptions(), Start))];
        DateTimeOffset now = Start.AddMinutes(10);

        _ = _book.Issue(new TicketOptions(), now);
        Assert.Equal(
            [TicketVerdict.Accepted, TicketVerdict.Expired, TicketVerdict.Unknown],
            new[] { Redeem(taken, Keys.Small.Id, now), Redeem(later, Keys.Small.Id, now), Redeem(sooner, Keys.Small.Id, now) });
        _ = _book.Issue(new TicketOptions(), now);
        Assert.Equal([TicketVerdict.Accepted, TicketVerdict.Unknown], new[] { Redeem(taken, Keys.Small.Id, now), Redeem(later, Keys.Small.Id, now) });
        _ = _book.Issue(new TicketOptions(), now);
        Assert.Equal(TicketVerdict.Unknown, Redeem(taken, Keys.Small.Id, now));
        _ = Assert.Throws<GimletException>(() => _book.Issue(new TicketOptions(), now));
        Assert.All(endless, t => Assert.Equal(TicketVerdict.Accepted, Redeem(t, Keys.Small.Id, now)));
        Assert.Equal(8, _book.Count);
    }

    [Fact]
    public void Bad_options_are_named()
    {
        foreach (TimeSpan lifetime in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(-1) })
        {
            GimletException e = Assert.Throws<GimletException>(() => _book.Issue(new TicketOptions { Lifetime = lifetime }, Start));
            Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
            Assert.Contains("Lifetime", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, _book.Count);
    }

    [Fact]
    public void A_disposed_book_admits_nobody()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions(), Start);
        _book.Dispose();
        Assert.Equal(TicketVerdict.Unknown, Redeem(ticket, Keys.Small.Id, Start));
        Assert.Equal(0, _book.Count);
    }

    [Fact]
    public void The_secret_that_is_handed_out_is_a_copy()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions(), Start);
        byte[] copy = [.. ticket.Secret];
        Array.Clear(ticket.Secret);
        Assert.Equal(TicketVerdict.Accepted, Redeem(new IssuedTicket(copy, null), Keys.Small.Id, Start));
    }

    [Fact]
    public void A_thousand_random_lives_agree_with_a_model()
    {
        var random = new Random(7);
        PeerId[] peers = [Keys.Small.Id, Keys.Stranger.Id, new PeerId([.. Enumerable.Repeat((byte)9, 32)])];
        for (int life = 0; life < 1000; life++)
        {
            using var book = new TicketBook(SeededRandom.From(life), capacity: 4);
            var model = new List<Model>();
            DateTimeOffset now = Start;
            for (int step = 0; step < 20; step++)
            {
                now = now.AddSeconds(random.Next(3));
                if (random.Next(3) == 0 && model.Count < 4)
                {
                    var options = new TicketOptions { OneTime = random.Next(2) == 0, Lifetime = random.Next(2) == 0 ? null : TimeSpan.FromSeconds(random.Next(1, 8)) };
                    model.Add(new Model(book.Issue(options, now), options.OneTime));
                }
                else if (model.Count > 0)
                {
                    Model ticket = model[random.Next(model.Count)];
                    PeerId peer = peers[random.Next(peers.Length)];
                    TicketVerdict expected = ticket.Holder is { } holder ? (holder == peer ? TicketVerdict.Accepted : TicketVerdict.Used)
                        : ticket.Issued.Expires is { } end && end <= now ? TicketVerdict.Expired
                        : TicketVerdict.Accepted;
                    if (expected == TicketVerdict.Accepted && ticket.IsOneTime)
                    {
                        ticket.Holder = peer;
                    }

                    Assert.Equal(expected, Redeem(ticket.Issued, peer, now, book));
                }
            }
        }
    }

    private TicketVerdict Redeem(IssuedTicket ticket, PeerId caller, DateTimeOffset now, TicketBook? book = null)
    {
        CallId call = NextCall();
        return (book ?? _book).TryRedeem(call, caller, Callee, Point, TicketProof.Compute(ticket.Secret, call, caller, Callee, Point), now);
    }

    private CallId NextCall()
    {
        byte[] id = new byte[CallId.Size];
        BitConverter.TryWriteBytes(id, ++_calls);
        return new CallId(id);
    }

    private sealed class Model(IssuedTicket issued, bool isOneTime)
    {
        public IssuedTicket Issued { get; } = issued;

        public bool IsOneTime { get; } = isOneTime;

        public PeerId? Holder { get; set; }
    }
}
