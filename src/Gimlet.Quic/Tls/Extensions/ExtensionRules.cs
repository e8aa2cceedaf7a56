namespace Gimlet.Quic.Tls.Extensions;

/// <summary>The messages that carry an extension block.</summary>
[Flags]
internal enum ExtensionPlace
{
    None = 0,
    ClientHello = 1,
    ServerHello = 2,
    HelloRetryRequest = 4,
    EncryptedExtensions = 8,
    Certificate = 16,
    CertificateRequest = 32,
    NewSessionTicket = 64,
}

/// <summary>The table of RFC 8446 section 4.2 (and RFC 9001 section 8.2): which extension may stand in which message.</summary>
internal static class ExtensionRules
{
    /// <summary>The messages an extension may stand in; <see cref="ExtensionPlace.None"/> for one that we do not know.</summary>
    public static ExtensionPlace Places(ExtensionType type) => type switch
    {
        ExtensionType.ServerName or ExtensionType.MaxFragmentLength or ExtensionType.SupportedGroups or ExtensionType.UseSrtp
            or ExtensionType.Heartbeat or ExtensionType.ApplicationLayerProtocolNegotiation or ExtensionType.ClientCertificateType
            or ExtensionType.ServerCertificateType or ExtensionType.QuicTransportParameters
            => ExtensionPlace.ClientHello | ExtensionPlace.EncryptedExtensions,
        ExtensionType.StatusRequest or ExtensionType.SignedCertificateTimestamp
            => ExtensionPlace.ClientHello | ExtensionPlace.CertificateRequest | ExtensionPlace.Certificate,
        ExtensionType.SignatureAlgorithms or ExtensionType.SignatureAlgorithmsCert or ExtensionType.CertificateAuthorities
            => ExtensionPlace.ClientHello | ExtensionPlace.CertificateRequest,
        ExtensionType.Padding or ExtensionType.PskKeyExchangeModes or ExtensionType.PostHandshakeAuth => ExtensionPlace.ClientHello,
        ExtensionType.KeyShare or ExtensionType.SupportedVersions
            => ExtensionPlace.ClientHello | ExtensionPlace.ServerHello | ExtensionPlace.HelloRetryRequest,
        ExtensionType.PreSharedKey => ExtensionPlace.ClientHello | ExtensionPlace.ServerHello,
        ExtensionType.EarlyData => ExtensionPlace.ClientHello | ExtensionPlace.EncryptedExtensions | ExtensionPlace.NewSessionTicket,
        ExtensionType.Cookie => ExtensionPlace.ClientHello | ExtensionPlace.HelloRetryRequest,
        ExtensionType.OidFilters => ExtensionPlace.CertificateRequest,
        _ => ExtensionPlace.None,
    };

    /// <summary>
    /// For messages that ask (ClientHello, CertificateRequest, NewSessionTicket): known extensions in their places, unknown ones pass.
    /// </summary>
    public static TlsError? CheckRequest(ExtensionList list, ExtensionPlace place)
    {
        foreach (Extension extension in list)
        {
            if (Misplaced(extension.Type, place))
            {
                return Misplacement(place);
            }
        }

        return null;
    }

    /// <summary>For messages that answer: nothing may stand there that was not asked for.</summary>
    /// <param name="list">The block.</param>
    /// <param name="place">The message it came in.</param>
    /// <param name="requested">The extensions that our request held.</param>
    public static TlsError? CheckResponse(ExtensionList list, ExtensionPlace place, ReadOnlySpan<ExtensionType> requested)
    {
        foreach (Extension extension in list)
        {
            if (Misplaced(extension.Type, place))
            {
                return Misplacement(place);
            }

            // RFC 8446 section 4.2: "Implementations MUST NOT send extension responses if the remote endpoint did not send the
            // corresponding extension requests, with the exception of the "cookie" extension in the HelloRetryRequest. Upon receiving
            // such an extension, an endpoint MUST abort the handshake with an "unsupported_extension" alert."
            bool cookie = extension.Type == ExtensionType.Cookie && place == ExtensionPlace.HelloRetryRequest;
            if (!cookie && !requested.Contains(extension.Type))
            {
                return TlsAlert.UnsupportedExtension.Because($"an extension in {place} that was not asked for");
            }
        }

        return null;
    }

    // RFC 8446 section 4.2: "If an implementation receives an extension which it recognizes and which is not specified for the message
    // in which it appears, it MUST abort the handshake with an "illegal_parameter" alert."
    private static bool Misplaced(ExtensionType type, ExtensionPlace place)
    {
        ExtensionPlace places = Places(type);
        return places != ExtensionPlace.None && (places & place) == ExtensionPlace.None;
    }

    private static TlsError Misplacement(ExtensionPlace place) =>
        TlsAlert.IllegalParameter.Because($"an extension in {place} that may not stand there");
}
