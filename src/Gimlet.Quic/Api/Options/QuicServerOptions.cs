using Gimlet.Quic.Tls;

namespace Gimlet.Quic;

/// <summary>Whether a server asks who its client is.</summary>
public enum QuicClientCertificateMode
{
    /// <summary>It does not ask.</summary>
    None,

    /// <summary>It asks, and goes on with a client that shows nothing.</summary>
    Optional,

    /// <summary>A client that shows nothing is refused.</summary>
    Required,
}

/// <summary>How an endpoint serves.</summary>
public sealed record QuicServerOptions : QuicConnectionOptions
{
    /// <summary>What this side shows.</summary>
    public required QuicCertificate Certificate { get; init; }

    /// <summary>Whether clients are asked who they are. Required unless said otherwise: between peers both sides prove their key.</summary>
    public QuicClientCertificateMode ClientCertificate { get; init; } = QuicClientCertificateMode.Required;

    /// <summary>
    /// Connections that wait for <see cref="QuicListener.AcceptConnectionAsync(CancellationToken)"/>; the next are refused. 512 is the listen
    /// backlog of Kestrel.
    /// </summary>
    public int AcceptBacklog { get; init; } = 512;

    /// <summary>Connections of all roles that this endpoint may have; the next are refused. 50,000 idle ones at 20 KB each are 1 GB.</summary>
    public int MaxConnections { get; init; } = 50_000;

    /// <summary>
    /// Handshakes that may be under way; the Initial of the next is dropped, so that its client tries again. Each holds some 20 KB before the client
    /// proved anything: 40 MB at most.
    /// </summary>
    public int MaxHalfOpen { get; init; } = 2048;

    /// <summary>When clients must prove their address before anything is kept for them (RFC 9000 section 8.1.2).</summary>
    public QuicRetryPolicy Retry { get; init; } = QuicRetryPolicy.Default;

    /// <inheritdoc/>
    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(Certificate, nameof(Certificate));
        OptionCheck.Range(AcceptBacklog, 1, 1_000_000, nameof(AcceptBacklog));
        OptionCheck.Range(MaxConnections, 1, 10_000_000, nameof(MaxConnections));
        OptionCheck.Range(MaxHalfOpen, 1, 1_000_000, nameof(MaxHalfOpen));
        ArgumentNullException.ThrowIfNull(Retry, nameof(Retry));
        const QuicClientCertificateMode last = QuicClientCertificateMode.Required;
        OptionCheck.Range((int)ClientCertificate, (int)QuicClientCertificateMode.None, (int)last, nameof(ClientCertificate));
    }

    internal TlsServerOptions ToTls(Action<string>? keyLog)
    {
        var tls = new TlsServerOptions
        {
            ApplicationProtocols = ApplicationProtocols,
            TransportParameters = default,
            DecideCertificate = CertificateDecisions.Wrap(DecideCertificate, targetHost: null),
            Identity = Certificate.Identity,
            ClientCertificate = (ClientCertificateMode)ClientCertificate,
            KeyLog = keyLog,
        };
        return CipherSuites is { } suites ? tls with { CipherSuites = suites } : tls;
    }
}
