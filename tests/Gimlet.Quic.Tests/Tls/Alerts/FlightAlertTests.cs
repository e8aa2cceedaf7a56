using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls.Alerts;

/// <summary>What the receiver says to a wrong message of the encrypted flights.</summary>
public sealed class FlightAlertTests
{
    private const string Alpn = "0010" + "0009" + "0007" + "0667696d6c6574";
    private const string Parameters = "0039" + "0002" + "0100";
    private const string SignatureAlgorithms = "000d" + "0004" + "00020403";

    // EncryptedExtensions: the block's content in hex.
    private static readonly Dictionary<string, (string Error, string Block)> Extensions = new()
    {
        ["no protocol"] = ("NoApplicationProtocol", Parameters),
        ["no transport parameters"] = ("MissingExtension", Alpn),
        ["two protocols"] = ("IllegalParameter", "0010" + "000c" + "000a" + "0667696d6c6574" + "026833" + Parameters),
        ["a protocol that was not offered"] = ("IllegalParameter", "0010" + "0005" + "0003" + "026833" + Parameters),
        ["an empty protocol"] = ("DecodeError", "0010" + "0003" + "0001" + "00" + Parameters),
        ["an unknown extension"] = ("UnsupportedExtension", Alpn + Parameters + "0a0a0000"),
        ["early_data, which was not offered"] = ("UnsupportedExtension", Alpn + Parameters + "002a0000"),
        ["key_share"] = ("IllegalParameter", Alpn + Parameters + "00330000"),
        ["signature_algorithms"] = ("IllegalParameter", Alpn + Parameters + SignatureAlgorithms),
        ["an extension twice"] = ("IllegalParameter", Alpn + Parameters + Parameters),
        ["a server name that says something"] = ("DecodeError", Alpn + Parameters + "0000000101"),
        ["groups that are malformed"] = ("DecodeError", Alpn + Parameters + "000a000100"),
        ["an extension that is cut short"] = ("DecodeError", Alpn + Parameters + "0000"),
    };

    private static readonly Dictionary<string, (string Error, string Body)> Requests = new()
    {
        ["a context"] = ("IllegalParameter", "0107" + "0008" + SignatureAlgorithms),
        ["no signature_algorithms"] = ("MissingExtension", "00" + "0000"),
        ["half a signature algorithm"] = ("DecodeError", "00" + "0007" + "000d" + "0003" + "000104"),
        ["key_share"] = ("IllegalParameter", "00" + "000c" + SignatureAlgorithms + "00330000"),
        ["an extension twice"] = ("IllegalParameter", "00" + "0010" + SignatureAlgorithms + SignatureAlgorithms),
        ["a trailing byte"] = ("DecodeError", "00" + "0008" + SignatureAlgorithms + "00"),
    };

    private static readonly Dictionary<string, (string Error, Func<byte[], byte[]> Body)> Certificates = new()
    {
        ["a context"] = ("IllegalParameter", own => [1, 7, .. List(Entry(own))]),
        ["an entry without a certificate"] = ("DecodeError", _ => [0, .. List(Entry([]))]),
        ["garbage"] = ("BadCertificate", _ => [0, .. List(Entry([1, 2, 3]))]),
        ["a certificate with a trailing byte"] = ("BadCertificate", own => [0, .. List(Entry([.. own, 0]))]),
        ["a certificate that is cut short"] = ("BadCertificate", own => [0, .. List(Entry(own[..^1]))]),
        ["an OCSP answer that was not asked for"] = ("UnsupportedExtension", own => [0, .. List(Entry(own, [0, 5, 0, 1, 0]))]),
        ["an extension that has no place here"] = ("IllegalParameter", own => [0, .. List(Entry(own, [0, 51, 0, 0]))]),
        ["an extension that is cut short"] = ("DecodeError", own => [0, .. List(Entry(own, [0, 51]))]),
        ["a list that is cut short"] = ("DecodeError", own => [0, .. List(Entry(own))[..^1]]),
        ["a trailing byte"] = ("DecodeError", own => [0, .. List(Entry(own)), 0]),
        ["eleven certificates"] = ("BadCertificate", own => [0, .. List([.. Enumerable.Range(0, 11).SelectMany(_ => Entry(own))])]),
        ["a key on P-521"] = ("UnsupportedCertificate", _ => [0, .. List(Entry(P521()))]),
        ["an RSA key that is too short"] = ("UnsupportedCertificate", _ => [0, .. List(Entry(Rsa(1024)))]),
        ["a key with parameters of its own"] = ("UnsupportedCertificate", own => [0, .. List(Entry(ExplicitCurve(own)))]),
        ["a key off its curve"] = ("BadCertificate", own => [0, .. List(Entry(OffCurve(own)))]),
    };

    private static readonly Dictionary<string, (string Error, Func<byte[], byte[]> Body)> Verifies = new()
    {
        ["RSA PKCS #1"] = ("IllegalParameter", own => [4, 1, .. own.AsSpan(2)]),
        ["ECDSA with SHA-1"] = ("IllegalParameter", own => [2, 3, .. own.AsSpan(2)]),
        ["the scheme of the other curve"] = ("IllegalParameter", own => [5, 3, .. own.AsSpan(2)]),
        ["the scheme of another kind of key"] = ("IllegalParameter", own => [8, 4, .. own.AsSpan(2)]),
        ["an empty signature"] = ("DecryptError", _ => [4, 3, 0, 0]),
        ["garbage for a signature"] = ("DecryptError", _ => [4, 3, 0, 3, 1, 2, 3]),
        ["a trailing byte"] = ("DecodeError", own => [.. own, 0]),
        ["a signature that is cut short"] = ("DecodeError", own => own[..^1]),
    };

    public static TheoryData<string> ExtensionNames => [.. Extensions.Keys];

    public static TheoryData<string> RequestNames => [.. Requests.Keys];

    public static MatrixTheoryData<string, bool> CertificateNames => new([.. Certificates.Keys], [false, true]);

    public static MatrixTheoryData<string, bool> VerifyNames => new([.. Verifies.Keys], [false, true]);

    [Theory]
    [MemberData(nameof(ExtensionNames))]
    public void Wrong_EncryptedExtensions_get_their_alert(string name)
    {
        byte[] block = Convert.FromHexString(Extensions[name].Block);
        using TlsPair pair = Run(
            fromClient: false, HandshakeType.EncryptedExtensions, _ => [(byte)(block.Length >> 8), (byte)block.Length, .. block]);

        Expect.Failure(Extensions[name].Error, pair.Client, pair.ClientEvents);
    }

    [Fact]
    public void A_server_name_that_was_not_sent_may_not_be_answered()
    {
        byte[] block = Convert.FromHexString(Alpn + Parameters + "00000000");
        using var pair = new TlsPair(TlsPair.ClientOptions() with { ServerName = null });
        Bend(pair, fromClient: false, HandshakeType.EncryptedExtensions, _ => [0, (byte)block.Length, .. block]);
        pair.Run();

        Expect.Failure("UnsupportedExtension", pair.Client, pair.ClientEvents);
    }

    [Theory]
    [MemberData(nameof(RequestNames))]
    public void A_wrong_CertificateRequest_gets_its_alert(string name)
    {
        using TlsPair pair = Run(
            fromClient: false, HandshakeType.CertificateRequest, _ => Convert.FromHexString(Requests[name].Body));

        Expect.Failure(Requests[name].Error, pair.Client, pair.ClientEvents);
    }

    [Theory]
    [MemberData(nameof(CertificateNames))]
    public void A_wrong_Certificate_gets_its_alert_in_both_directions(string name, bool fromClient)
    {
        using TlsPair pair = Run(fromClient, HandshakeType.Certificate, body => Certificates[name].Body(Leaf(body)));

        AssertReceiver(pair, fromClient, Certificates[name].Error);
    }

    [Theory]
    [MemberData(nameof(VerifyNames))]
    public void A_wrong_CertificateVerify_gets_its_alert_in_both_directions(string name, bool fromClient)
    {
        using TlsPair pair = Run(fromClient, HandshakeType.CertificateVerify, Verifies[name].Body);

        AssertReceiver(pair, fromClient, Verifies[name].Error);
    }

    [Theory]
    [InlineData(false, 31, "DecodeError")]
    [InlineData(false, 33, "DecodeError")]
    [InlineData(false, 32, "DecryptError")]
    [InlineData(true, 0, "DecodeError")]
    [InlineData(true, 48, "DecodeError")]
    [InlineData(true, 32, "DecryptError")]
    public void A_wrong_Finished_gets_its_alert_in_both_directions(bool fromClient, int length, string error)
    {
        using TlsPair pair = Run(fromClient, HandshakeType.Finished, _ => new byte[length]);

        AssertReceiver(pair, fromClient, error);
    }

    [Fact]
    public void An_empty_Certificate_of_a_server_is_malformed_and_of_a_client_not_enough()
    {
        using TlsPair server = Run(fromClient: false, HandshakeType.Certificate, _ => [0, 0, 0, 0]);
        using TlsPair client = new TlsPair(TlsPair.ClientOptions() with { Identity = null }).Run();

        Expect.Failure("DecodeError", server.Client, server.ClientEvents);
        Expect.Failure("CertificateRequired", client.Server, client.ServerEvents);
        Assert.Equal(0x174ul, client.Server.Error!.Code);
    }

    [Fact]
    public void A_client_whose_key_the_server_cannot_verify_shows_no_certificate()
    {
        // The server asks for signatures of RSA; the test's change shows at the next check, after the client chose.
        using TlsPair pair = Run(
            fromClient: false, HandshakeType.CertificateRequest, _ => Convert.FromHexString("00" + "0008" + "000d" + "0004" + "00020804"));

        Expect.Failure("DecryptError", pair.Client, pair.ClientEvents);
        Assert.DoesNotContain(pair.Sent, message => message.FromClient && message.Type == HandshakeType.Certificate);
    }

    private static void AssertReceiver(TlsPair pair, bool fromClient, string error) =>
        Expect.Failure(error, fromClient ? pair.Server : pair.Client, fromClient ? pair.ServerEvents : pair.ClientEvents);

    private static TlsPair Run(bool fromClient, HandshakeType type, Func<byte[], byte[]> body)
    {
        var pair = new TlsPair();
        Bend(pair, fromClient, type, body);
        return pair.Run();
    }

    private static void Bend(TlsPair pair, bool fromClient, HandshakeType type, Func<byte[], byte[]> body) =>
        pair.Bend = message =>
            [message.FromClient == fromClient && message.Type == type ? message.WithBody(body(message.Bytes[4..])) : message.Bytes];

    private static byte[] Leaf(byte[] body)
    {
        Assert.Null(CertificateMessage.Parse(body, TlsLimits.Default, out List<ReadOnlyMemory<byte>> chain));
        return chain[0].ToArray();
    }

    private static byte[] List(byte[] entries) =>
        [(byte)(entries.Length >> 16), (byte)(entries.Length >> 8), (byte)entries.Length, .. entries];

    private static byte[] Entry(byte[] certificate, params byte[] extensions) =>
        [.. List(certificate), (byte)(extensions.Length >> 8), (byte)extensions.Length, .. extensions];

    private static byte[] P521()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        return SelfSigned(new CertificateRequest("CN=p521", key, HashAlgorithmName.SHA512));
    }

    private static byte[] Rsa(int bits)
    {
        using var key = RSA.Create(bits);
        return SelfSigned(new CertificateRequest("CN=rsa", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    // A sequence where the curve's name should be, as keys with explicit parameters have it (the platform makes no such certificate).
    private static byte[] ExplicitCurve(byte[] certificate)
    {
        Assert.True(Gimlet.Quic.Tls.Certificates.CertificateKey.TryFind(certificate, out ReadOnlySpan<byte> key));
        byte[] changed = certificate.ToArray();
        ReadOnlySpan<byte> prime256V1 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        changed[certificate.AsSpan().IndexOf(key) + key.IndexOf(prime256V1)] = 0x30;
        return changed;
    }

    private static byte[] OffCurve(byte[] certificate)
    {
        Assert.True(Gimlet.Quic.Tls.Certificates.CertificateKey.TryFind(certificate, out ReadOnlySpan<byte> key));
        byte[] changed = certificate.ToArray();
        changed[certificate.AsSpan().IndexOf(key) + key.Length - 1] ^= 1;
        return changed;
    }

    private static byte[] SelfSigned(CertificateRequest request)
    {
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.RawData;
    }
}
