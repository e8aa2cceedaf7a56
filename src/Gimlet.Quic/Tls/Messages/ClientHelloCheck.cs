using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>What a server reads out of a ClientHello and chooses from it.</summary>
internal readonly ref struct ClientHelloCheck
{
    public TlsCipherSuite Suite { get; private init; }

    public NamedGroup Group { get; private init; }

    /// <summary>The client's share of <see cref="Group"/>; empty when it sent none.</summary>
    public ReadOnlySpan<byte> Share { get; private init; }

    public int ShareCount { get; private init; }

    public SslApplicationProtocol Protocol { get; private init; }

    public ReadOnlySpan<byte> TransportParameters { get; private init; }

    public ReadOnlySpan<byte> Cookie { get; private init; }

    public string? ServerName { get; private init; }

    /// <summary>Checks a hello and chooses; the same hello always leads to the same choice.</summary>
    public static TlsError? Choose(ClientHello hello, TlsServerOptions options, out ClientHelloCheck choice)
    {
        choice = default;
        TlsError? error;
        ExtensionList extensions = hello.Extensions;
        if ((error = CheckLegacy(hello)) is not null
            || (error = ExtensionRules.CheckRequest(extensions, ExtensionPlace.ClientHello)) is not null
            || (error = CheckPreSharedKey(extensions)) is not null
            || (error = ChooseSuite(hello, options, out TlsCipherSuite suite)) is not null
            || (error = CheckSignatureAlgorithms(extensions, options)) is not null
            || (error = ChooseGroup(
                extensions, options, out NamedGroup group, out ReadOnlySpan<byte> share, out int shareCount)) is not null
            || (error = ReadCookie(extensions, out ReadOnlySpan<byte> cookie)) is not null
            || (error = ReadServerName(extensions, out string? serverName)) is not null
            || (error = ChooseProtocol(extensions, options, out SslApplicationProtocol protocol)) is not null)
        {
            return error;
        }

        // RFC 9001 section 8.2, as at the client.
        if (!extensions.TryFind(ExtensionType.QuicTransportParameters, out ReadOnlySpan<byte> parameters))
        {
            return TlsAlert.MissingExtension.Because("ClientHello without quic_transport_parameters");
        }

        choice = new ClientHelloCheck
        {
            Suite = suite,
            Group = group,
            Share = share,
            ShareCount = shareCount,
            Protocol = protocol,
            TransportParameters = parameters,
            Cookie = cookie,
            ServerName = serverName,
        };
        return null;
    }

    /// <summary>
    /// A hash over what a client may not change after a HelloRetryRequest. RFC 8446 section 4.1.2: "the client MUST send the same
    /// ClientHello without modification, except as follows": key_share, early_data, cookie, pre_shared_key and padding. Extensions that
    /// we do not know have their own rules (encrypted client hello changes), so they are left out.
    /// </summary>
    public static byte[] FixedPart(ClientHello hello)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(hello.Random);
        hash.AppendData(hello.CipherSuites);
        foreach (Extension extension in hello.Extensions)
        {
            bool variable = extension.Type is ExtensionType.KeyShare or ExtensionType.EarlyData or ExtensionType.Cookie
                or ExtensionType.PreSharedKey or ExtensionType.Padding;
            if (!variable && ExtensionRules.Places(extension.Type) != ExtensionPlace.None)
            {
                hash.AppendData([(byte)((ushort)extension.Type >> 8), (byte)extension.Type]);
                hash.AppendData([(byte)(extension.Body.Length >> 8), (byte)extension.Body.Length]);
                hash.AppendData(extension.Body);
            }
        }

        return hash.GetHashAndReset();
    }

    private static TlsError? CheckLegacy(ClientHello hello)
    {
        if (!hello.Extensions.TryFind(ExtensionType.SupportedVersions, out ReadOnlySpan<byte> body))
        {
            return TlsAlert.ProtocolVersion.Because("the client does not speak TLS 1.3");
        }

        if (!SupportedVersionsExtension.TryParseClient(body, out UInt16List versions))
        {
            return TlsAlert.DecodeError.Because("ClientHello's supported_versions is malformed");
        }

        // RFC 8446 section 4.2.1: with this extension "servers MUST NOT use the ClientHello.legacy_version value for version
        // negotiation".
        if (!versions.Contains(SupportedVersionsExtension.Tls13))
        {
            return TlsAlert.ProtocolVersion.Because("the client does not speak TLS 1.3");
        }

        // RFC 9001 section 8.4: "A server SHOULD treat the receipt of a TLS ClientHello with a non-empty legacy_session_id field as a
        // connection error of type PROTOCOL_VIOLATION."
        if (!hello.SessionId.IsEmpty)
        {
            return TlsError.ProtocolViolation("ClientHello asks for the compatibility mode of TLS over TCP");
        }

        // RFC 8446 section 4.1.2: "this vector MUST contain exactly one byte, set to zero, [...] If a TLS 1.3 ClientHello is received
        // with any other value in this field, the server MUST abort the handshake with an "illegal_parameter" alert."
        return hello.CompressionMethods is [0]
            ? null
            : TlsAlert.IllegalParameter.Because("ClientHello offers compression");
    }

    // We resume nothing and fall back to a full handshake, but the form of the offer is checked as the standard says.
    private static TlsError? CheckPreSharedKey(ExtensionList extensions)
    {
        ExtensionList.Enumerator enumerator = extensions.GetEnumerator();
        while (enumerator.MoveNext())
        {
            if (enumerator.Current.Type != ExtensionType.PreSharedKey)
            {
                continue;
            }

            // RFC 8446 section 4.2.11: "The "pre_shared_key" extension MUST be the last extension in the ClientHello [...] Servers MUST
            // check that it is the last extension and otherwise fail the handshake with an "illegal_parameter" alert."
            if (!enumerator.IsLast)
            {
                return TlsAlert.IllegalParameter.Because("pre_shared_key is not the last extension");
            }

            // RFC 8446 section 4.2.9: "If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST abort
            // the handshake."
            if (!extensions.Contains(ExtensionType.PskKeyExchangeModes))
            {
                return TlsAlert.MissingExtension.Because("pre_shared_key without psk_key_exchange_modes");
            }
        }

        return null;
    }

    private static TlsError? ChooseSuite(ClientHello hello, TlsServerOptions options, out TlsCipherSuite suite)
    {
        UInt16List.TryWrap(hello.CipherSuites, out UInt16List offered);
        foreach (TlsCipherSuite candidate in options.CipherSuites)
        {
            if (offered.Contains((ushort)candidate))
            {
                suite = candidate;
                return null;
            }
        }

        suite = default;
        return TlsAlert.HandshakeFailure.Because("no cipher suite in common");
    }

    private static TlsError? CheckSignatureAlgorithms(ExtensionList extensions, TlsServerOptions options)
    {
        // RFC 8446 section 4.2.3: "Clients which desire the server to authenticate itself via a certificate MUST send the
        // "signature_algorithms" extension. If a server is authenticating via a certificate and the client has not sent a
        // "signature_algorithms" extension, then the server MUST abort the handshake with a "missing_extension" alert".
        if (!extensions.TryFind(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> body))
        {
            return TlsAlert.MissingExtension.Because("ClientHello without signature_algorithms");
        }

        if (!UInt16List.TryParse(body, out UInt16List schemes))
        {
            return TlsAlert.DecodeError.Because("ClientHello's signature_algorithms is malformed");
        }

        return schemes.Contains((ushort)options.Identity.Scheme)
            ? null
            : TlsAlert.HandshakeFailure.Because("the client does not verify signatures of our certificate's kind");
    }

    private static TlsError? ChooseGroup(
        ExtensionList extensions, TlsServerOptions options, out NamedGroup group, out ReadOnlySpan<byte> share, out int shareCount)
    {
        group = default;
        share = default;
        shareCount = 0;

        // RFC 8446 section 9.2: "If containing a "supported_groups" extension, it MUST also contain a "key_share" extension, and vice
        // versa [...] Servers receiving a ClientHello which does not conform to these requirements MUST abort the handshake with a
        // "missing_extension" alert."
        if (!extensions.TryFind(ExtensionType.SupportedGroups, out ReadOnlySpan<byte> groupsBody)
            || !extensions.TryFind(ExtensionType.KeyShare, out ReadOnlySpan<byte> sharesBody))
        {
            return TlsAlert.MissingExtension.Because("ClientHello without supported_groups or key_share");
        }

        if (!UInt16List.TryParse(groupsBody, out UInt16List groups))
        {
            return TlsAlert.DecodeError.Because("ClientHello's supported_groups is malformed");
        }

        if (KeyShareExtension.CheckClientShares(sharesBody, groups, options.Limits, out shareCount) is { } error)
        {
            return error;
        }

        // A group that needs no second round trip is better than one we like more.
        bool common = false;
        foreach (NamedGroup candidate in options.Groups)
        {
            if (!groups.Contains((ushort)candidate))
            {
                continue;
            }

            bool shared = KeyShareExtension.TryFindClientShare(sharesBody, candidate, out ReadOnlySpan<byte> point);
            if (!common || shared)
            {
                group = candidate;
                share = point;
                common = true;
            }

            if (shared)
            {
                break;
            }
        }

        return common ? null : TlsAlert.HandshakeFailure.Because("no group in common");
    }

    private static TlsError? ReadCookie(ExtensionList extensions, out ReadOnlySpan<byte> cookie)
    {
        cookie = default;
        return !extensions.TryFind(ExtensionType.Cookie, out ReadOnlySpan<byte> body) || CookieExtension.TryParse(body, out cookie)
            ? null
            : TlsAlert.DecodeError.Because("ClientHello's cookie is malformed");
    }

    private static TlsError? ReadServerName(ExtensionList extensions, out string? name)
    {
        name = null;
        return extensions.TryFind(ExtensionType.ServerName, out ReadOnlySpan<byte> body) ? ServerNameExtension.Parse(body, out name) : null;
    }

    private static TlsError? ChooseProtocol(ExtensionList extensions, TlsServerOptions options, out SslApplicationProtocol protocol)
    {
        protocol = default;

        // RFC 9001 section 8.1: "endpoints MUST immediately close a connection [...] with a no_application_protocol TLS alert [...] if an
        // application protocol is not negotiated".
        if (!extensions.TryFind(ExtensionType.ApplicationLayerProtocolNegotiation, out ReadOnlySpan<byte> body))
        {
            return TlsAlert.NoApplicationProtocol.Because("the client names no application protocol");
        }

        if (!AlpnExtension.IsWellFormed(body, out _))
        {
            return TlsAlert.DecodeError.Because("ClientHello's application protocols are malformed");
        }

        return AlpnExtension.TrySelect(body, options.ApplicationProtocols, out protocol)
            ? null
            : TlsAlert.NoApplicationProtocol.Because("no application protocol in common");
    }
}
