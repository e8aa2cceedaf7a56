using System.Security.Cryptography;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tests.Endpoints.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints;

public sealed class EndpointCoreTests : IDisposable
{
    private const int HostLength = 4;

    private static readonly byte[] Address = [192, 0, 2, 1, 0x12, 0x34];
    private static readonly ConnectionId Destination = new([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    private static readonly ConnectionId Source = new([21, 22, 23]);

    private readonly EndpointCore<string> _core = new(BclProvider.Instance, resetKey: default, answersPerSecond: 10, RandomNumberGenerator.Fill);
    private readonly byte[] _answer = new byte[StatelessAnswers.MaxLength];

    public void Dispose() => _core.Dispose();

    [Fact]
    public void A_datagram_goes_to_the_connection_of_its_id_whatever_its_header()
    {
        ConnectionId id = _core.Issue("a", out _);
        Assert.True(_core.TryRoute(Datagrams.Short(id, 30), out string? connection));
        Assert.Equal("a", connection);
        Assert.True(_core.TryRoute(Datagrams.Initial(id, Source), out connection));
        Assert.Equal("a", connection);

        // A Version Negotiation to a client goes to its connection, too.
        Assert.True(_core.TryRoute(Datagrams.OfVersion(0, id, Source), out connection));
        Assert.Equal("a", connection);
        _core.Routes.Remove(id, "b");
        Assert.True(_core.TryRoute(Datagrams.Short(id, 30), out _));
        _core.Routes.Remove(id, "a");
        Assert.False(_core.TryRoute(Datagrams.Short(id, 30), out _));
        Assert.Equal(0, _core.Routes.IdCount);
    }

    [Fact]
    public void The_id_that_the_client_chose_leads_to_the_pending_connection()
    {
        Assert.True(_core.Routes.TryAdd(Destination, "a"));
        Assert.False(_core.Routes.TryAdd(Destination, "b"));
        Assert.True(_core.TryRoute(Datagrams.Initial(Destination, Source), out string? connection));
        Assert.Equal("a", connection);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x40 })]
    [InlineData(new byte[] { 0x40, 1, 2, 3, 4, 5, 6, 7 })]
    [InlineData(new byte[] { 0xc0, 0, 0, 0 })]
    [InlineData(new byte[] { 0xc0, 0, 0, 0, 1, 200, 1 })]
    public void What_has_no_header_is_dropped(byte[] datagram)
    {
        Serve();
        Assert.False(_core.TryRoute(datagram, out _));
        Assert.Equal(DropReason.Malformed, Drop(datagram));
    }

    [Fact]
    public void Without_a_server_no_connection_begins_and_no_version_is_negotiated()
    {
        Assert.Equal(DropReason.NotServing, Drop(Datagrams.Initial(Destination, Source)));
        Assert.Equal(DropReason.NotServing, Drop(Datagrams.OfVersion(0x0a0a0a0a, Destination, Source)));
        Serve();
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);
        _core.SetServer(null);
        Assert.Equal(DropReason.NotServing, Drop(Datagrams.Initial(Destination, Source)));
    }

    [Fact]
    public void An_Initial_begins_a_connection_with_what_its_header_says()
    {
        Serve();
        StrangerVerdict<string> verdict = Handle(Datagrams.Initial(Destination, Source));
        Assert.Equal(StrangerAction.Accept, verdict.Action);
        Assert.Equal(Destination, verdict.Start.Destination);
        Assert.Equal(Source, verdict.Start.Source);
        Assert.Equal(Destination, verdict.Start.OriginalDestination);
        Assert.Null(verdict.Start.RetrySource);
        Assert.False(verdict.Start.IsAddressValidated);
        Assert.Equal((1, 1), (_core.Admission.HalfOpen, _core.Admission.Connections));
    }

    [Fact]
    public void Small_Initials_short_ids_and_packets_that_begin_nothing_are_dropped()
    {
        Serve();
        Assert.Equal(DropReason.TooSmall, Drop(Datagrams.Initial(Destination, Source, length: 1199)));
        Assert.Equal(DropReason.Malformed, Drop(Datagrams.Initial(new ConnectionId([1, 2, 3, 4, 5, 6, 7]), Source)));
        Assert.Equal(DropReason.NoConnection, Drop(Datagrams.Initial(Destination, Source, type: PacketType.Handshake)));
        Assert.Equal(DropReason.NoConnection, Drop(Datagrams.Initial(Destination, Source, type: PacketType.ZeroRtt)));
        Assert.Equal(DropReason.NoConnection, Drop(Datagrams.OfVersion(0, Destination, Source)));
        byte[] withoutFixedBit = Datagrams.Initial(Destination, Source);
        withoutFixedBit[0] &= 0xbf;
        Assert.Equal(DropReason.Malformed, Drop(withoutFixedBit));
        Assert.Equal((0, 0), (_core.Admission.HalfOpen, _core.Admission.Connections));
    }

    [Fact]
    public void Other_versions_are_negotiated_and_not_below_1200_bytes()
    {
        Serve();
        StrangerVerdict<string> verdict = Handle(Datagrams.OfVersion(0x0a0a0a0a, Destination, Source));
        Assert.Equal((StrangerAction.Answer, AnswerKind.VersionNegotiation), (verdict.Action, verdict.Kind));
        Assert.True(VersionNegotiationPacket.TryRead(_answer.AsSpan(0, verdict.AnswerLength), out VersionNegotiationPacket packet));
        Assert.True(packet.Lists(QuicVersion.Version1));
        Assert.Equal(DropReason.UnknownVersion, Drop(Datagrams.OfVersion(0x0a0a0a0a, Destination, Source, 1199)));
    }

    [Fact]
    public void A_client_that_must_prove_its_address_gets_a_Retry_and_is_accepted_with_its_token()
    {
        Serve(threshold: -1);
        StrangerVerdict<string> first = Handle(Datagrams.Initial(Destination, Source));
        Assert.Equal((StrangerAction.Answer, AnswerKind.Retry), (first.Action, first.Kind));
        Assert.Equal(0, _core.Admission.Connections);
        Assert.True(RetryPacket.TryRead(_answer.AsSpan(0, first.AnswerLength), out RetryPacket retry));
        ConnectionId retrySource = retry.Source;
        byte[] token = retry.Token.ToArray();

        StrangerVerdict<string> second = Handle(Datagrams.Initial(retrySource, Source, token));
        Assert.Equal(StrangerAction.Accept, second.Action);
        Assert.Equal(retrySource, second.Start.Destination);
        Assert.Equal(Destination, second.Start.OriginalDestination);
        Assert.Equal(retrySource, second.Start.RetrySource);
        Assert.True(second.Start.IsAddressValidated);
    }

    // Neither state nor answer, whatever would have been answered; a stateless reset for a connection that is forgotten goes out all the same.
    [Fact]
    public void Where_nobody_may_begin_a_connection_only_resets_go_out()
    {
        Serve(threshold: -1);
        Assert.Equal(DropReason.NotInvited, Uninvited(Datagrams.Initial(Destination, Source)).Reason);
        Assert.Equal(DropReason.NotInvited, Uninvited(Datagrams.Initial(Destination, Source, [1, 2, 3])).Reason);
        Assert.Equal(DropReason.NotInvited, Uninvited(Datagrams.OfVersion(0x0a0a0a0a, Destination, Source)).Reason);
        Serve();
        Assert.Equal(DropReason.NotInvited, Uninvited(Datagrams.Initial(Destination, Source)).Reason);
        Assert.Equal((0, 0), (_core.Admission.Connections, _core.Admission.HalfOpen));
        StrangerVerdict<string> late = Uninvited(Datagrams.Short(Destination, 100));
        Assert.Equal((StrangerAction.Answer, AnswerKind.StatelessReset), (late.Action, late.Kind));
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);

        StrangerVerdict<string> Uninvited(byte[] datagram) =>
            _core.HandleStranger(TimeSpan.Zero, datagram, new StrangerAddress(Address, HostLength), _answer, mayBegin: false);
    }

    [Fact]
    public void A_Retry_token_from_elsewhere_is_refused_at_once()
    {
        Serve(threshold: -1);
        StrangerVerdict<string> first = Handle(Datagrams.Initial(Destination, Source));
        Assert.True(RetryPacket.TryRead(_answer.AsSpan(0, first.AnswerLength), out RetryPacket retry));
        byte[] datagram = Datagrams.Initial(retry.Source, Source, retry.Token);
        ConnectionId retrySource = retry.Source;
        StrangerVerdict<string> verdict = _core.HandleStranger(
            TimeSpan.Zero, datagram, new StrangerAddress([192, 0, 2, 99, 0x12, 0x34], HostLength), _answer);
        Assert.Equal((StrangerAction.Answer, AnswerKind.Refusal), (verdict.Action, verdict.Kind));
        Assert.Equal(TransportErrorCode.InvalidToken, CodeOf(_answer.AsSpan(0, verdict.AnswerLength), retrySource));
    }

    [Fact]
    public void A_token_of_an_earlier_connection_spares_the_Retry_once()
    {
        Serve(threshold: -1);
        byte[] token = _core.MakeNewToken(TimeSpan.Zero, Address.AsSpan(0, HostLength));
        StrangerVerdict<string> verdict = Handle(Datagrams.Initial(Destination, Source, token));
        Assert.Equal(StrangerAction.Accept, verdict.Action);
        Assert.True(verdict.Start.IsAddressValidated);
        Assert.Null(verdict.Start.RetrySource);
        Assert.Equal(AnswerKind.Retry, Handle(Datagrams.Initial(Destination, Source, token)).Kind);
    }

    [Fact]
    public void Retry_begins_beyond_its_threshold_and_half_open_handshakes_have_a_bound()
    {
        Serve(maxHalfOpen: 3, threshold: 1);
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);
        Assert.Equal(AnswerKind.Retry, Handle(Datagrams.Initial(Destination, Source)).Kind);
        _core.Admission.EndHandshake();
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);

        Serve(maxHalfOpen: 2, threshold: int.MaxValue);
        Assert.Equal(DropReason.HalfOpenLimit, Drop(Datagrams.Initial(Destination, Source)));
        Assert.Equal(2, _core.Admission.HalfOpen);
    }

    [Fact]
    public void A_full_endpoint_and_a_slow_application_refuse_so_that_the_client_can_read_it()
    {
        Serve(maxConnections: 1);
        Assert.Equal(StrangerAction.Accept, Handle(Datagrams.Initial(Destination, Source)).Action);
        AssertRefused(Handle(Datagrams.Initial(Destination, Source)));
        Assert.Equal((1, 1), (_core.Admission.HalfOpen, _core.Admission.Connections));
        Serve(isQueueFull: true);
        AssertRefused(Handle(Datagrams.Initial(Destination, Source)));
    }

    [Fact]
    public void A_stateless_reset_finds_its_connection_by_its_token()
    {
        var token = new StatelessResetToken(RandomNumberGenerator.GetBytes(16));
        _core.Routes.AddToken(token, "a");
        byte[] datagram = Datagrams.Short(new ConnectionId([9, 9, 9, 9, 9, 9, 9, 9]), 40);
        token.CopyTo(datagram.AsSpan(^16..));
        Assert.False(_core.TryRoute(datagram, out _));
        StrangerVerdict<string> verdict = Handle(datagram);
        Assert.Equal((StrangerAction.Reset, "a"), (verdict.Action, verdict.Connection));
        _core.Routes.RemoveToken(token, "a");
        Assert.NotEqual(StrangerAction.Reset, Handle(datagram).Action);
    }

    [Fact]
    public void A_packet_of_a_forgotten_connection_gets_the_reset_that_its_peer_expects()
    {
        ConnectionId id = _core.Issue("a", out StatelessResetToken token);
        _core.Routes.Remove(id, "a");
        StrangerVerdict<string> verdict = Handle(Datagrams.Short(id, 100));
        Assert.Equal((StrangerAction.Answer, AnswerKind.StatelessReset), (verdict.Action, verdict.Kind));
        Assert.InRange(verdict.AnswerLength, StatelessReset.MinLength, 99);
        Assert.Equal(token, new StatelessResetToken(_answer.AsSpan(verdict.AnswerLength - 16, 16)));
        Assert.Equal(DropReason.NoConnection, Drop(Datagrams.Short(id, StatelessReset.MinLength)));
    }

    [Fact]
    public void Answers_have_a_bound_per_second_and_come_again_in_the_next()
    {
        Serve();
        byte[] datagram = Datagrams.OfVersion(0x0a0a0a0a, Destination, Source);
        int answered = Enumerable.Range(0, 100).Count(_ => Handle(datagram).Action == StrangerAction.Answer);
        Assert.Equal(10, answered);
        Assert.Equal(DropReason.AnswerLimit, Handle(datagram).Reason);
        Assert.Equal(StrangerAction.Answer, _core.HandleStranger(TimeSpan.FromSeconds(1), datagram, new StrangerAddress(Address, HostLength), _answer).Action);
    }

    // A receiver may be in the middle of a batch when its endpoint goes.
    [Fact]
    public void Nobody_is_answered_any_more_once_it_is_disposed_and_nothing_throws()
    {
        Serve(threshold: -1);
        ConnectionId id = _core.Issue("a", out _);
        _core.Routes.Remove(id, "a");
        byte[] token = _core.MakeNewToken(TimeSpan.Zero, Address.AsSpan(0, HostLength));
        byte[][] datagrams =
        [
            Datagrams.Initial(Destination, Source), Datagrams.Initial(Destination, Source, token), Datagrams.Short(id, 100),
            Datagrams.OfVersion(0x0a0a0a0a, Destination, Source), Datagrams.Initial(Destination, Source, type: PacketType.Handshake),
        ];
        Assert.Equal([AnswerKind.Retry, AnswerKind.StatelessReset, AnswerKind.VersionNegotiation],
            new[] { 0, 2, 3 }.Select(i => Handle(datagrams[i]).Kind));
        _core.Dispose();
        Assert.All(datagrams, d => Assert.Equal(StrangerAction.Drop, Handle(d).Action));

        // The endpoint is full: it would refuse.
        Serve(maxConnections: 0);
        Assert.All(datagrams, d => Assert.Equal(StrangerAction.Drop, Handle(d).Action));
        Assert.Equal((0, 0), (_core.Admission.HalfOpen, _core.Admission.Connections));
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        Serve(threshold: 0);
        var random = new Random(20_000);
        byte[] valid = Datagrams.Initial(Destination, Source, new byte[40]);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] datagram;
            if (i % 2 == 0)
            {
                datagram = new byte[random.Next(1300)];
                random.NextBytes(datagram);
            }
            else
            {
                datagram = valid[..random.Next(1201)];
                for (int changes = random.Next(4); changes >= 0 && datagram.Length > 0; changes--)
                {
                    datagram[random.Next(Math.Min(datagram.Length, 80))] = (byte)random.Next(256);
                }
            }

            Assert.False(_core.TryRoute(datagram, out _));
            StrangerVerdict<string> verdict = _core.HandleStranger(TimeSpan.FromSeconds(i), datagram, new StrangerAddress(Address, HostLength), _answer);
            Assert.True(verdict.Action != StrangerAction.Answer || verdict.AnswerLength <= datagram.Length, "an answer must not be longer than the question");
            if (verdict.Action == StrangerAction.Accept)
            {
                _core.Admission.Abandon();
            }
        }

        Assert.Equal((0, 0), (_core.Admission.HalfOpen, _core.Admission.Connections));
    }

    private static TransportErrorCode CodeOf(Span<byte> datagram, in ConnectionId destination)
    {
        Assert.True(LongHeader.TryRead(datagram, out LongHeader header));
        Assert.Equal(Source, header.Destination);
        using var secrets = InitialSecrets.Derive(destination);
        using var opener = new PacketOpener(BclProvider.Instance, PacketCipher.Aes128GcmSha256, secrets.Server, new ForgeryCount(AeadLimits.Gcm));
        OpenedPacket opened = opener.Open(datagram, header.PacketNumberOffset, largestReceived: -1);
        Assert.Equal(OpenResult.Opened, opened.Result);
        var reader = new FrameReader(datagram.Slice(opened.PayloadOffset, opened.PayloadLength), PacketType.Initial, EndpointRole.Server);
        Assert.True(reader.MoveNext());
        Assert.True(ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame frame));
        return (TransportErrorCode)frame.ErrorCode;
    }

    private void AssertRefused(StrangerVerdict<string> verdict)
    {
        Assert.Equal((StrangerAction.Answer, AnswerKind.Refusal), (verdict.Action, verdict.Kind));
        Assert.InRange(verdict.AnswerLength, 1, RefusalAnswer.MaxLength);
        Assert.Equal(TransportErrorCode.ConnectionRefused, CodeOf(_answer.AsSpan(0, verdict.AnswerLength), Destination));
    }

    private void Serve(int maxConnections = 100, int maxHalfOpen = 100, int threshold = int.MaxValue, bool isQueueFull = false) =>
        _core.SetServer(new ServerLimits(maxConnections, maxHalfOpen, threshold, () => isQueueFull));

    private StrangerVerdict<string> Handle(byte[] datagram) =>
        _core.HandleStranger(TimeSpan.Zero, datagram, new StrangerAddress(Address, HostLength), _answer);

    private DropReason Drop(byte[] datagram)
    {
        StrangerVerdict<string> verdict = Handle(datagram);
        Assert.Equal(StrangerAction.Drop, verdict.Action);
        return verdict.Reason;
    }
}
