using System.Net.Security;
using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// The suites we speak. RFC 8446 section 9.1 makes TLS_AES_128_GCM_SHA256 mandatory; with hardware AES it is also the fastest that the
/// platform has, so it comes first.
/// </summary>
internal static class CipherSuites
{
    /// <summary>The longest hash of any suite, for buffers on the stack.</summary>
    public const int MaxHashLength = 48;

    /// <summary>Both, in our order of preference.</summary>
    public static IReadOnlyList<TlsCipherSuite> All { get; } =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384];

    /// <summary>The hash of a suite's key schedule.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not one of <see cref="All"/>.</exception>
    public static HashAlgorithmName Hash(this TlsCipherSuite suite) => suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => HashAlgorithmName.SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => HashAlgorithmName.SHA384,
        _ => throw new ArgumentOutOfRangeException(nameof(suite), suite, "Only the suites of AES-GCM are spoken."),
    };

    /// <summary>Bytes of the hash, which is the length of every secret.</summary>
    public static int HashLength(this TlsCipherSuite suite) => suite.Hash() == HashAlgorithmName.SHA384 ? 48 : 32;
}
