using System.Net.Security;
using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>EncryptedExtensions (RFC 8446 section 4.3.1): the rest of the server's answer to our extensions.</summary>
internal static class EncryptedExtensions
{
    public static void Write(TlsWriter writer, SslApplicationProtocol protocol, ReadOnlySpan<byte> transportParameters)
    {
        int message = writer.BeginMessage(HandshakeType.EncryptedExtensions);
        int extensions = writer.Begin(2);
        int mark = writer.BeginExtension(ExtensionType.ApplicationLayerProtocolNegotiation);
        AlpnExtension.Write(writer, protocol);
        writer.End(mark, 2);
        writer.WriteExtension(ExtensionType.QuicTransportParameters, transportParameters);
        writer.End(extensions, 2);
        writer.End(message, 3);
    }

    public static TlsError? Parse(ReadOnlySpan<byte> body, TlsLimits limits, out ExtensionList extensions)
    {
        extensions = default;
        var reader = new TlsReader(body);
        return reader.TryReadVector16(out ReadOnlySpan<byte> block) && reader.IsEmpty
            ? ExtensionList.Parse(block, limits, out extensions)
            : TlsAlert.DecodeError.Because("EncryptedExtensions is malformed");
    }

    /// <summary>Answers that we need not act on must still have their shape.</summary>
    public static TlsError? CheckIgnored(ExtensionList extensions)
    {
        // RFC 6066 section 3: "The "extension_data" field of this extension SHALL be empty." RFC 8446 section 4.2.7: "Clients MUST NOT
        // act upon any information found in "supported_groups" prior to successful completion of the handshake".
        bool good = (!extensions.TryFind(ExtensionType.ServerName, out ReadOnlySpan<byte> name) || name.IsEmpty)
            && (!extensions.TryFind(ExtensionType.SupportedGroups, out ReadOnlySpan<byte> groups) || UInt16List.TryParse(groups, out _));
        return good ? null : TlsAlert.DecodeError.Because("EncryptedExtensions' server_name or supported_groups is malformed");
    }

    /// <summary>The protocol that the server chose.</summary>
    public static TlsError? ReadProtocol(
        ExtensionList extensions, IReadOnlyList<SslApplicationProtocol> offered, out SslApplicationProtocol protocol)
    {
        protocol = default;
        if (!extensions.TryFind(ExtensionType.ApplicationLayerProtocolNegotiation, out ReadOnlySpan<byte> body))
        {
            // RFC 9001 section 8.1: "While ALPN only specifies that servers use this alert, QUIC clients MUST use error 0x0178 to
            // terminate a connection when ALPN negotiation fails."
            return TlsAlert.NoApplicationProtocol.Because("the server chose no application protocol");
        }

        if (!AlpnExtension.IsWellFormed(body, out int count))
        {
            return TlsAlert.DecodeError.Because("the server's application protocol is malformed");
        }

        // RFC 7301 section 3.1: "the "ProtocolNameList" MUST contain exactly one "ProtocolName"."
        return count == 1 && AlpnExtension.TrySelect(body, offered, out protocol)
            ? null
            : TlsAlert.IllegalParameter.Because("the server chose an application protocol that we did not offer");
    }
}
