namespace Gimlet.Quic.Tls.Certificates;

/// <summary>Finds the SubjectPublicKeyInfo in a certificate (RFC 5280 section 4.1).</summary>
internal static class CertificateKey
{
    /// <summary>True for something with the outline of a certificate; its signature and names are the owner's to judge.</summary>
    public static bool TryFind(ReadOnlySpan<byte> certificate, out ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        subjectPublicKeyInfo = default;

        // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
        var outer = new DerReader(certificate);
        if (!outer.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> fields) || !outer.IsEmpty)
        {
            return false;
        }

        var reader = new DerReader(fields);
        return reader.TryRead(DerReader.Sequence, out ReadOnlySpan<byte> toBeSigned)
            && reader.TryRead(DerReader.Sequence, out _)
            && reader.TryRead(DerReader.BitString, out _)
            && reader.IsEmpty
            && TryFindInBody(toBeSigned, out subjectPublicKeyInfo);
    }

    // TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, ... }
    private static bool TryFindInBody(ReadOnlySpan<byte> toBeSigned, out ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        subjectPublicKeyInfo = default;
        var reader = new DerReader(toBeSigned);
        if (reader.IsNext(DerReader.ExplicitVersion) && !reader.TryRead(DerReader.ExplicitVersion, out _))
        {
            return false;
        }

        return reader.TryRead(DerReader.Integer, out _)
            && reader.TryRead(DerReader.Sequence, out _)
            && reader.TryRead(DerReader.Sequence, out _)
            && reader.TryRead(DerReader.Sequence, out _)
            && reader.TryRead(DerReader.Sequence, out _)
            && reader.TryRead(DerReader.Sequence, out _, out subjectPublicKeyInfo);
    }
}
