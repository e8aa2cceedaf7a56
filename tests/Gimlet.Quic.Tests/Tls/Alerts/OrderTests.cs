using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls.Alerts;

/// <summary>Messages at the wrong time, at the wrong level, or of a kind that QUIC does not have.</summary>
public sealed class OrderTests
{
    // Client: ClientHello, ClientHello, Certificate, CertificateVerify, Finished. Server: HelloRetryRequest, ServerHello,
    // EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished.
    public static TheoryData<bool, int> Messages
    {
        get
        {
            TheoryData<bool, int> data = [];
            for (int i = 0; i < 5; i++)
            {
                data.Add(true, i);
            }

            for (int i = 0; i < 7; i++)
            {
                data.Add(false, i);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_left_out_ends_the_handshake(bool fromClient, int index)
    {
        using TlsPair pair = Run(message => Is(message, fromClient, index) ? [] : [message.Bytes]);

        Assert.False(pair.BothComplete);

        // Nothing follows the last message of a flight, so its absence is QUIC's to time out; everything else is noticed.
        bool lastOfFlight = pair.Sent.Find(message => Is(message, fromClient, index))!.Type
            is HandshakeType.Finished or HandshakeType.ClientHello || (!fromClient && index == 0);
        if (!lastOfFlight)
        {
            // Without the ServerHello there are no keys; what comes at the next level is the wrong level.
            Assert.Equal(
                !fromClient && index == 1 ? "PROTOCOL_VIOLATION"
                : !fromClient && index == 3 ? "DecryptError"
                : "UnexpectedMessage",
                Expect.NameOf(pair.AnyError));
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_that_comes_twice_ends_the_handshake(bool fromClient, int index)
    {
        using TlsPair pair = Run(message => Is(message, fromClient, index) ? [message.Bytes, message.Bytes] : [message.Bytes]);

        Assert.False(pair.BothComplete);
        string expected = (fromClient, index) switch
        {
            // Again a hello without the share that was asked for.
            (true, 0) => "IllegalParameter",

            // A hello or Finished ends its level, so a second one is at a level that is over.
            (true, 1 or 4) or (false, 1 or 6) => "PROTOCOL_VIOLATION",
            _ => "UnexpectedMessage",
        };
        Assert.Equal(expected, Expect.NameOf(fromClient ? pair.Server.Error : pair.Client.Error));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_that_changes_places_with_the_next_ends_the_handshake(bool fromClient, int index)
    {
        byte[]? held = null;
        using TlsPair pair = Run(message =>
        {
            if (Is(message, fromClient, index))
            {
                held = message.Bytes;
                return [];
            }

            if (held is { } late && Is(message, fromClient, index + 1))
            {
                held = null;
                return [message.Bytes, late];
            }

            return [message.Bytes];
        });

        Assert.False(pair.BothComplete);
        Assert.True(held is not null || pair.AnyError is not null);
    }

    [Theory]
    [InlineData(HandshakeType.KeyUpdate)]
    [InlineData(HandshakeType.EndOfEarlyData)]
    [InlineData(HandshakeType.MessageHash)]
    [InlineData(HandshakeType.ClientHello)]
    [InlineData(HandshakeType.Finished)]
    [InlineData((HandshakeType)0)]
    [InlineData((HandshakeType)255)]
    public void After_the_handshake_such_a_message_is_unexpected_on_both_sides(object type)
    {
        using TlsPair pair = new TlsPair().Run();
        byte[] message = WireMessage.Frame((HandshakeType)type, [0]);
        pair.Client.Handle(EncryptionLevel.OneRtt, message);
        pair.Server.Handle(EncryptionLevel.OneRtt, message);

        Assert.Equal(0x10aul, pair.Client.Error?.Code);
        Assert.Equal(0x10aul, pair.Server.Error?.Code);
        Assert.False(pair.Client.IsComplete);
        Assert.False(pair.Server.IsComplete);
    }

    [Fact]
    public void Authentication_after_the_handshake_and_tickets_for_a_server_are_refused()
    {
        using TlsPair pair = new TlsPair().Run();
        pair.Client.Handle(EncryptionLevel.OneRtt, WireMessage.Frame(HandshakeType.CertificateRequest, [0]));
        pair.Server.Handle(EncryptionLevel.OneRtt, WireMessage.Frame(HandshakeType.NewSessionTicket, [0]));

        Assert.Equal("PROTOCOL_VIOLATION", Expect.NameOf(pair.Client.Error));
        Assert.Equal("UnexpectedMessage", Expect.NameOf(pair.Server.Error));
    }

    [Theory]
    [InlineData("00001c20" + "01020304" + "0100" + "0000" + "0000", "DecodeError")]
    [InlineData("00001c20" + "01020304" + "0100" + "000101" + "0000" + "00", "DecodeError")]
    [InlineData("00001c20" + "01020304" + "0100" + "000101" + "0008" + "002a000400010000", "PROTOCOL_VIOLATION")]
    [InlineData("00001c20" + "01020304" + "0100" + "000101" + "0006" + "002a0002ffff", "DecodeError")]
    [InlineData("00001c20" + "01020304" + "0100" + "000101" + "0004" + "00330000", "IllegalParameter")]
    [InlineData("00001c20", "DecodeError")]
    public void A_wrong_ticket_gets_its_alert(string body, string error)
    {
        using TlsPair pair = new TlsPair().Run();
        pair.Client.Handle(EncryptionLevel.OneRtt, WireMessage.Frame(HandshakeType.NewSessionTicket, Convert.FromHexString(body)));

        Assert.Equal(error, Expect.NameOf(pair.Client.Error));
    }

    [Theory]
    [InlineData(HandshakeType.KeyUpdate)]
    [InlineData(HandshakeType.EndOfEarlyData)]
    [InlineData(HandshakeType.NewSessionTicket)]
    [InlineData(HandshakeType.ServerHello)]
    public void At_the_start_a_server_expects_a_ClientHello_only(object type)
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, WireMessage.Frame((HandshakeType)type, []));

        Assert.Equal("UnexpectedMessage", Expect.NameOf(pair.Server.Error));
    }

    [Theory]
    [InlineData(EncryptionLevel.Handshake)]
    [InlineData(EncryptionLevel.OneRtt)]
    public void Bytes_at_a_level_without_keys_are_a_violation(object level)
    {
        using var pair = new TlsPair();
        pair.Server.Handle((EncryptionLevel)level, [1]);

        Assert.Equal("PROTOCOL_VIOLATION", Expect.NameOf(pair.Server.Error));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    [InlineData(false, 6)]
    public void Bytes_after_the_last_message_of_a_level_are_a_violation(bool fromClient, int index)
    {
        using TlsPair pair = Run(message => [Is(message, fromClient, index) ? [.. message.Bytes, 11] : message.Bytes]);

        Assert.Equal("PROTOCOL_VIOLATION", Expect.NameOf(fromClient ? pair.Server.Error : pair.Client.Error));
    }

    [Fact]
    public void After_a_failure_everything_else_is_ignored()
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, [99, 0, 0, 0]);
        TlsError? first = pair.Server.Error;
        pair.Run();

        Assert.NotNull(first);
        Assert.Same(first, pair.Server.Error);
        Assert.Equal(TlsEventKind.Failed, Assert.Single(pair.ServerEvents).Kind);
    }

    [Fact]
    public void Misuse_by_the_owner_is_an_exception()
    {
        var pair = new TlsPair();
        pair.Client.Start();
        Assert.Throws<InvalidOperationException>(pair.Client.Start);
        Assert.Throws<InvalidOperationException>(pair.Client.Confirm);
        pair.Dispose();
        pair.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pair.Client.Handle(EncryptionLevel.Initial, [1]));
    }

    private static bool Is(WireMessage message, bool fromClient, int index) => message.FromClient == fromClient && message.Index == index;

    private static TlsPair Run(Func<WireMessage, IEnumerable<byte[]>> bend) => new TlsPair(
        TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1] },
        TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp384r1] })
    { Bend = bend }.Run();
}
