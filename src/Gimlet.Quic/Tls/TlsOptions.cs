using System.Net.Security;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls;

/// <summary>What both roles need to know. One instance may serve many handshakes.</summary>
internal abstract record TlsOptions
{
    /// <summary>Application protocols in order of preference; at least one (RFC 9001 section 8.1 requires ALPN).</summary>
    /// <exception cref="ArgumentException">None, or an empty name.</exception>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols
    {
        get;
        init => field = value.Count > 0 && value.All(protocol => !protocol.Protocol.IsEmpty)
            ? value
            : throw new ArgumentException("At least one application protocol, none of them empty.", nameof(ApplicationProtocols));
    }

    /// <summary>Our quic_transport_parameters, encoded (RFC 9000 section 18).</summary>
    public required ReadOnlyMemory<byte> TransportParameters { get; init; }

    /// <summary>Decides on the peer's certificate.</summary>
    public required CertificateDecision DecideCertificate { get; init; }

    /// <summary>Suites in order of preference.</summary>
    public IReadOnlyList<TlsCipherSuite> CipherSuites
    {
        get;
        init => field = Subset(value, Keys.CipherSuites.All, nameof(CipherSuites));
    }
    = Keys.CipherSuites.All;

    /// <summary>Groups in order of preference.</summary>
    public IReadOnlyList<NamedGroup> Groups
    {
        get;
        init => field = Subset(value, NamedGroups.All, nameof(Groups));
    }
    = NamedGroups.All;

    /// <summary>Whose elliptic curves. A connection takes those that belong to its packet protection.</summary>
    public ICurveProvider Curves { get; init; } = BclCurves.Instance;

    /// <summary>What the peer may make us hold or work on.</summary>
    public TlsLimits Limits { get; init; } = TlsLimits.Default;

    /// <summary>Gets lines for SSLKEYLOGFILE, or null: nothing is logged.</summary>
    public Action<string>? KeyLog { get; init; }

    protected static IReadOnlyList<T> Subset<T>(IReadOnlyList<T> values, IReadOnlyList<T> of, string name) =>
        values.Count > 0 && values.Distinct().Count() == values.Count && values.All(of.Contains)
            ? values
            : throw new ArgumentException($"At least one of {string.Join(", ", of)}, each once.", name);
}

/// <summary>Settings of a client.</summary>
internal sealed record TlsClientOptions : TlsOptions
{
    /// <summary>The certificate we show when the server asks for one, or null: an empty one.</summary>
    public TlsIdentity? Identity { get; init; }

    /// <summary>The host name that is dialled (server_name); an IP address or null sends none.</summary>
    /// <exception cref="ArgumentException">Not a host name in ASCII form.</exception>
    public string? ServerName
    {
        get;
        init
        {
            NormalizedServerName = ServerNameExtension.Normalize(value);
            field = value;
        }
    }

    /// <summary>
    /// Groups that a share is sent of at once; null is the first of <see cref="TlsOptions.Groups"/> only: nearly every server takes P-256,
    /// and each share costs a key pair.
    /// </summary>
    public IReadOnlyList<NamedGroup>? KeyShareGroups
    {
        get;
        init => field = value is null ? null : Subset(value, NamedGroups.All, nameof(KeyShareGroups));
    }

    internal string? NormalizedServerName { get; private init; }
}

/// <summary>Whether a server asks who its client is.</summary>
internal enum ClientCertificateMode
{
    /// <summary>It does not ask.</summary>
    None,

    /// <summary>It asks, and goes on with a client that shows nothing.</summary>
    Optional,

    /// <summary>A client that shows nothing is refused (certificate_required).</summary>
    Required,
}

/// <summary>Settings of a server.</summary>
internal sealed record TlsServerOptions : TlsOptions
{
    /// <summary>Our certificate.</summary>
    public required TlsIdentity Identity { get; init; }

    /// <summary>Required unless said otherwise: between nodes both sides prove their key.</summary>
    public ClientCertificateMode ClientCertificate { get; init; } = ClientCertificateMode.Required;

    /// <summary>
    /// When not empty, every first ClientHello gets a HelloRetryRequest with this cookie and the second must give it back (RFC 8446
    /// section 4.2.2). QUIC's own Retry does this better (no handshake state); it is here because the standard's servers may.
    /// </summary>
    public ReadOnlyMemory<byte> RetryCookie { get; init; }
}
