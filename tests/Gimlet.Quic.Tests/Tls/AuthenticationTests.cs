using System.Security.Cryptography;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls;

/// <summary>Who may be believed: signatures, the owner's decision, and the certificates that nodes make.</summary>
public sealed class AuthenticationTests
{
    private const string VerifyReason = "CertificateVerify is not the signature of the certificate's key over this handshake";
    private const string FinishedReason = "Finished does not match this handshake";

    // In each case the test signs the transcript as it is on the wire. A signature that is good but not the sender's own bytes passes
    // CertificateVerify and is found out by Finished: that is the control.
    [Theory]
    [InlineData(false, "own key, own role", FinishedReason)]
    [InlineData(true, "own key, own role", FinishedReason)]
    [InlineData(false, "own key, other role", VerifyReason)]
    [InlineData(true, "own key, other role", VerifyReason)]
    [InlineData(false, "other key, own role", VerifyReason)]
    [InlineData(true, "other key, own role", VerifyReason)]
    [InlineData(false, "own key, older transcript", VerifyReason)]
    [InlineData(true, "own key, older transcript", VerifyReason)]
    public void Only_the_certificates_key_in_its_role_over_this_handshake_is_believed(bool fromClient, string forged, string reason)
    {
        TlsIdentity client = Identities.P256();
        TlsIdentity server = Identities.P256();
        TlsIdentity signer = forged.StartsWith("own key", StringComparison.Ordinal) == fromClient ? client : server;
        bool serverRole = forged.Contains("own role", StringComparison.Ordinal) != fromClient;
        using var transcript = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] older = [];
        using var pair = new TlsPair(TlsPair.ClientOptions(client), TlsPair.ServerOptions(server));
        pair.Bend = message =>
        {
            byte[] arriving = message.Bytes;
            byte[] hash = transcript.GetCurrentHash();
            if (message.FromClient == fromClient && message.Type == HandshakeType.CertificateVerify)
            {
                bool old = forged == "own key, older transcript";
                byte[] content = HandshakeSignature.Content(old ? !fromClient : serverRole, old ? older : hash);
                var writer = new TlsWriter();
                CertificateVerifyMessage.Write(writer, signer.Scheme, signer.Sign(content));
                arriving = writer.Written.ToArray();
            }

            older = hash;
            transcript.AppendData(arriving);
            return [arriving];
        };
        pair.Run();

        TlsError? error = fromClient ? pair.Server.Error : pair.Client.Error;
        Assert.Equal("DecryptError", Expect.NameOf(error));
        Assert.Equal(reason, error!.Reason);
    }

    [Fact]
    public void A_signature_of_the_client_shown_by_a_server_fails_even_for_the_same_key_and_transcript()
    {
        TlsIdentity identity = Identities.P256();
        Assert.Null(LeafKey.Parse(Identities.KeyOf(identity), BclCurves.Instance, TlsLimits.Default, out LeafKey? key));
        using LeafKey owned = key!;
        byte[] hash = SHA256.HashData("a transcript"u8);
        var writer = new TlsWriter();
        CertificateVerifyMessage.Write(writer, identity.Scheme, identity.Sign(HandshakeSignature.Content(byServer: false, hash)));
        byte[] body = writer.Written.ToArray()[HandshakeBuffer.HeaderLength..];

        Assert.Null(CertificateVerifyMessage.Check(body, owned, byServer: false, hash));
        Assert.Equal(TlsAlert.DecryptError, CertificateVerifyMessage.Check(body, owned, byServer: true, hash)?.Alert);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refusal_carries_the_owners_alert_and_reason(bool byServer)
    {
        using TlsPair pair = Decide(byServer, _ => CertificateVerdict.Refuse(TlsAlert.AccessDenied, "not on the list"));

        Expect.Failure("AccessDenied", byServer ? pair.Server : pair.Client, byServer ? pair.ServerEvents : pair.ClientEvents);
        TlsEndpoint refusing = byServer ? (TlsEndpoint)pair.Server : pair.Client;
        Assert.Equal("not on the list", refusing.Error!.Reason);
        Assert.Null(refusing.Peer);
        Assert.False(pair.Server.IsComplete);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_decision_that_throws_or_forgets_itself_admits_nobody(bool byServer)
    {
        using TlsPair throwing = Decide(byServer, _ => throw new InvalidOperationException("boom"));
        using TlsPair forgetting = Decide(byServer, _ => default);

        Expect.Failure(
            "InternalError", byServer ? throwing.Server : throwing.Client, byServer ? throwing.ServerEvents : throwing.ClientEvents);
        Assert.Contains("boom", (byServer ? throwing.Server.Error : throwing.Client.Error)!.Reason, StringComparison.Ordinal);
        Assert.Equal("BadCertificate", Expect.NameOf(byServer ? forgetting.Server.Error : forgetting.Client.Error));
        Assert.False(throwing.Server.IsComplete);
        Assert.False(forgetting.Server.IsComplete);
    }

    [Fact]
    public void The_owner_is_not_asked_about_a_key_that_was_not_proven()
    {
        int asked = 0;
        using var pair = new TlsPair(TlsPair.ClientOptions() with
        {
            DecideCertificate = _ =>
            {
                asked++;
                return CertificateVerdict.Accept;
            },
        });
        pair.Bend = message =>
        {
            byte[] bytes = [.. message.Bytes];
            bytes[^1] ^= message is { FromClient: false, Type: HandshakeType.CertificateVerify } ? (byte)1 : (byte)0;
            return [bytes];
        };
        pair.Run();

        Assert.NotNull(pair.Client.Error);
        Assert.Equal(0, asked);
    }

    [Fact]
    public void A_chain_arrives_whole_and_in_order()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] issuer = Identities.P384().Chain[0].ToArray();
        var server = new TlsIdentity([SelfSignedCertificate.Create(key), issuer], key);
        using TlsPair pair = new TlsPair(server: TlsPair.ServerOptions(server)).Run();

        Assert.True(pair.BothComplete);
        Assert.Equal(server.Chain.Select(c => c.ToArray()), pair.Client.Peer!.Chain.Select(c => c.ToArray()));
    }

    [Fact]
    public void An_identity_needs_the_key_of_its_first_certificate_on_a_curve_that_signs()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP521);

        Assert.Throws<ArgumentException>(() => new TlsIdentity(Identities.P256().Chain, key));
        Assert.Throws<ArgumentException>(() => new TlsIdentity([new byte[] { 1 }], key));
        Assert.Throws<ArgumentException>(() => new TlsIdentity([SelfSignedCertificate.Create(key)], large));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsIdentity([], key));
    }

    private static TlsPair Decide(bool byServer, CertificateDecision decision) => new TlsPair(
        byServer ? null : TlsPair.ClientOptions() with { DecideCertificate = decision },
        byServer ? TlsPair.ServerOptions() with { DecideCertificate = decision } : null).Run();
}
