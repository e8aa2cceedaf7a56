using Gimlet.Quic.Tls;

namespace Gimlet.Quic;

/// <summary>How a connection is dialled.</summary>
public sealed record QuicClientOptions : QuicConnectionOptions
{
    /// <summary>What this side shows when the server asks who it is; null: nothing.</summary>
    public QuicCertificate? Certificate { get; init; }

    /// <summary>
    /// The host name for server_name (RFC 6066) and for comparing the server's certificate with; null: the host that is dialled. An IP address
    /// is compared, and never sent.
    /// </summary>
    public string? TargetHost { get; init; }

    /// <inheritdoc/>
    internal override void Validate()
    {
        base.Validate();
        _ = ToTls(TargetHost, keyLog: null);
    }

    /// <summary>TLS's own options.</summary>
    /// <param name="host">What was dialled, where <see cref="TargetHost"/> says nothing.</param>
    /// <param name="keyLog">Gets the secrets.</param>
    internal TlsClientOptions ToTls(string? host, Action<string>? keyLog)
    {
        string? target = TargetHost ?? host;
        var tls = new TlsClientOptions
        {
            ApplicationProtocols = ApplicationProtocols,
            TransportParameters = default,
            DecideCertificate = CertificateDecisions.Wrap(DecideCertificate, target),
            Identity = Certificate?.Identity,
            ServerName = target,
            KeyLog = keyLog,
        };
        return CipherSuites is { } suites ? tls with { CipherSuites = suites } : tls;
    }
}
