using System.Security.Cryptography;
using Gimlet.Identity;

namespace Gimlet;

/// <summary>A node's P-256 key pair and the id it proves. Thread-safe; dispose it after the nodes that use it.</summary>
public sealed class NodeIdentity : IDisposable
{
    private readonly ECDsa _key;
    private readonly Lock _gate = new();

    private NodeIdentity(ECDsa key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        if (!P256.IsSubjectPublicKeyInfo(PublicKey.Span))
        {
            throw new CryptographicException("The key is not a P-256 key with an uncompressed public point.");
        }

        Id = PeerId.FromPublicKey(PublicKey.Span);
    }

    /// <summary>The id: the hash of <see cref="PublicKey"/>.</summary>
    public PeerId Id { get; }

    /// <summary>The public key as SubjectPublicKeyInfo, 91 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new key that lives in memory only.</summary>
    public static NodeIdentity Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Takes a private key in PEM form ("BEGIN PRIVATE KEY", PKCS #8).</summary>
    /// <param name="pem">The text.</param>
    /// <exception cref="CryptographicException">The text holds no P-256 private key.</exception>
    public static NodeIdentity FromPem(ReadOnlySpan<char> pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);

            // A public key in PEM form imports as well; it would fail at the first signature, long after the start.
            CryptographicOperations.ZeroMemory(key.ExportParameters(includePrivateParameters: true).D);
            return new NodeIdentity(key);
        }
        catch (ArgumentException e)
        {
            key.Dispose();
            throw new CryptographicException("The text holds no private key in PEM form.", e);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The private key in PEM form. Whoever reads it is this node.</summary>
    public string ExportPem()
    {
        lock (_gate)
        {
            return _key.ExportPkcs8PrivateKeyPem();
        }
    }

    /// <summary>Signs with SHA-256, in IEEE P1363 form (64 bytes).</summary>
    /// <param name="data">What is signed.</param>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            return _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>The key once more, for a user that signs beside this one.</summary>
    internal ECDsa CloneKey()
    {
        ECParameters parameters;
        lock (_gate)
        {
            parameters = _key.ExportParameters(includePrivateParameters: true);
        }

        try
        {
            return ECDsa.Create(parameters);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }

    /// <summary>A secret that only this key's owner has, the same in every process.</summary>
    internal byte[] DeriveSecret(string purpose, int length)
    {
        ECParameters parameters;
        lock (_gate)
        {
            parameters = _key.ExportParameters(includePrivateParameters: true);
        }

        try
        {
            return HKDF.DeriveKey(HashAlgorithmName.SHA256, parameters.D!, length, salt: null, System.Text.Encoding.ASCII.GetBytes(purpose));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }
}
