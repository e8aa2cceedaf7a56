using System.Net.Security;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>
/// Writes our ClientHello. The second one, after a HelloRetryRequest, comes from the same settings with other shares and a cookie, so it
/// differs in nothing else (RFC 8446 section 4.1.2).
/// </summary>
internal static class ClientHelloWriter
{
    // RFC 8446 section 4.1.2: "In TLS 1.3, [...] legacy_version MUST be set to 0x0303".
    public const ushort LegacyVersion = 0x0303;

    public static void Write(
        TlsWriter writer,
        TlsClientOptions options,
        ReadOnlySpan<byte> random,
        IReadOnlyList<EphemeralKey> shares,
        ReadOnlySpan<byte> cookie)
    {
        int message = writer.BeginMessage(HandshakeType.ClientHello);
        writer.WriteUInt16(LegacyVersion);
        writer.WriteBytes(random);

        // RFC 9001 section 8.4: "A client MUST NOT request the use of the TLS 1.3 compatibility mode": the session id is empty.
        writer.WriteByte(0);

        int suites = writer.Begin(2);
        foreach (TlsCipherSuite suite in options.CipherSuites)
        {
            writer.WriteUInt16((ushort)suite);
        }

        writer.End(suites, 2);

        // legacy_compression_methods: "exactly one byte, set to zero".
        writer.WriteByte(1);
        writer.WriteByte(0);

        int extensions = writer.Begin(2);
        WriteExtensions(writer, options, shares, cookie);
        writer.End(extensions, 2);
        writer.End(message, 3);
    }

    /// <summary>The extensions that a server may answer.</summary>
    public static ExtensionType[] Requested(TlsClientOptions options)
    {
        List<ExtensionType> types =
        [
            ExtensionType.SupportedVersions,
            ExtensionType.SupportedGroups,
            ExtensionType.KeyShare,
            ExtensionType.SignatureAlgorithms,
            ExtensionType.SignatureAlgorithmsCert,
            ExtensionType.ApplicationLayerProtocolNegotiation,
            ExtensionType.QuicTransportParameters,
        ];
        if (options.NormalizedServerName is not null)
        {
            types.Add(ExtensionType.ServerName);
        }

        return [.. types];
    }

    private static void WriteExtensions(
        TlsWriter writer, TlsClientOptions options, IReadOnlyList<EphemeralKey> shares, ReadOnlySpan<byte> cookie)
    {
        int mark;
        if (options.NormalizedServerName is { } name)
        {
            mark = writer.BeginExtension(ExtensionType.ServerName);
            ServerNameExtension.Write(writer, name);
            writer.End(mark, 2);
        }

        mark = writer.BeginExtension(ExtensionType.SupportedVersions);
        SupportedVersionsExtension.WriteClient(writer);
        writer.End(mark, 2);

        writer.WriteCodePoints(ExtensionType.SupportedGroups, [.. options.Groups.Select(group => (ushort)group)]);

        mark = writer.BeginExtension(ExtensionType.KeyShare);
        KeyShareExtension.WriteClientShares(writer, shares);
        writer.End(mark, 2);

        writer.WriteCodePoints(ExtensionType.SignatureAlgorithms, SignatureSchemes.Handshake);
        writer.WriteCodePoints(ExtensionType.SignatureAlgorithmsCert, SignatureSchemes.Certificates);

        mark = writer.BeginExtension(ExtensionType.ApplicationLayerProtocolNegotiation);
        AlpnExtension.Write(writer, [.. options.ApplicationProtocols]);
        writer.End(mark, 2);

        writer.WriteExtension(ExtensionType.QuicTransportParameters, options.TransportParameters.Span);

        if (!cookie.IsEmpty)
        {
            mark = writer.BeginExtension(ExtensionType.Cookie);
            CookieExtension.Write(writer, cookie);
            writer.End(mark, 2);
        }
    }
}
