using System.Net.Security;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls.Alerts;

/// <summary>What a client says to a ServerHello or HelloRetryRequest that is wrong. It offers both suites and both groups.</summary>
public sealed class ServerHelloAlertTests
{
    private static readonly Dictionary<string, (string Error, Action<HelloEditor> Edit)> Both = new()
    {
        ["another version"] = ("IllegalParameter", h => h.Version = 0x0302),
        ["a session id"] = ("IllegalParameter", h => h.SessionId = [1]),
        ["a session id that is too long"] = ("DecodeError", h => h.SessionId = new byte[33]),
        ["compression"] = ("IllegalParameter", h => h.Compression = [1]),
        ["a suite that was not offered"] = ("IllegalParameter", h => h.CipherSuites = [0x13, 0x03]),
        ["no supported_versions"] = ("ProtocolVersion", h => h.Remove(ExtensionType.SupportedVersions)),
        ["no extensions at all"] = ("ProtocolVersion", h => h.WithoutExtensions = true),
        ["an older version"] = ("IllegalParameter", h => h.Set(ExtensionType.SupportedVersions, "0303")),
        ["half a version"] = ("DecodeError", h => h.Set(ExtensionType.SupportedVersions, "03")),
        ["an extension twice"] = ("IllegalParameter", h => h.Extensions.Add(h.Extensions[0])),
        ["an unknown extension"] = ("UnsupportedExtension", h => h.Set((ExtensionType)0x0a0a)),
        ["an extension of EncryptedExtensions"] = ("IllegalParameter", h => h.Set(ExtensionType.QuicTransportParameters)),
        ["a trailing byte"] = ("DecodeError", h => h.Trailer = [0]),
        ["extensions that are cut short"] = ("DecodeError", h =>
        {
            h.WithoutExtensions = true;
            h.Trailer = [0, 5, 0, 1, 0];
        }
        ),
    };

    private static readonly Dictionary<string, (string Error, Action<HelloEditor> Edit)> Hello = new()
    {
        ["a downgrade from TLS 1.2"] = ("IllegalParameter", h => Downgrade(h, 1)),
        ["a downgrade from TLS 1.1"] = ("IllegalParameter", h => Downgrade(h, 0)),
        ["TLS 1.2 without the sentinel"] = ("ProtocolVersion", h => Downgrade(h, 2)),
        ["no key_share"] = ("MissingExtension", h => h.Remove(ExtensionType.KeyShare)),
        ["key_share cut short"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, "00170041")),
        ["an empty share"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, "00170000")),
        ["a share of a group that no share was sent of"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, [0, 0x18, 0, 97, 4, .. new byte[96]])),
        ["a share of a group that was not offered"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, [0, 0x1d, 0, 32, .. new byte[32]])),
        ["a point off the curve"] = ("IllegalParameter", h => h.Get(ExtensionType.KeyShare)[20] ^= 1),
        ["a pre-shared key that was not offered"] = ("UnsupportedExtension", h => h.Set(ExtensionType.PreSharedKey, "0000")),
        ["a cookie"] = ("IllegalParameter", h => h.Set(ExtensionType.Cookie, "000101")),
    };

    private static readonly Dictionary<string, (string Error, Action<HelloEditor> Edit)> Retry = new()
    {
        ["a group that was not offered"] = ("IllegalParameter", h => h.Set(ExtensionType.KeyShare, "001d")),
        ["a group that a share was sent of"] = ("IllegalParameter", h => h.Set(ExtensionType.KeyShare, "0018")),
        ["a share instead of a group"] = ("DecodeError", h => h.Set(ExtensionType.KeyShare, "0017000101")),
        ["nothing to change"] = ("IllegalParameter", h => h.Remove(ExtensionType.KeyShare)),
        ["an empty cookie"] = ("DecodeError", h => h.Set(ExtensionType.Cookie, "0000")),
        ["a pre-shared key"] = ("IllegalParameter", h => h.Set(ExtensionType.PreSharedKey, "0000")),
    };

    public static TheoryData<string> HelloNames => [.. Both.Keys, .. Hello.Keys];

    public static TheoryData<string> RetryNames => [.. Both.Keys, .. Retry.Keys];

    [Theory]
    [MemberData(nameof(HelloNames))]
    public void A_wrong_ServerHello_gets_its_alert(string name)
    {
        (string error, Action<HelloEditor> edit) = Both.TryGetValue(name, out var both) ? both : Hello[name];
        using var pair = new TlsPair();
        pair.Bend = message => [message is { FromClient: false, Index: 0 } ? Edit(message, edit) : message.Bytes];
        pair.Run();

        Expect.Failure(error, pair.Client, pair.ClientEvents);
    }

    [Theory]
    [MemberData(nameof(RetryNames))]
    public void A_wrong_HelloRetryRequest_gets_its_alert(string name)
    {
        (string error, Action<HelloEditor> edit) = Both.TryGetValue(name, out var both) ? both : Retry[name];
        using TlsPair pair = WithRetry();
        pair.Bend = message => [message is { FromClient: false, Index: 0 } ? Edit(message, edit) : message.Bytes];
        pair.Run();

        Expect.Failure(error, pair.Client, pair.ClientEvents);
        Assert.Single(pair.Sent, message => message.FromClient);
    }

    [Fact]
    public void A_second_HelloRetryRequest_is_unexpected()
    {
        using TlsPair pair = WithRetry();
        byte[] first = [];
        pair.Bend = message =>
        {
            first = message.IsRetryRequest ? message.Bytes : first;
            return [message is { FromClient: false, Index: 1 } ? first : message.Bytes];
        };
        pair.Run();

        Expect.Failure("UnexpectedMessage", pair.Client, pair.ClientEvents);
    }

    [Fact]
    public void A_ServerHello_with_another_suite_than_its_HelloRetryRequest_is_refused()
    {
        using TlsPair pair = WithRetry();
        pair.Bend = message =>
            [message is { FromClient: false, Index: 1 } ? Edit(message, h => h.CipherSuites = [0x13, 0x02]) : message.Bytes];
        pair.Run();

        Assert.Equal(TlsCipherSuite.TLS_AES_128_GCM_SHA256, pair.Server.Suite);
        Expect.Failure("IllegalParameter", pair.Client, pair.ClientEvents);
    }

    private static TlsPair WithRetry() => new(
        TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp384r1] },
        TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp256r1] });

    private static void Downgrade(HelloEditor hello, byte last)
    {
        hello.Remove(ExtensionType.SupportedVersions);
        "DOWNGRD"u8.CopyTo(hello.Random.AsSpan(24));
        hello.Random[31] = last;
    }

    private static byte[] Edit(WireMessage message, Action<HelloEditor> edit)
    {
        var editor = HelloEditor.Parse(message.Bytes);
        edit(editor);
        return editor.Encode();
    }
}
