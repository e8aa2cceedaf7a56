using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gimlet.Server.Observability;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Hosting.Files;

/// <summary>A certificate with its chain and key in PEM files, kept current. New connections get the newest that could be read.</summary>
internal sealed class CertificateFiles
{
    private readonly string _certificatePath;
    private readonly WatchedFiles _files;
    private readonly ILogger _logger;
    private string? _problem;

    private CertificateFiles(string certificatePath, string keyPath, ILogger logger)
    {
        _certificatePath = certificatePath;
        _files = new WatchedFiles(certificatePath, keyPath);
        _logger = logger;
    }

    /// <summary>What a new TLS connection is given. Older ones are left to the collector: handshakes may still use them.</summary>
    public SslStreamCertificateContext Current
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    } = null!;

    /// <summary>Reads the files for the first time.</summary>
    /// <exception cref="ServerStartException">They cannot be used.</exception>
    public static async Task<CertificateFiles> OpenAsync(string certificatePath, string keyPath, ILogger logger, CancellationToken cancellationToken)
    {
        var files = new CertificateFiles(certificatePath, keyPath, logger);
        try
        {
            string[]? texts = await files._files.ReadIfChangedAsync(cancellationToken).ConfigureAwait(false);
            files.Current = Load(texts!);
            return files;
        }
        catch (Exception e) when (IsAboutTheFiles(e))
        {
            throw new ServerStartException(
                $"The certificate '{certificatePath}' with the key '{keyPath}' cannot be used: {e.Message}",
                "Both are PEM files; the certificate comes first in its file, then its intermediates.",
                e);
        }
    }

    /// <summary>Takes changed files over; true when there is a new certificate.</summary>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _files.ReadIfChangedAsync(cancellationToken).ConfigureAwait(false) is not { } texts)
            {
                return false;
            }

            SslStreamCertificateContext loaded = Load(texts);
            Current = loaded;
            _problem = null;
            ServerLog.CertificateRead(_logger, _certificatePath, loaded.TargetCertificate.Subject, loaded.TargetCertificate.NotAfter);
            return true;
        }
        catch (Exception e) when (IsAboutTheFiles(e))
        {
            if (_problem != e.Message)
            {
                _problem = e.Message;
                ServerLog.CertificateKept(_logger, _certificatePath, e.Message);
            }

            return false;
        }
    }

    private static SslStreamCertificateContext Load(string[] texts)
    {
#pragma warning disable CA2000 // the context keeps the certificate, and handshakes may still use it when a newer one has come
        X509Certificate2 certificate = X509Certificate2.CreateFromPem(texts[0], texts[1]);
        if (OperatingSystem.IsWindows())
        {
            // Windows' TLS does not take a key that lives only in this process; through PKCS #12 it does.
            using X509Certificate2 ephemeral = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
        }
#pragma warning restore CA2000

        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(texts[0]);
        if (chain.Count > 0)
        {
            chain.RemoveAt(0);
        }

        // Offline: a server must not fetch what a certificate's file names in order to start.
        return SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    private static bool IsAboutTheFiles(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;
}
