using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Client;

public sealed class StunQueryTests
{
    private static readonly TransportAddress ServerA = TransportAddress.Parse("198.51.100.1:3478");
    private static readonly TransportAddress ServerB = TransportAddress.Parse("[2001:db8::53]:3478");
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.10:41002");
    private static readonly TransportAddress Mapped = TransportAddress.Parse("203.0.113.7:50211");

    [Fact]
    public void All_servers_are_asked_at_once_and_each_answer_is_a_result()
    {
        var query = new QueryDriver();
        query.Start(ServerA, ServerB);
        Assert.Equal([ServerA, ServerB], query.Sent.Select(sent => sent.Destination));

        query.Now = TimeSpan.FromMilliseconds(40);
        Assert.True(query.Answer(query.Sent[1], Mapped));
        Assert.True(query.Query.PollResult(out StunServerResult? first));
        Assert.Equal(ServerB, first.Target.Address);
        Assert.False(query.Query.IsComplete);

        query.Now = TimeSpan.FromMilliseconds(60);
        Assert.True(query.Answer(query.Sent[0], Mapped));
        Assert.True(query.Query.IsComplete);
        Assert.Null(query.Query.NextTimeout);
        Assert.Equal([ServerA, ServerB], query.Query.Results.Select(result => result.Target.Address));
        StunServerResult a = query.Query.Results[0];
        Assert.Equal(StunOutcome.Answered, a.Outcome);
        Assert.Equal(Mapped, a.MappedAddress);
        Assert.Equal(Local, a.LocalAddress);
        Assert.Equal(TimeSpan.FromMilliseconds(60), a.RoundTrip);
        Assert.Equal(1, a.Sends);
    }

    [Fact]
    public void Requests_are_repeated_after_100_ms_doubling_until_the_deadline_of_3_s()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.RunToEnd();

        Assert.Equal([0, 100, 300, 700, 1500], query.Sent.Select(sent => sent.At.TotalMilliseconds));
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(StunOutcome.TimedOut, result.Outcome);
        Assert.Equal(5, result.Sends);
        Assert.Equal("no answer after 5 sends in 3 s", result.Detail);
        Assert.Equal(TimeSpan.FromSeconds(3), query.Now);
    }

    [Fact]
    public void The_round_trip_is_that_of_the_send_that_was_answered()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.RunUntil(TimeSpan.FromMilliseconds(350));
        Assert.Equal(3, query.Sent.Count);

        Assert.True(query.Answer(query.Sent[1], Mapped));
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(TimeSpan.FromMilliseconds(250), result.RoundTrip);
        Assert.Equal(3, result.Sends);
    }

    [Fact]
    public void A_host_that_wakes_late_sends_once_and_not_once_per_missed_timer()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.Now = TimeSpan.FromMilliseconds(1200);
        query.Query.HandleTimeout(query.Now);
        query.Drain();

        Assert.Equal(2, query.Sent.Count);
    }

    [Fact]
    public void An_answer_with_a_transaction_id_of_nobody_is_not_ours()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        byte[] forged = QueryDriver.Response(query.Sent[0], Mapped);
        forged[19] ^= 1;

        Assert.False(query.Deliver(ServerA, forged));
        Assert.Empty(query.Query.Results);
    }

    [Fact]
    public void An_answer_from_an_address_that_was_not_asked_changes_nothing()
    {
        var query = new QueryDriver();
        query.Start(ServerA);

        Assert.True(query.Deliver(ServerA.WithPort(3479), QueryDriver.Response(query.Sent[0], TransportAddress.Parse("192.0.2.66:6"))));
        Assert.Empty(query.Query.Results);
        Assert.True(query.Answer(query.Sent[0], Mapped));
        Assert.Equal(Mapped, Assert.Single(query.Query.Results).MappedAddress);
    }

    [Fact]
    public void A_duplicate_and_a_late_answer_change_nothing()
    {
        var query = new QueryDriver();
        query.Start(ServerA, ServerB);
        Assert.True(query.Answer(query.Sent[0], Mapped));
        StunServerResult before = Assert.Single(query.Query.Results);

        Assert.True(query.Answer(query.Sent[0], TransportAddress.Parse("192.0.2.66:6")));
        query.RunToEnd();
        Assert.True(query.Answer(query.Sent[1], TransportAddress.Parse("192.0.2.66:6")));

        Assert.Same(before, query.Query.Results[0]);
        Assert.Equal(StunOutcome.TimedOut, query.Query.Results[1].Outcome);
        Assert.True(query.Query.PollResult(out _));
        Assert.True(query.Query.PollResult(out _));
        Assert.False(query.Query.PollResult(out _));
    }

    [Fact]
    public void A_request_or_an_indication_is_somebody_elses()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        Assert.False(query.Deliver(ServerA, query.Sent[0].Bytes));
        byte[] indication = [.. query.Sent[0].Bytes];
        indication[1] = 0x11;
        Assert.False(query.Deliver(ServerA, indication));
    }

    [Theory]
    [InlineData("no mapped address", "XOR-MAPPED-ADDRESS")]
    [InlineData("wrong fingerprint", "FINGERPRINT")]
    [InlineData("port zero", "cannot be anyone's address")]
    [InlineData("unspecified", "cannot be anyone's address")]
    [InlineData("unknown attribute", "0x7abc")]
    [InlineData("wrong method", "method 0x003")]
    [InlineData("error without a code", "ERROR-CODE")]
    [InlineData("garbage", "no STUN message")]
    public void A_malformed_answer_is_the_outcome_only_if_nothing_better_comes(string kind, string word)
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        Assert.True(query.Deliver(ServerA, Malformed(kind, query.Sent[0])));
        Assert.False(query.Query.IsComplete);
        query.RunToEnd();
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(StunOutcome.Malformed, result.Outcome);
        Assert.Contains(word, result.Detail, StringComparison.Ordinal);

        var better = new QueryDriver();
        better.Start(ServerA);
        _ = better.Deliver(ServerA, Malformed(kind, better.Sent[0]));
        Assert.True(better.Answer(better.Sent[0], Mapped));
        Assert.Equal(StunOutcome.Answered, Assert.Single(better.Query.Results).Outcome);
    }

    [Fact]
    public void A_refusal_ends_the_question_with_its_code_and_a_clean_reason()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        var builder = query.Sent[0].BeginResponse(StunClass.Error);
        builder.AddErrorCode(StunErrorCode.Unauthenticated, "no\nway"u8);

        Assert.True(query.Deliver(ServerA, builder.Written.ToArray()));
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(StunOutcome.Refused, result.Outcome);
        Assert.Equal(StunErrorCode.Unauthenticated, result.ErrorCode);
        Assert.Equal("refused with error 401 (noway)", result.Detail);
    }

    [Fact]
    public void A_server_that_points_elsewhere_is_reported_and_not_followed()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        var alternate = TransportAddress.Parse("192.0.2.99:3478");
        var builder = query.Sent[0].BeginResponse(StunClass.Error);
        builder.AddErrorCode(StunErrorCode.TryAlternate);
        builder.AddAlternateServer(alternate);

        Assert.True(query.Deliver(ServerA, builder.Written.ToArray()));
        query.Drain();
        Assert.Single(query.Sent);
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(alternate, result.AlternateServer);
        Assert.Equal("refused with error 300, points to 192.0.2.99:3478", result.Detail);
    }

    [Fact]
    public void Two_failed_sends_in_a_row_make_a_server_unreachable_and_one_does_not()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.Query.HandleSendFailure(query.Now, ServerA, "no route to host");
        query.Query.HandleSendFailure(query.Now, ServerA, "no route to host");
        Assert.False(query.Query.IsComplete);

        query.RunUntil(TimeSpan.FromMilliseconds(100));
        query.Query.HandleSendFailure(query.Now, ServerA, "no route to host");
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(StunOutcome.Unreachable, result.Outcome);
        Assert.Contains("no route to host", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_send_between_good_ones_is_survived()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.Query.HandleSendFailure(query.Now, ServerA, "connection refused");
        query.RunUntil(TimeSpan.FromMilliseconds(300));
        query.Query.HandleSendFailure(query.Now, ServerA, "connection refused");
        query.RunUntil(TimeSpan.FromMilliseconds(310));

        Assert.True(query.Answer(query.Sent[1], Mapped));
        Assert.Equal(StunOutcome.Answered, Assert.Single(query.Query.Results).Outcome);
    }

    [Fact]
    public void A_name_that_did_not_resolve_is_a_result_and_does_not_hold_up_the_others()
    {
        var query = new QueryDriver();
        query.Query.Add(TimeSpan.Zero, StunTarget.Unresolved(new StunServerAddress("nowhere.invalid", 3478), "no such name"));
        query.Start(ServerA);
        Assert.True(query.Answer(query.Sent[0], Mapped));

        Assert.True(query.Query.IsComplete);
        Assert.Equal(StunOutcome.NameNotResolved, query.Query.Results[0].Outcome);
        Assert.Equal("no such name", query.Query.Results[0].Detail);
        Assert.Equal(StunOutcome.Answered, query.Query.Results[1].Outcome);
    }

    [Fact]
    public void A_server_that_is_added_later_has_until_the_deadline_of_the_query()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        query.RunUntil(TimeSpan.FromSeconds(1));
        query.Query.Add(query.Now, new StunTarget(ServerB));
        query.RunToEnd();

        Assert.Equal(TimeSpan.FromSeconds(3), query.Now);
        Assert.Equal("no answer after 5 sends in 2 s", query.Query.Results[1].Detail);
    }

    [Fact]
    public void A_query_without_servers_is_complete_at_once()
    {
        var query = new QueryDriver();
        query.Start();
        Assert.True(query.Query.IsComplete);
        Assert.Null(query.Query.NextTimeout);
    }

    [Fact]
    public void A_query_asks_for_a_proof_and_hands_it_out()
    {
        var query = new QueryDriver(new StunQueryOptions { RequestProof = true, AddFingerprint = true });
        query.Start(ServerA);
        Assert.True(StunMessage.TryParse(query.Sent[0].Bytes, out StunMessage request));
        Assert.True(request.HasGimletObserve());
        Assert.True(request.VerifyFingerprint());

        byte[] proof = [.. Enumerable.Range(0, 20).Select(i => (byte)i)];
        var builder = query.Sent[0].BeginResponse(StunClass.Success);
        builder.AddXorMappedAddress(Mapped);
        builder.AddGimletProof(proof);
        builder.AddResponseOrigin(ServerA);
        builder.AddOtherAddress(ServerB);
        Assert.True(query.Deliver(ServerA, builder.Written.ToArray()));
        StunServerResult result = Assert.Single(query.Query.Results);
        Assert.Equal(proof, result.Proof.ToArray());
        Assert.Equal(ServerA, result.ResponseOrigin);
        Assert.Equal(ServerB, result.OtherAddress);
    }

    [Fact]
    public void A_server_from_before_XOR_MAPPED_ADDRESS_is_understood()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        var builder = query.Sent[0].BeginResponse(StunClass.Success);
        builder.AddMappedAddress(Mapped);

        Assert.True(query.Deliver(ServerA, builder.Written.ToArray()));
        Assert.Equal(Mapped, Assert.Single(query.Query.Results).MappedAddress);
    }

    [Fact]
    public void A_request_that_does_not_fit_the_buffer_stays_due()
    {
        var query = new StunQuery(new StunQueryOptions(), SeededRandom.From(1));
        query.Add(TimeSpan.Zero, new StunTarget(ServerA));
        query.Start(TimeSpan.Zero);

        Assert.False(query.PollTransmit(out _, new byte[19], out int length));
        Assert.Equal(0, length);
        Assert.True(query.PollTransmit(out _, new byte[20], out length));
        Assert.Equal(20, length);
    }

    [Fact]
    public void No_mutation_of_an_answer_throws_or_yields_an_address_of_nobody()
    {
        var query = new QueryDriver();
        query.Start(ServerA);
        byte[] valid = QueryDriver.Response(query.Sent[0], Mapped);
        foreach (byte[] bytes in Mutations.Truncations(valid).Concat(Mutations.Random(valid, seed: 3, stun: true)))
        {
            var victim = new QueryDriver();
            victim.Start(ServerA);
            _ = victim.Deliver(ServerA, bytes);
            foreach (StunServerResult result in victim.Query.Results.Where(result => result.Outcome == StunOutcome.Answered))
            {
                Assert.NotEqual(0, result.MappedAddress.Port);
            }
        }
    }

    [Fact]
    public void Options_that_make_no_sense_are_named()
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(
            () => new StunQuery(new StunQueryOptions { MaxSends = 0 }, SeededRandom.From(1)));
        Assert.Contains("MaxSends", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Malformed(string kind, SentRequest request)
    {
        if (kind == "garbage")
        {
            return [1, 2, 3, 4, 5];
        }

        var builder = request.BeginResponse(kind == "error without a code" ? StunClass.Error : StunClass.Success);
        switch (kind)
        {
            case "wrong fingerprint":
                builder.AddXorMappedAddress(Mapped);
                builder.Add(StunAttributeType.Fingerprint, 0xdeadbeefu);
                break;
            case "port zero":
                builder.AddXorMappedAddress(Mapped.WithPort(0));
                break;
            case "unspecified":
                builder.AddXorMappedAddress(TransportAddress.Parse("0.0.0.0:5"));
                break;
            case "unknown attribute":
                builder.Add((StunAttributeType)0x7abc, 0u);
                builder.AddXorMappedAddress(Mapped);
                break;
        }

        byte[] bytes = builder.Written.ToArray();
        if (kind == "wrong method")
        {
            bytes[1] = 0x03;
        }

        return bytes;
    }
}
