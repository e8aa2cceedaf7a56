using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>Certificate (RFC 8446 section 4.4.2).</summary>
internal static class CertificateMessage
{
    /// <summary>Writes our chain; none is the empty list of a client that has nothing to show.</summary>
    public static void Write(TlsWriter writer, TlsIdentity? identity)
    {
        int message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteByte(0);
        int list = writer.Begin(3);
        foreach (ReadOnlyMemory<byte> certificate in identity?.Chain ?? [])
        {
            int data = writer.Begin(3);
            writer.WriteBytes(certificate.Span);
            writer.End(data, 3);
            writer.WriteUInt16(0);
        }

        writer.End(list, 3);
        writer.End(message, 3);
    }

    /// <summary>Reads a chain, which may be empty.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> body, TlsLimits limits, out List<ReadOnlyMemory<byte>> chain)
    {
        chain = [];
        var reader = new TlsReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context)
            || !reader.TryReadVector24(out ReadOnlySpan<byte> list)
            || !reader.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("Certificate is malformed");
        }

        // The context is the CertificateRequest's, which is empty during a handshake; "in the case of server authentication, this field
        // SHALL be zero length."
        if (!context.IsEmpty)
        {
            return TlsAlert.IllegalParameter.Because("Certificate has a context during the handshake");
        }

        var entries = new TlsReader(list);
        while (!entries.IsEmpty)
        {
            // opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>;
            if (!entries.TryReadVector24(out ReadOnlySpan<byte> certificate)
                || certificate.IsEmpty
                || !entries.TryReadVector16(out ReadOnlySpan<byte> block))
            {
                return TlsAlert.DecodeError.Because("an entry of Certificate is malformed");
            }

            // "Extensions in the Certificate message from the server MUST correspond to ones from the ClientHello message", and a
            // client's to the CertificateRequest: neither of ours asks for OCSP or transparency.
            if ((ExtensionList.Parse(block, limits, out ExtensionList extensions)
                ?? ExtensionRules.CheckResponse(extensions, ExtensionPlace.Certificate, requested: [])) is { } error)
            {
                return error;
            }

            if (chain.Count == limits.MaxChainLength)
            {
                return TlsAlert.BadCertificate.Because($"a chain of more than {limits.MaxChainLength} certificates");
            }

            chain.Add(certificate.ToArray());
        }

        return null;
    }
}
