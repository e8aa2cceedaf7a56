using Gimlet.Quic.Tls.Certificates;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>CertificateVerify (RFC 8446 section 4.4.3).</summary>
internal static class CertificateVerifyMessage
{
    public static void Write(TlsWriter writer, SignatureScheme scheme, ReadOnlySpan<byte> signature)
    {
        int message = writer.BeginMessage(HandshakeType.CertificateVerify);
        writer.WriteUInt16((ushort)scheme);
        int mark = writer.Begin(2);
        writer.WriteBytes(signature);
        writer.End(mark, 2);
        writer.End(message, 3);
    }

    /// <summary>Reads and verifies a signature.</summary>
    /// <param name="body">Without the header.</param>
    /// <param name="key">The key of the certificate that came before.</param>
    /// <param name="byServer">Who must have signed.</param>
    /// <param name="transcriptHash">Of everything up to the Certificate.</param>
    public static TlsError? Check(ReadOnlySpan<byte> body, LeafKey key, bool byServer, ReadOnlySpan<byte> transcriptHash)
    {
        var reader = new TlsReader(body);
        if (!reader.TryReadUInt16(out ushort value)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> signature)
            || !reader.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("CertificateVerify is malformed");
        }

        // Both roles are offered the same list. "In addition, the signature algorithm MUST be compatible with the key in the sender's
        // end-entity certificate."
        var scheme = (SignatureScheme)value;
        if (!SignatureSchemes.Handshake.Contains(value) || !key.Fits(scheme))
        {
            return TlsAlert.IllegalParameter.Because("CertificateVerify uses an algorithm that was not offered or does not fit the key");
        }

        // "If the verification fails, the receiver MUST terminate the handshake with a "decrypt_error" alert."
        return key.Verify(scheme, HandshakeSignature.Content(byServer, transcriptHash), signature)
            ? null
            : TlsAlert.DecryptError.Because("CertificateVerify is not the signature of the certificate's key over this handshake");
    }
}
