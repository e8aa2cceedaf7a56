using System.Reflection;
using System.Runtime.InteropServices;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>
/// Finds the platform's libcrypto: the one that the base class library uses too. Linux only: elsewhere the platform's own cryptography is
/// another one, and a libcrypto that happens to lie about is nobody's choice.
/// </summary>
internal static class LibCryptoLibrary
{
    // OpenSSL 3 first; 1.1 on older distributions. Other versions have other functions.
    private static readonly string[] Names = ["libcrypto.so.3", "libcrypto.so.1.1"];

    private static readonly Lazy<nint> Handle = new(Find);

    /// <summary>Whether the library is there.</summary>
    public static bool IsFound => Handle.Value != 0;

    /// <summary>
    /// Whether it has the functions of OpenSSL 3 that elliptic curves need. Those of version 1.1 are others, and its years are over: there the
    /// base class library's curves are good enough.
    /// </summary>
    public static bool HasCurves => IsFound && NativeLibrary.TryGetExport(Handle.Value, "EVP_PKEY_derive_set_peer_ex", out _);

    /// <summary>What the library says of itself, "OpenSSL 3.0.19 27 Jan 2026".</summary>
    public static string Version => Marshal.PtrToStringUTF8(NativeMethods.Version(0)) ?? string.Empty;

    private static nint Find()
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        nint handle = 0;
        foreach (string name in Names)
        {
            if (NativeLibrary.TryLoad(name, out handle))
            {
                // Once per assembly: nothing else here has native imports.
                NativeLibrary.SetDllImportResolver(typeof(LibCryptoLibrary).Assembly, Resolve);
                break;
            }
        }

        return handle;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) =>
        string.Equals(name, NativeMethods.Library, StringComparison.Ordinal) ? Handle.Value : 0;
}
