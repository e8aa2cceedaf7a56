using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gimlet.Server;

/// <summary>How a <see cref="GimletServer"/> listens, beyond what every Gimlet server has.</summary>
public sealed record GimletServerOptions : GimletOptions
{
    /// <summary>
    /// Where to listen for HTTP; null for nowhere. By default port 8080 of every address: it needs no privileges, and is what hosting
    /// platforms expect. Port 0 takes a free one.
    /// </summary>
    public IPEndPoint? Http { get; init; } = new(IPAddress.IPv6Any, 8080);

    /// <summary>Where to listen for HTTPS, with <see cref="CertificateFile"/>; null for nowhere.</summary>
    public IPEndPoint? Https { get; init; }

    /// <summary>The certificate for <see cref="Https"/> in PEM form, followed by its intermediates; read again when it changes.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The certificate's private key in PEM form; read again when it changes.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>The rendezvous for workers of any language, beside that of the nodes; null for none.</summary>
    public GimletWorkersOptions? Workers { get; init; }

    /// <summary>Where log lines go; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(LoggerFactory);
        Workers?.Validate();
        if (Http is null && Https is null)
        {
            throw new ArgumentException("Neither Http nor Https is set; give at least one address to listen on.");
        }

        if (Https is not null && (string.IsNullOrEmpty(CertificateFile) || string.IsNullOrEmpty(CertificateKeyFile)))
        {
            throw new ArgumentException($"Https is {Https}, and there is no {(string.IsNullOrEmpty(CertificateFile) ? nameof(CertificateFile) : nameof(CertificateKeyFile))}; HTTPS needs both files.");
        }

        if (Https is null && (CertificateFile is not null || CertificateKeyFile is not null))
        {
            throw new ArgumentException("There is a certificate, and no Https address to use it on.");
        }

        if (Http is not null && Https is not null && Http.Port != 0 && Http.Equals(Https))
        {
            throw new ArgumentException($"Http and Https are both {Http}; they need two ports.");
        }
    }
}
