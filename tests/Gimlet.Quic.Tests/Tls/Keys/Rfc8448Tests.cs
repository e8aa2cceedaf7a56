using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls.Keys;

public sealed class Rfc8448Tests
{
    private const TlsCipherSuite Suite = TlsCipherSuite.TLS_AES_128_GCM_SHA256;

    public static TheoryData<string> Traces => ["simple", "retry"];

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_transcript_and_every_secret_are_those_of_the_trace(string name)
    {
        Rfc8448.Trace trace = Find(name);
        using Transcript transcript = Hellos(trace);
        byte[] helloHash = Current(transcript);
        Assert.Equal(trace.HelloHash, Convert.ToHexStringLower(helloHash));

        using (var schedule = new KeySchedule(Suite))
        {
            Assert.Equal(
                "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a", Convert.ToHexStringLower(schedule.Current));
            schedule.EnterHandshake(Convert.FromHexString(trace.Shared));
            Assert.Equal(trace.HandshakeSecret, Convert.ToHexStringLower(schedule.Current));
            schedule.EnterMaster();
            Assert.Equal(trace.MasterSecret, Convert.ToHexStringLower(schedule.Current));
        }

        using var keys = new HandshakeKeys(Suite);
        keys.EnterHandshake(Convert.FromHexString(trace.Shared), helloHash);
        Assert.Equal(trace.ClientHandshake, Convert.ToHexStringLower(keys.ClientHandshake));
        Assert.Equal(trace.ServerHandshake, Convert.ToHexStringLower(keys.ServerHandshake));

        AddFlight(transcript, trace);
        transcript.Add(Convert.FromHexString(trace.ServerFinished));
        Assert.Equal(trace.FinishedHash, Convert.ToHexStringLower(Current(transcript)));
        keys.EnterApplication(Current(transcript));
        Assert.Equal(trace.ClientApplication, Convert.ToHexStringLower(keys.ClientApplication));
        Assert.Equal(trace.ServerApplication, Convert.ToHexStringLower(keys.ServerApplication));
    }

    [Theory]
    [MemberData(nameof(Traces))]
    public void Traffic_keys_expand_as_in_the_trace(string name)
    {
        Rfc8448.Trace trace = Find(name);
        byte[] key = new byte[16];
        byte[] iv = new byte[12];

        HkdfLabel.Expand(HashAlgorithmName.SHA256, Convert.FromHexString(trace.ServerHandshake), "key"u8, [], key);
        HkdfLabel.Expand(HashAlgorithmName.SHA256, Convert.FromHexString(trace.ServerHandshake), "iv"u8, [], iv);

        Assert.Equal(trace.ServerHandshakeKey, Convert.ToHexStringLower(key));
        Assert.Equal(trace.ServerHandshakeIv, Convert.ToHexStringLower(iv));
    }

    [Theory]
    [MemberData(nameof(Traces))]
    public void The_servers_signature_verifies_and_its_Finished_matches(string name)
    {
        Rfc8448.Trace trace = Find(name);
        using Transcript transcript = Hellos(trace);
        transcript.Add(Convert.FromHexString(trace.EncryptedExtensions));
        transcript.Add(Convert.FromHexString(trace.Certificate));

        // The traces use a key of 1024 bits, which the defaults refuse.
        var options = new TlsClientOptions
        {
            ApplicationProtocols = [SslApplicationProtocol.Http3],
            TransportParameters = default,
            DecideCertificate = _ => CertificateVerdict.Accept,
            Limits = new TlsLimits { MinRsaBits = 1024 },
        };
        using var proof = new PeerProof(options, peerIsServer: true, serverName: null);
        Assert.Null(proof.TakeCertificate(Body(trace.Certificate)));
        Assert.Null(proof.TakeVerify(Body(trace.CertificateVerify), Current(transcript)));
        Assert.NotNull(proof.Accepted);

        transcript.Add(Convert.FromHexString(trace.CertificateVerify));
        byte[] secret = Convert.FromHexString(trace.ServerHandshake);
        Assert.Null(FinishedMessage.Check(Body(trace.ServerFinished), Suite, secret, Current(transcript)));

        transcript.Add(Convert.FromHexString(trace.ServerFinished));
        if (trace.ClientFinished is { } finished)
        {
            var writer = new TlsWriter();
            FinishedMessage.Write(writer, Suite, Convert.FromHexString(trace.ClientHandshake), Current(transcript));
            Assert.Equal(finished, Convert.ToHexStringLower(writer.Written.Span));
        }
    }

    [Fact]
    public void The_signature_of_the_trace_is_refused_for_its_short_key_and_for_the_other_role()
    {
        var options = new TlsClientOptions
        {
            ApplicationProtocols = [SslApplicationProtocol.Http3],
            TransportParameters = default,
            DecideCertificate = _ => CertificateVerdict.Accept,
        };
        using var strict = new PeerProof(options, peerIsServer: true, serverName: null);
        Assert.Equal(TlsAlert.UnsupportedCertificate, strict.TakeCertificate(Body(Rfc8448.Simple.Certificate))?.Alert);

        using Transcript transcript = Hellos(Rfc8448.Simple);
        transcript.Add(Convert.FromHexString(Rfc8448.Simple.EncryptedExtensions));
        transcript.Add(Convert.FromHexString(Rfc8448.Simple.Certificate));
        using var otherRole = new PeerProof(
            options with { Limits = new TlsLimits { MinRsaBits = 1024 } }, peerIsServer: false, serverName: null);
        Assert.Null(otherRole.TakeCertificate(Body(Rfc8448.Simple.Certificate)));
        Assert.Equal(
            TlsAlert.DecryptError, otherRole.TakeVerify(Body(Rfc8448.Simple.CertificateVerify), Current(transcript))?.Alert);
    }

    [Theory]
    [MemberData(nameof(Providers.Names), MemberType = typeof(Providers))]
    public void Both_sides_agree_on_the_secret_of_the_P_256_trace(string name)
    {
        ICurveProvider curves = Providers.Get(name).Curves;
        using EphemeralKey client = Import(curves, Rfc8448.ClientPrivate, Rfc8448.ClientPoint);
        using EphemeralKey server = Import(curves, Rfc8448.ServerPrivate, Rfc8448.ServerPoint);
        byte[] atClient = new byte[32], atServer = new byte[32];

        Assert.Equal(Rfc8448.ClientPoint, Convert.ToHexStringLower(client.Point));
        Assert.True(client.TryAgree(server.Point, atClient));
        Assert.True(server.TryAgree(client.Point, atServer));
        Assert.Equal(Rfc8448.Retry.Shared, Convert.ToHexStringLower(atClient));
        Assert.Equal(Rfc8448.Retry.Shared, Convert.ToHexStringLower(atServer));
    }

    private static EphemeralKey Import(ICurveProvider curves, string privateKey, string point)
    {
        Assert.True(BclCurves.TryDecode(EllipticCurve.P256, Convert.FromHexString(point), out ECParameters parameters));
        parameters.D = Convert.FromHexString(privateKey);
        using var key = ECDiffieHellman.Create(parameters);
        return new EphemeralKey(curves.ImportKey(EllipticCurve.P256, key.ExportPkcs8PrivateKey()));
    }

    private static Rfc8448.Trace Find(string name) => name == "simple" ? Rfc8448.Simple : Rfc8448.Retry;

    private static Transcript Hellos(Rfc8448.Trace trace)
    {
        var transcript = new Transcript();
        transcript.Add(Convert.FromHexString(trace.ClientHellos[0]));
        transcript.Begin(HashAlgorithmName.SHA256);
        for (int i = 1; i < trace.ClientHellos.Count; i++)
        {
            transcript.ReplaceWithMessageHash();
            transcript.Add(Convert.FromHexString(trace.ServerHellos[i - 1]));
            transcript.Add(Convert.FromHexString(trace.ClientHellos[i]));
        }

        transcript.Add(Convert.FromHexString(trace.ServerHellos[^1]));
        return transcript;
    }

    private static void AddFlight(Transcript transcript, Rfc8448.Trace trace)
    {
        transcript.Add(Convert.FromHexString(trace.EncryptedExtensions));
        transcript.Add(Convert.FromHexString(trace.Certificate));
        transcript.Add(Convert.FromHexString(trace.CertificateVerify));
    }

    private static byte[] Body(string message) => Convert.FromHexString(message)[HandshakeBuffer.HeaderLength..];

    private static byte[] Current(Transcript transcript) => transcript.Current(new byte[CipherSuites.MaxHashLength]).ToArray();
}
