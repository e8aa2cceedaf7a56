using Gimlet.Access;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Access;

public sealed class AdmissionTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Point = [4, .. new byte[64]];
    private static readonly CallId Call = new([.. Enumerable.Repeat((byte)5, 16)]);

    private readonly TicketBook _book = new(SeededRandom.From(1));

    private static TicketVerdict?[] Tickets => [null, .. Enum.GetValues<TicketVerdict>().Cast<TicketVerdict?>(), (TicketVerdict)99];

    public void Dispose() => _book.Dispose();

    [Fact]
    public void The_table_of_decisions()
    {
        var listed = PeerPolicy.Only([Keys.Small.Id]);
        foreach (TicketVerdict? ticket in Tickets)
        {
            AccessVerdict byTicket = ticket switch
            {
                null => AccessVerdict.NoProof,
                TicketVerdict.Accepted => AccessVerdict.Accepted,
                TicketVerdict.Expired => AccessVerdict.ExpiredTicket,
                TicketVerdict.Used => AccessVerdict.UsedTicket,
                _ => AccessVerdict.UnknownTicket,
            };
            Assert.Equal(AccessVerdict.Accepted, Decide(PeerPolicy.Everyone, Keys.Stranger.Id, ticket));
            Assert.Equal(AccessVerdict.Accepted, Decide(PeerPolicy.Everyone.OrTicketHolders(), Keys.Stranger.Id, ticket));
            Assert.Equal(AccessVerdict.Accepted, Decide(listed, Keys.Small.Id, ticket));
            Assert.Equal(AccessVerdict.Accepted, Decide(listed.OrTicketHolders(), Keys.Small.Id, ticket));
            Assert.Equal(AccessVerdict.NotListed, Decide(listed, Keys.Stranger.Id, ticket));
            Assert.Equal(AccessVerdict.NotListed, Decide(PeerPolicy.Only([]), Keys.Small.Id, ticket));
            Assert.Equal(byTicket, Decide(listed.OrTicketHolders(), Keys.Stranger.Id, ticket));
            Assert.Equal(byTicket, Decide(PeerPolicy.TicketHolders, Keys.Small.Id, ticket));
            Assert.Equal(byTicket, Decide(PeerPolicy.TicketHolders.OrTicketHolders(), Keys.Small.Id, ticket));
            foreach (PeerPolicy policy in new[] { PeerPolicy.Everyone, listed, PeerPolicy.Only([]), PeerPolicy.TicketHolders, listed.OrTicketHolders() })
            {
                Assert.Equal(AccessVerdict.Accepted, policy.Decide(Keys.Stranger.Id, hasConnection: true, ticket).Verdict);
            }
        }
    }

    [Fact]
    public void What_is_not_accepted_by_name_is_refused_with_words()
    {
        foreach (AccessVerdict verdict in (AccessVerdict[])[.. Enum.GetValues<AccessVerdict>(), (AccessVerdict)99])
        {
            var decision = new AccessDecision(verdict);
            Assert.Equal(verdict == AccessVerdict.Accepted, decision.IsAccepted);
            Assert.Equal(decision.IsAccepted, decision.Reason is null);
            Assert.Equal(decision.IsAccepted, string.IsNullOrEmpty(decision.Detail));
            Assert.True(decision.Reason is null or RejectReason.Refused);
        }

        Assert.False(default(AccessDecision).IsAccepted);
        Assert.Equal("this node admits only holders of its tickets, and the call carried no proof", new AccessDecision(AccessVerdict.NoProof).Detail);
        Assert.Equal("the ticket has expired", new AccessDecision(AccessVerdict.ExpiredTicket).Detail);
        Assert.Equal("the one-time ticket was used by another peer", new AccessDecision(AccessVerdict.UsedTicket).Detail);
    }

    [Fact]
    public void Each_refusal_has_words_and_advice_of_its_own()
    {
        AccessDecision[] refusals = [.. Enum.GetValues<AccessVerdict>().Where(v => v is not (AccessVerdict.Accepted or AccessVerdict.Undecided)).Select(v => new AccessDecision(v))];
        Assert.Equal(refusals.Length, refusals.Select(r => r.Detail).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(refusals.Length, refusals.Select(r => AccessDecision.HintFor(r.Detail)).OfType<string>().Distinct(StringComparer.Ordinal).Count());
        Assert.All(new[] { null, string.Empty, "something else" }, d => Assert.Null(AccessDecision.HintFor(d)));
    }

    [Fact]
    public void The_properties_of_a_policy()
    {
        var listed = PeerPolicy.Only([Keys.Small.Id]);
        Assert.Equal((true, false), (PeerPolicy.Everyone.IsEveryone, PeerPolicy.Everyone.TakesTickets));
        Assert.Equal((false, false), (listed.IsEveryone, listed.TakesTickets));
        Assert.Equal((false, true), (PeerPolicy.TicketHolders.IsEveryone, PeerPolicy.TicketHolders.TakesTickets));
        Assert.Equal((false, true), (listed.OrTicketHolders().IsEveryone, listed.OrTicketHolders().TakesTickets));
        Assert.Same(PeerPolicy.Everyone, PeerPolicy.Everyone.OrTicketHolders());
        Assert.False(PeerPolicy.TicketHolders.Allows(Keys.Small.Id));
        Assert.True(listed.OrTicketHolders().Allows(Keys.Small.Id));
        Assert.False(listed.TakesTickets);
    }

    [Fact]
    public void A_list_is_copied()
    {
        var ids = new List<PeerId> { Keys.Small.Id };
        var policy = PeerPolicy.Only(ids);
        ids.Add(Keys.Stranger.Id);
        Assert.False(policy.Allows(Keys.Stranger.Id));
    }

    [Fact]
    public void Only_a_proof_that_could_change_something_is_looked_at()
    {
        byte[] proof = new byte[32];
        var listed = PeerPolicy.Only([Keys.Small.Id]);
        Assert.Equal(AccessVerdict.Accepted, AtOnce(PeerPolicy.Everyone, Keys.Stranger.Id, proof));
        Assert.Equal(AccessVerdict.Accepted, AtOnce(listed.OrTicketHolders(), Keys.Small.Id, proof));
        Assert.Equal(AccessVerdict.NotListed, AtOnce(listed, Keys.Stranger.Id, proof));
        Assert.Equal(AccessVerdict.NoProof, AtOnce(PeerPolicy.TicketHolders, Keys.Stranger.Id, []));
        Assert.Equal(AccessVerdict.Accepted, AtOnce(PeerPolicy.TicketHolders, Keys.Stranger.Id, [], hasConnection: true));
        Assert.False(Admission(PeerPolicy.TicketHolders).TryDecideAtOnce(Keys.Stranger.Id, hasConnection: false, proof, out AccessDecision open));
        Assert.False(open.IsAccepted);
    }

    [Fact]
    public void A_proof_decides_and_a_listed_peer_uses_up_no_ticket()
    {
        IssuedTicket ticket = _book.Issue(new TicketOptions { OneTime = true }, Now);
        Admission admission = Admission(PeerPolicy.Only([Keys.Small.Id]).OrTicketHolders());
        Assert.True(admission.TryDecideAtOnce(Keys.Small.Id, hasConnection: false, Proof(ticket, Keys.Small.Id), out AccessDecision listed));
        Assert.True(listed.IsAccepted);
        Assert.True(admission.DecideOnProof(Call, Keys.Stranger.Id, Point, Proof(ticket, Keys.Stranger.Id), Now).IsAccepted);
        PeerId third = new([.. Enumerable.Repeat((byte)7, 32)]);
        Assert.Equal(AccessVerdict.UsedTicket, admission.DecideOnProof(Call, third, Point, Proof(ticket, third), Now).Verdict);
        Assert.Equal(AccessVerdict.UnknownTicket, admission.DecideOnProof(Call, third, Point, Proof(ticket, Keys.Stranger.Id), Now).Verdict);
        Assert.Equal(AccessVerdict.UnknownTicket, admission.DecideOnProof(Call, third, [], [1], Now).Verdict);
    }

    private static AccessVerdict Decide(PeerPolicy policy, PeerId peer, TicketVerdict? ticket) => policy.Decide(peer, hasConnection: false, ticket).Verdict;

    private static byte[] Proof(IssuedTicket ticket, PeerId caller) => TicketProof.Compute(ticket.Secret, Call, caller, Keys.Large.Id, Point);

    private AccessVerdict AtOnce(PeerPolicy policy, PeerId caller, byte[] proof, bool hasConnection = false)
    {
        Assert.True(Admission(policy).TryDecideAtOnce(caller, hasConnection, proof, out AccessDecision decision));
        return decision.Verdict;
    }

    private Admission Admission(PeerPolicy policy) => new(policy, _book, Keys.Large.Id);
}
