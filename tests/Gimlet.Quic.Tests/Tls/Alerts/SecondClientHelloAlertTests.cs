using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls.Alerts;

/// <summary>What a server says to a ClientHello that does not answer its HelloRetryRequest (P-384 and a cookie).</summary>
public sealed class SecondClientHelloAlertTests
{
    private const int P256 = 0x17;

    private static readonly Dictionary<string, (string Error, Action<HelloEditor> Edit)> Bad = new()
    {
        ["another random"] = ("IllegalParameter", h => h.Random[0] ^= 1),
        ["fewer suites"] = ("IllegalParameter", h => h.CipherSuites = h.CipherSuites[..2]),
        ["another protocol"] = ("IllegalParameter", h => h.Set(
            ExtensionType.ApplicationLayerProtocolNegotiation, "000a" + "026833" + "0667696d6c6574")),
        ["other transport parameters"] = ("IllegalParameter", h => h.Set(ExtensionType.QuicTransportParameters, "010100")),
        ["another name"] = ("IllegalParameter", h => h.Set(ExtensionType.ServerName, "000400000161")),
        ["no name"] = ("IllegalParameter", h => h.Remove(ExtensionType.ServerName)),
        ["another order"] = ("IllegalParameter", h => h.Extensions.Reverse(1, 2)),
        ["early_data"] = ("IllegalParameter", h => h.Set(ExtensionType.EarlyData)),
        ["no share"] = ("IllegalParameter", h => h.Set(ExtensionType.KeyShare, "0000")),
        ["a share of the other group"] = ("IllegalParameter", h => h.Set(ExtensionType.KeyShare, HelloEditor.Shares((P256, new byte[65])))),
        ["one share more"] = ("IllegalParameter", h => h.Set(
            ExtensionType.KeyShare, [0, 0x6a, 0, P256, 0, 1, 4, .. h.Get(ExtensionType.KeyShare).AsSpan(2)])),
        ["no cookie"] = ("MissingExtension", h => h.Remove(ExtensionType.Cookie)),
        ["another cookie"] = ("IllegalParameter", h => h.Set(ExtensionType.Cookie, "0003010204")),
        ["a longer cookie"] = ("IllegalParameter", h => h.Set(ExtensionType.Cookie, "000401020300")),
    };

    private static readonly Dictionary<string, Action<HelloEditor>> Good = new()
    {
        ["padding"] = h => h.Set(ExtensionType.Padding, "000000"),
        ["an unknown extension that changed"] = h => h.Set((ExtensionType)0xfe0d, "00"),
    };

    public static TheoryData<string> BadNames => [.. Bad.Keys];

    public static TheoryData<string> GoodNames => [.. Good.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public void A_second_ClientHello_that_differs_gets_its_alert(string name)
    {
        using TlsPair pair = Run(Bad[name].Edit);

        Expect.Failure(Bad[name].Error, pair.Server, pair.ServerEvents);
    }

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void What_may_change_may_change(string name)
    {
        using TlsPair pair = Run(Good[name]);

        // The client did not send that, so it finds out; the server did its part.
        Assert.Equal("DecryptError", Expect.NameOf(pair.Client.Error));
        Assert.Null(pair.Server.Error);
    }

    [Fact]
    public void A_cookie_that_was_not_given_is_refused_in_the_second_ClientHello_too()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1] },
            TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp384r1] });
        pair.Bend = message => [Second(message) ? Edit(message, h => h.Set(ExtensionType.Cookie, "000101")) : message.Bytes];
        pair.Run();

        Expect.Failure("IllegalParameter", pair.Server, pair.ServerEvents);
    }

    private static TlsPair Run(Action<HelloEditor> edit)
    {
        var pair = new TlsPair(
            TlsPair.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1] },
            TlsPair.ServerOptions() with { Groups = [NamedGroup.Secp384r1], RetryCookie = new byte[] { 1, 2, 3 } });
        pair.Bend = message => [Second(message) ? Edit(message, edit) : message.Bytes];
        return pair.Run();
    }

    private static bool Second(WireMessage message) => message is { FromClient: true, Index: 1 };

    private static byte[] Edit(WireMessage message, Action<HelloEditor> edit)
    {
        var editor = HelloEditor.Parse(message.Bytes);
        edit(editor);
        return editor.Encode();
    }
}
