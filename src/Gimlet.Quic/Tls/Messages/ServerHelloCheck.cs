using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>Whether a ServerHello or HelloRetryRequest answers what a client offered.</summary>
internal static class ServerHelloCheck
{
    /// <summary>What both share.</summary>
    public static TlsError? Check(ServerHello hello, TlsClientOptions options, ReadOnlySpan<ExtensionType> requested)
    {
        if (CheckVersion(hello) is { } error)
        {
            return error;
        }

        // RFC 8446 section 4.1.3: legacy_version "MUST be set to 0x0303", legacy_compression_method "MUST have the value 0", and "A
        // client which receives a legacy_session_id_echo field that does not match what it sent in the ClientHello MUST abort the
        // handshake with an "illegal_parameter" alert."
        if (hello.LegacyVersion != ClientHelloWriter.LegacyVersion || hello.CompressionMethod != 0 || !hello.SessionIdEcho.IsEmpty)
        {
            return TlsAlert.IllegalParameter.Because("ServerHello's version, compression method or session id is not ours");
        }

        // "A client which receives a cipher suite that was not offered MUST abort the handshake with an "illegal_parameter" alert."
        if (!options.CipherSuites.Contains(hello.CipherSuite))
        {
            return TlsAlert.IllegalParameter.Because("the server chose a cipher suite that we did not offer");
        }

        return ExtensionRules.CheckResponse(
            hello.Extensions, hello.IsRetryRequest ? ExtensionPlace.HelloRetryRequest : ExtensionPlace.ServerHello, requested);
    }

    /// <summary>What a HelloRetryRequest asks for.</summary>
    public static TlsError? CheckRetry(
        ServerHello hello, TlsClientOptions options, List<EphemeralKey> sent, out NamedGroup? group, out ReadOnlySpan<byte> cookie)
    {
        group = null;
        cookie = default;
        if (hello.Extensions.TryFind(ExtensionType.KeyShare, out ReadOnlySpan<byte> body))
        {
            if (!KeyShareExtension.TryParseSelectedGroup(body, out NamedGroup selected))
            {
                return TlsAlert.DecodeError.Because("HelloRetryRequest's key_share is malformed");
            }

            // RFC 8446 section 4.2.8: "the client MUST verify that (1) the selected_group field corresponds to a group which was provided
            // in the "supported_groups" extension in the original ClientHello and (2) the selected_group field does not correspond to a
            // group which was provided in the "key_share" extension in the original ClientHello. If either of these checks fails, then
            // the client MUST abort the handshake with an "illegal_parameter" alert."
            if (!options.Groups.Contains(selected) || sent.Exists(share => share.Group == selected))
            {
                return TlsAlert.IllegalParameter.Because("HelloRetryRequest selects a group that we did not offer or sent a share of");
            }

            group = selected;
        }

        if (hello.Extensions.TryFind(ExtensionType.Cookie, out body) && !CookieExtension.TryParse(body, out cookie))
        {
            return TlsAlert.DecodeError.Because("HelloRetryRequest's cookie is malformed");
        }

        // RFC 8446 section 4.1.4: "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would not
        // result in any change in the ClientHello."
        return group is null && cookie.IsEmpty
            ? TlsAlert.IllegalParameter.Because("HelloRetryRequest changes nothing")
            : null;
    }

    private static TlsError? CheckVersion(ServerHello hello)
    {
        if (!hello.Extensions.TryFind(ExtensionType.SupportedVersions, out ReadOnlySpan<byte> body))
        {
            // RFC 8446 section 4.1.3: "TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST check that the last 8
            // bytes are not equal to either of these values. [...] If a match is found, the client MUST abort the handshake with an
            // "illegal_parameter" alert."
            return hello.HasDowngradeSentinel
                ? TlsAlert.IllegalParameter.Because("somebody made a TLS 1.3 server believe that we are older")

                // RFC 9001 section 4.2: "An endpoint MUST terminate the connection if a version of TLS older than 1.3 is negotiated."
                : TlsAlert.ProtocolVersion.Because("the server does not speak TLS 1.3");
        }

        if (!SupportedVersionsExtension.TryParseServer(body, out ushort version))
        {
            return TlsAlert.DecodeError.Because("ServerHello's supported_versions is malformed");
        }

        // RFC 8446 section 4.2.1: "If the "supported_versions" extension in the ServerHello contains a version not offered by the client
        // or contains a version prior to TLS 1.3, the client MUST abort the handshake with an "illegal_parameter" alert."
        return version == SupportedVersionsExtension.Tls13
            ? null
            : TlsAlert.IllegalParameter.Because("the server chose a version that we did not offer");
    }
}
