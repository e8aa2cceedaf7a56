using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tests.Tls.Alerts;

/// <summary>What a server says to a ClientHello that is wrong.</summary>
public sealed class ClientHelloAlertTests
{
    private const int P256 = 0x17;
    private const int P384 = 0x18;

    private static readonly Dictionary<string, (string Error, Action<HelloEditor> Edit)> Bad = new()
    {
        ["no supported_versions"] = ("ProtocolVersion", h => h.Remove(ExtensionType.SupportedVersions)),
        ["no extensions at all"] = ("ProtocolVersion", h => h.WithoutExtensions = true),
        ["TLS 1.2 only"] = ("ProtocolVersion", h => h.Set(ExtensionType.SupportedVersions, "020303")),
        ["an empty list of versions"] = ("DecodeError", h => h.Set(ExtensionType.SupportedVersions, "00")),
        ["half a version"] = ("DecodeError", h => h.Set(ExtensionType.SupportedVersions, "03030403")),
        ["versions with a trailer"] = ("DecodeError", h => h.Set(ExtensionType.SupportedVersions, "02030400")),
        ["a session id"] = ("PROTOCOL_VIOLATION", h => h.SessionId = new byte[32]),
        ["a session id that is too long"] = ("DecodeError", h => h.SessionId = new byte[33]),
        ["deflate"] = ("IllegalParameter", h => h.Compression = [1]),
        ["two compression methods"] = ("IllegalParameter", h => h.Compression = [1, 0]),
        ["no compression method"] = ("DecodeError", h => h.Compression = []),
        ["no cipher suites"] = ("DecodeError", h => h.CipherSuites = []),
        ["half a cipher suite"] = ("DecodeError", h => h.CipherSuites = [0x13]),
        ["suites that we do not speak"] = ("HandshakeFailure", h => h.CipherSuites = [0x13, 0x03, 0xc0, 0x2f]),
        ["no signature_algorithms"] = ("MissingExtension", h => h.Remove(ExtensionType.SignatureAlgorithms)),
        ["empty signature_algorithms"] = ("DecodeError", h => h.Set(ExtensionType.SignatureAlgorithms, "0000")),
        ["half a signature algorithm"] = ("DecodeError", h => h.Set(ExtensionType.SignatureAlgorithms, "000104")),
        ["signatures of RSA only"] = ("HandshakeFailure", h => h.Set(ExtensionType.SignatureAlgorithms, "00020804")),
        ["no supported_groups"] = ("MissingExtension", h => h.Remove(ExtensionType.SupportedGroups)),
        ["no key_share"] = ("MissingExtension", h => h.Remove(ExtensionType.KeyShare)),
        ["groups with a wrong length"] = ("DecodeError", h => h.Set(ExtensionType.SupportedGroups, "00040017")),
        ["groups that we do not speak"] = ("HandshakeFailure", h => h.Set(ExtensionType.SupportedGroups, "0002001d")
            .Set(ExtensionType.KeyShare, HelloEditor.Shares((0x1d, new byte[32])))),
        ["a share of a group not listed"] = ("IllegalParameter", h => h.Set(ExtensionType.SupportedGroups, "00020018")),
        ["a share twice"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, HelloEditor.Shares((P384, new byte[97]), (P384, new byte[97])))),
        ["a share that is cut short"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, "0006001700410400")),
        ["an empty share"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, HelloEditor.Shares((P256, [])))),
        ["shares without a list"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, "00")),
        ["a point off the curve"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, HelloEditor.Shares((P256, [4, .. Enumerable.Repeat((byte)7, 64)])))),
        ["the point at zero"] = ("IllegalParameter", h => h.Set(ExtensionType.KeyShare, HelloEditor.Shares((P256, [4, .. new byte[64]])))),
        ["a compressed point"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, HelloEditor.Shares((P256, [2, .. h.Get(ExtensionType.KeyShare).AsSpan(7, 32)])))),
        ["a point of the other curve's length"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, HelloEditor.Shares((P256, [4, .. new byte[96]])))),
        ["a point with the wrong form"] = ("IllegalParameter", h => h.Get(ExtensionType.KeyShare)[6] = 6),
        ["no application protocol"] = ("NoApplicationProtocol", h => h.Remove(ExtensionType.ApplicationLayerProtocolNegotiation)),
        ["an empty list of protocols"] = ("DecodeError", h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, "0000")),
        ["an empty protocol"] = ("DecodeError", h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, "000100")),
        ["a protocol that is cut short"] = ("DecodeError", h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, "00020361")),
        ["another protocol"] = ("NoApplicationProtocol", h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, "0003026833")),
        ["no transport parameters"] = ("MissingExtension", h => h.Remove(ExtensionType.QuicTransportParameters)),
        ["an extension twice"] = ("IllegalParameter", h => h.Extensions.Add(h.Extensions[0])),
        ["an unknown extension twice"] = ("IllegalParameter", h => h.Extensions.AddRange(
            [((ExtensionType)0x1234, []), ((ExtensionType)0x1234, [])])),
        ["65 extensions"] = ("DecodeError", h => h.Extensions.AddRange(
            Enumerable.Range(0x2000, 65 - h.Extensions.Count).Select(type => ((ExtensionType)type, Array.Empty<byte>())))),
        ["an extension of CertificateRequest"] = ("IllegalParameter", h => h.Set(ExtensionType.OidFilters, "0000")),
        ["pre_shared_key before the end"] = ("IllegalParameter", h => h.Extensions.InsertRange(
            0, [(ExtensionType.PskKeyExchangeModes, [1, 1]), (ExtensionType.PreSharedKey, [0])])),
        ["pre_shared_key without its modes"] = ("MissingExtension", h => h.Set(ExtensionType.PreSharedKey, "00")),
        ["a cookie out of nowhere"] = ("IllegalParameter", h => h.Set(ExtensionType.Cookie, "000201ff")),
        ["an empty cookie"] = ("DecodeError", h => h.Set(ExtensionType.Cookie, "0000")),
        ["an empty list of names"] = ("DecodeError", h => h.Set(ExtensionType.ServerName, "0000")),
        ["a name that is cut short"] = ("DecodeError", h => h.Set(ExtensionType.ServerName, "0004000009" + "61")),
        ["two host names"] = ("IllegalParameter", h => h.Set(ExtensionType.ServerName, "0008" + "00000161" + "00000162")),
        ["an empty host name"] = ("IllegalParameter", h => h.Set(ExtensionType.ServerName, "0003000000")),
        ["a host name with a zero in it"] = ("IllegalParameter", h => h.Set(ExtensionType.ServerName, "00060000036100" + "62")),
        ["a trailing byte"] = ("DecodeError", h => h.Trailer = [0]),
    };

    private static readonly Dictionary<string, Action<HelloEditor>> Good = new()
    {
        ["GREASE in every list"] = h =>
        {
            h.CipherSuites = [0x0a, 0x0a, .. h.CipherSuites];
            h.Set(ExtensionType.SupportedVersions, "047a7a0304");
            h.Set(ExtensionType.SupportedGroups, "00061a1a00170018");
            h.Set(ExtensionType.KeyShare, [0, 0x4a, 0x1a, 0x1a, 0, 1, 0, .. h.Get(ExtensionType.KeyShare).AsSpan(2)]);
            h.Set(ExtensionType.SignatureAlgorithms, "00042a2a0403");
            h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, "000a" + "02caca" + "0667696d6c6574");
            h.Extensions.Insert(0, ((ExtensionType)0x3a3a, []));
            h.Extensions.Add(((ExtensionType)0xdada, [0]));
        },
        ["extensions of others: status_request, certificate timestamps, renegotiation_info, compress_certificate"] = h => h
            .Set(ExtensionType.StatusRequest, "0100000000").Set(ExtensionType.SignedCertificateTimestamp)
            .Set((ExtensionType)0xff01, "00").Set((ExtensionType)27, "020002"),
        ["a pre-shared key that we do not have"] = h => h
            .Set(ExtensionType.PskKeyExchangeModes, "0101").Set(ExtensionType.EarlyData).Set(ExtensionType.PreSharedKey, "00"),
        ["another legacy version"] = h => h.Version = 0x0301,
        ["no server name"] = h => h.Remove(ExtensionType.ServerName),
        ["a server name of an unknown type"] = h => h.Set(ExtensionType.ServerName, "0004" + "07000161"),
        ["64 extensions"] = h => h.Extensions.AddRange(
            Enumerable.Range(0x2000, 64 - h.Extensions.Count).Select(type => ((ExtensionType)type, Array.Empty<byte>()))),
    };

    public static TheoryData<string> BadNames => [.. Bad.Keys];

    public static TheoryData<string> GoodNames => [.. Good.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public void A_wrong_ClientHello_gets_its_alert(string name)
    {
        using var pair = new TlsPair();
        pair.Bend = message => [message.FromClient ? Edit(message, Bad[name].Edit) : message.Bytes];
        pair.Run();

        Expect.Failure(Bad[name].Error, pair.Server, pair.ServerEvents);
        Assert.DoesNotContain(pair.Sent, message => !message.FromClient);
    }

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void A_strange_ClientHello_gets_a_full_answer(string name)
    {
        using var pair = new TlsPair();
        pair.Bend = message => message.FromClient ? [Edit(message, Good[name])] : [];
        pair.Run();

        Assert.Null(pair.Server.Error);
        Assert.Equal(6, pair.Sent.Count(message => !message.FromClient));
    }

    [Fact]
    public void A_ClientHello_without_any_share_is_asked_for_one()
    {
        using var pair = new TlsPair();
        pair.Bend = message => message.FromClient ? [Edit(message, h => h.Set(ExtensionType.KeyShare, "0000"))] : [];
        pair.Run();

        Assert.Null(pair.Server.Error);
        Assert.True(Assert.Single(pair.Sent, message => !message.FromClient).IsRetryRequest);
    }

    private static byte[] Edit(WireMessage message, Action<HelloEditor> edit)
    {
        var editor = HelloEditor.Parse(message.Bytes);
        edit(editor);
        return editor.Encode();
    }
}
