using System.Net.Security;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls;

public sealed class HandshakeTests
{
    public static MatrixTheoryData<TlsCipherSuite, int, string, string> Combinations => new(
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384],
        [(int)NamedGroup.Secp256r1, (int)NamedGroup.Secp384r1],
        ["direct", "retry for a group", "retry for a cookie", "retry for both"],
        ["mutual", "server only", "optional and shown", "optional and not shown"]);

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Both_sides_complete_with_the_same_secrets(TlsCipherSuite suite, int group, string retry, string authentication)
    {
        var wanted = (NamedGroup)group;
        NamedGroup other = wanted == NamedGroup.Secp256r1 ? NamedGroup.Secp384r1 : NamedGroup.Secp256r1;
        bool groupRetry = retry is "retry for a group" or "retry for both";
        TlsClientOptions client = TlsPair.ClientOptions() with
        {
            KeyShareGroups = [groupRetry ? other : wanted],
            Identity = authentication == "optional and not shown" ? null : Identities.P256(),
        };
        TlsServerOptions server = TlsPair.ServerOptions() with
        {
            CipherSuites = [suite],
            Groups = [wanted],
            RetryCookie = retry is "retry for a cookie" or "retry for both" ? new byte[] { 1, 2, 3 } : default,
            ClientCertificate = authentication switch
            {
                "mutual" => ClientCertificateMode.Required,
                "server only" => ClientCertificateMode.None,
                _ => ClientCertificateMode.Optional,
            },
        };

        using TlsPair pair = new TlsPair(client, server).Run();

        Assert.Null(pair.AnyError);
        Assert.True(pair.BothComplete);
        Assert.Equal(retry == "direct" ? 0 : 1, pair.Sent.Count(message => message.IsRetryRequest));
        Assert.Equal(suite, pair.Client.Suite);
        Assert.Equal(suite, pair.Server.Suite);
        AssertSameSecrets(pair, suite);
        Assert.Equal(TlsPair.ServerParameters, pair.Client.PeerTransportParameters.ToArray());
        Assert.Equal(TlsPair.ClientParameters, pair.Server.PeerTransportParameters.ToArray());
        Assert.Equal("peer.example", pair.Server.ServerName);
        Assert.Equal(Identities.KeyOf(server.Identity), pair.Client.Peer?.SubjectPublicKeyInfo.ToArray());
        bool shown = authentication is "mutual" or "optional and shown";
        Assert.Equal(shown ? Identities.KeyOf(client.Identity!) : null, pair.Server.Peer?.SubjectPublicKeyInfo.ToArray());
    }

    [Fact]
    public void Events_come_in_the_order_that_QUIC_needs()
    {
        using TlsPair pair = new TlsPair().Run();

        Assert.Equal(
            [
                "Send Initial", "Secret Handshake Write", "Secret Handshake Read", "TransportParameters", "ApplicationProtocol",
                "Send Handshake", "Secret OneRtt Write", "Secret OneRtt Read", "Complete",
            ],
            pair.ClientEvents.Select(Describe));
        Assert.Equal(
            [
                "TransportParameters", "ApplicationProtocol", "Send Initial", "Secret Handshake Write", "Secret Handshake Read",
                "Send Handshake", "Secret OneRtt Write", "Secret OneRtt Read", "Complete", "Confirmed",
            ],
            pair.ServerEvents.Select(Describe));
    }

    [Fact]
    public void The_server_is_confirmed_with_completion_and_the_client_when_it_is_told()
    {
        using TlsPair pair = new TlsPair().Run();

        Assert.True(pair.Server.IsConfirmed);
        Assert.False(pair.Client.IsConfirmed);
        pair.Client.Confirm();
        pair.Client.Confirm();
        Assert.True(pair.Client.IsConfirmed);
        Assert.True(pair.Client.TryPoll(out TlsEvent confirmed));
        Assert.Equal(TlsEventKind.Confirmed, confirmed.Kind);
        Assert.False(pair.Client.TryPoll(out _));
    }

    [Theory]
    [InlineData("a,b,c", "c,b", "c")]
    [InlineData("a,b,c", "x,b", "b")]
    [InlineData("gimlet", "gimlet", "gimlet")]
    [InlineData("a,ab,abc", "abc", "abc")]
    public void The_server_chooses_the_protocol_that_it_prefers(string offered, string accepted, string chosen)
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with { ApplicationProtocols = Protocols(offered) },
            TlsPair.ServerOptions() with { ApplicationProtocols = Protocols(accepted) }).Run();

        Assert.True(pair.BothComplete);
        Assert.Equal(chosen, pair.Client.ApplicationProtocol.ToString());
        Assert.Equal(chosen, pair.Server.ApplicationProtocol.ToString());
    }

    [Fact]
    public void Without_a_protocol_in_common_the_server_says_so()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with { ApplicationProtocols = Protocols("a,b") },
            TlsPair.ServerOptions() with { ApplicationProtocols = Protocols("c,ab") }).Run();

        Assert.Equal(TlsAlert.NoApplicationProtocol, pair.Server.Error?.Alert);
        Assert.Equal(0x178ul, pair.Server.Error?.Code);
        Assert.False(pair.Client.IsComplete);
    }

    [Fact]
    public void Without_a_suite_or_a_group_in_common_the_handshake_fails()
    {
        using TlsPair suites = new TlsPair(
            TlsPair.ClientOptions() with { CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256] },
            TlsPair.ServerOptions() with { CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] }).Run();
        using TlsPair groups = new TlsPair(
            TlsPair.ClientOptions() with { Groups = [NamedGroup.Secp256r1] },
            TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp384r1] }).Run();

        Assert.Equal(TlsAlert.HandshakeFailure, suites.Server.Error?.Alert);
        Assert.Equal(TlsAlert.HandshakeFailure, groups.Server.Error?.Alert);
    }

    [Fact]
    public void A_group_that_the_client_sent_a_share_of_is_better_than_the_one_the_server_prefers()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp384r1] },
            TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp256r1, NamedGroup.Secp384r1] }).Run();

        Assert.True(pair.BothComplete);
        Assert.DoesNotContain(pair.Sent, message => message.IsRetryRequest);
    }

    [Fact]
    public void Two_shares_save_the_retry()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1, NamedGroup.Secp384r1] },
            TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp384r1] }).Run();

        Assert.True(pair.BothComplete);
        Assert.DoesNotContain(pair.Sent, message => message.IsRetryRequest);
    }

    [Fact]
    public void P_384_certificates_work_on_both_sides()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(Identities.P384()), TlsPair.ServerOptions(Identities.P384())).Run();

        Assert.Null(pair.AnyError);
        Assert.True(pair.BothComplete);
    }

    [Theory]
    [InlineData("192.0.2.1", null)]
    [InlineData("2001:db8::1", null)]
    [InlineData(null, null)]
    [InlineData("Relay.example.", "Relay.example")]
    public void Only_host_names_are_sent_as_server_name(string? dialled, string? seen)
    {
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions() with { ServerName = dialled }).Run();

        Assert.True(pair.BothComplete);
        Assert.Equal(seen, pair.Server.ServerName);
    }

    [Theory]
    [InlineData("bücher.example")]
    [InlineData("a b")]
    [InlineData(".")]
    public void A_name_that_is_none_is_refused_when_it_is_set(string name) =>
        Assert.Throws<ArgumentException>(() => TlsPair.ClientOptions() with { ServerName = name });

    [Fact]
    public void The_key_log_of_both_sides_holds_the_same_four_secrets()
    {
        List<string> client = [];
        List<string> server = [];
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with { KeyLog = client.Add }, TlsPair.ServerOptions() with { KeyLog = server.Add }).Run();

        Assert.Equal(client, server);
        string random = Convert.ToHexStringLower(pair.Sent[0].Bytes.AsSpan(6, 32));
        Assert.Equal(
            [
                $"CLIENT_HANDSHAKE_TRAFFIC_SECRET {random} {Hex(EncryptionLevel.Handshake, SecretDirection.Write)}",
                $"SERVER_HANDSHAKE_TRAFFIC_SECRET {random} {Hex(EncryptionLevel.Handshake, SecretDirection.Read)}",
                $"CLIENT_TRAFFIC_SECRET_0 {random} {Hex(EncryptionLevel.OneRtt, SecretDirection.Write)}",
                $"SERVER_TRAFFIC_SECRET_0 {random} {Hex(EncryptionLevel.OneRtt, SecretDirection.Read)}",
            ],
            client);

        string Hex(EncryptionLevel level, SecretDirection direction) =>
            Convert.ToHexStringLower(TlsPair.Secret(pair.ClientEvents, level, direction));
    }

    [Fact]
    public void Secrets_that_nobody_took_are_wiped_with_their_endpoint()
    {
        TlsSecret taken;
        using (var pair = new TlsPair())
        {
            pair.Run();
            taken = pair.ClientEvents.First(e => e.Secret is not null).Secret!;
            Assert.True(taken.Bytes.ContainsAnyExcept((byte)0));
        }

        Assert.False(taken.Bytes.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Settings_that_cannot_work_are_refused_at_once()
    {
        Assert.Throws<ArgumentException>(() => TlsPair.ClientOptions() with { ApplicationProtocols = [] });
        Assert.Throws<ArgumentException>(() => TlsPair.ClientOptions() with { ApplicationProtocols = [default] });
        Assert.Throws<ArgumentException>(
            () => TlsPair.ClientOptions() with { CipherSuites = [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256] });
        Assert.Throws<ArgumentException>(() => TlsPair.ClientOptions() with { Groups = [] });
        Assert.Throws<ArgumentException>(() => new TlsClient(
            TlsPair.ClientOptions() with { Groups = [NamedGroup.Secp256r1], KeyShareGroups = [NamedGroup.Secp384r1] }, _ => { }));
    }

    [Fact]
    public void A_server_may_send_tickets_which_are_forgotten()
    {
        using TlsPair pair = new TlsPair().Run();

        // lifetime, age_add, nonce, ticket, an unknown extension and early_data with QUIC's value.
        byte[] ticket = WireMessage.Frame(
            Gimlet.Quic.Tls.Messages.HandshakeType.NewSessionTicket,
            Convert.FromHexString("00001c20" + "01020304" + "0100" + "0004aabbccdd" + "000e" + "fafa0002abcd" + "002a0004ffffffff"));
        pair.Client.Handle(EncryptionLevel.OneRtt, ticket);
        pair.Client.Handle(EncryptionLevel.OneRtt, ticket);

        Assert.Null(pair.Client.Error);
        Assert.True(pair.Client.IsComplete);
        Assert.False(pair.Client.TryPoll(out _));
    }

    [Fact]
    public void What_the_owner_learns_of_its_peer_is_its_chain_key_and_name()
    {
        PeerCertificate? seen = null;
        TlsServerOptions server = TlsPair.ServerOptions();
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions() with
            {
                DecideCertificate = peer =>
                {
                    seen = peer;
                    return CertificateVerdict.Accept;
                },
            },
            server).Run();

        Assert.NotNull(seen);
        Assert.Equal("peer.example", seen.ServerName);
        Assert.Equal(server.Identity.Chain[0].ToArray(), Assert.Single(seen.Chain).ToArray());
        Assert.Same(seen, pair.Client.Peer);
    }

    private static void AssertSameSecrets(TlsPair pair, TlsCipherSuite suite)
    {
        foreach (EncryptionLevel level in new[] { EncryptionLevel.Handshake, EncryptionLevel.OneRtt })
        {
            byte[] toServer = TlsPair.Secret(pair.ClientEvents, level, SecretDirection.Write);
            byte[] toClient = TlsPair.Secret(pair.ClientEvents, level, SecretDirection.Read);
            Assert.Equal(toServer, TlsPair.Secret(pair.ServerEvents, level, SecretDirection.Read));
            Assert.Equal(toClient, TlsPair.Secret(pair.ServerEvents, level, SecretDirection.Write));
            Assert.NotEqual(toServer, toClient);
            Assert.Equal(suite.HashLength(), toServer.Length);
        }
    }

    private static string Describe(TlsEvent e) => e.Kind switch
    {
        TlsEventKind.Send => $"Send {e.Level}",
        TlsEventKind.Secret => $"Secret {e.Level} {e.Secret!.Direction}",
        _ => e.Kind.ToString(),
    };

    private static SslApplicationProtocol[] Protocols(string names) =>
        [.. names.Split(',').Select(name => new SslApplicationProtocol(name))];
}
