using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tls.Certificates;

/// <summary>The peer's way from a certificate to an accepted one: it shows a chain, proves the key, and is decided on.</summary>
internal sealed class PeerProof(TlsOptions options, bool peerIsServer, string? serverName) : IDisposable
{
    private LeafKey? _key;
    private List<ReadOnlyMemory<byte>> _chain = [];
    private ReadOnlyMemory<byte> _subjectPublicKeyInfo;

    /// <summary>The chain came and was empty.</summary>
    public bool IsEmpty => _chain.Count == 0;

    /// <summary>Set once the peer is accepted.</summary>
    public PeerCertificate? Accepted { get; private set; }

    /// <summary>A Certificate message.</summary>
    public TlsError? TakeCertificate(ReadOnlySpan<byte> body)
    {
        if (CertificateMessage.Parse(body, options.Limits, out _chain) is { } error)
        {
            return error;
        }

        if (_chain.Count == 0)
        {
            return null;
        }

        if (!CertificateKey.TryFind(_chain[0].Span, out ReadOnlySpan<byte> subjectPublicKeyInfo))
        {
            return TlsAlert.BadCertificate.Because("the first certificate is none");
        }

        _subjectPublicKeyInfo = subjectPublicKeyInfo.ToArray();
        return LeafKey.Parse(subjectPublicKeyInfo, options.Curves, options.Limits, out _key);
    }

    /// <summary>A CertificateVerify message: verifies it and then asks the owner.</summary>
    /// <param name="body">Without the header.</param>
    /// <param name="transcriptHash">Up to and with the Certificate.</param>
    public TlsError? TakeVerify(ReadOnlySpan<byte> body, ReadOnlySpan<byte> transcriptHash)
    {
        if (CertificateVerifyMessage.Check(body, _key!, peerIsServer, transcriptHash) is { } error)
        {
            return error;
        }

        var peer = new PeerCertificate(_chain, _subjectPublicKeyInfo, serverName);
        TlsError? refusal = Decide(peer);
        Accepted = refusal is null ? peer : null;
        return refusal;
    }

    public void Dispose() => _key?.Dispose();

    private TlsError? Decide(PeerCertificate peer)
    {
        try
        {
            return options.DecideCertificate(peer).ToError();
        }
        catch (Exception exception)
        {
            // The owner's code, on the peer's input: whatever it throws must not admit the peer, and must not end the receive loop.
            return TlsAlert.InternalError.Because($"the decision on the certificate threw {exception.GetType().Name}: {exception.Message}");
        }
    }
}
