using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>CertificateRequest (RFC 8446 section 4.3.2): the server wants to know who we are.</summary>
internal static class CertificateRequestMessage
{
    public static void Write(TlsWriter writer)
    {
        int message = writer.BeginMessage(HandshakeType.CertificateRequest);
        writer.WriteByte(0);
        int extensions = writer.Begin(2);
        writer.WriteCodePoints(ExtensionType.SignatureAlgorithms, SignatureSchemes.Handshake);
        writer.WriteCodePoints(ExtensionType.SignatureAlgorithmsCert, SignatureSchemes.Certificates);
        writer.End(extensions, 2);
        writer.End(message, 3);
    }

    /// <summary>Reads a request.</summary>
    /// <param name="body">Without the header.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="schemes">What the server verifies.</param>
    public static TlsError? Parse(ReadOnlySpan<byte> body, TlsLimits limits, out UInt16List schemes)
    {
        schemes = default;
        var reader = new TlsReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> block)
            || !reader.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("CertificateRequest is malformed");
        }

        // "This field SHALL be zero length unless used for the post-handshake authentication exchanges".
        if (!context.IsEmpty)
        {
            return TlsAlert.IllegalParameter.Because("CertificateRequest has a context during the handshake");
        }

        if ((ExtensionList.Parse(block, limits, out ExtensionList extensions)
            ?? ExtensionRules.CheckRequest(extensions, ExtensionPlace.CertificateRequest)) is { } error)
        {
            return error;
        }

        // "The "signature_algorithms" extension MUST be specified".
        if (!extensions.TryFind(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> algorithms))
        {
            return TlsAlert.MissingExtension.Because("CertificateRequest without signature_algorithms");
        }

        return UInt16List.TryParse(algorithms, out schemes)
            ? null
            : TlsAlert.DecodeError.Because("CertificateRequest's signature_algorithms is malformed");
    }
}
