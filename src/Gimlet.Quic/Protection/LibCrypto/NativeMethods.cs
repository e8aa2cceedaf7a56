using System.Runtime.InteropServices;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>
/// The functions of OpenSSL's libcrypto. This file: those that packet protection needs, the same in versions 1.1 and 3. All return 1 for success.
/// </summary>
internal static unsafe partial class NativeMethods
{
    /// <summary>Stands for the library that <see cref="LibCryptoLibrary"/> finds.</summary>
    internal const string Library = "libcrypto";

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint NewContext();

    /// <summary>Wipes the keys as well.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_CipherInit_ex")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Initialize(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);

    [LibraryImport(Library, EntryPoint = "EVP_CipherUpdate")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Update(nint context, byte* output, int* written, byte* input, int length);

    [LibraryImport(Library, EntryPoint = "EVP_CipherFinal_ex")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Complete(nint context, byte* output, int* written);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_ctrl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Control(nint context, int type, int argument, byte* pointer);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_set_padding")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetPadding(nint context, int padding);

    [LibraryImport(Library, EntryPoint = "EVP_aes_128_gcm")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Aes128Gcm();

    [LibraryImport(Library, EntryPoint = "EVP_aes_256_gcm")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Aes256Gcm();

    [LibraryImport(Library, EntryPoint = "EVP_aes_128_ecb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Aes128Ecb();

    [LibraryImport(Library, EntryPoint = "EVP_aes_256_ecb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Aes256Ecb();

    [LibraryImport(Library, EntryPoint = "ERR_clear_error")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void ClearErrors();

    [LibraryImport(Library, EntryPoint = "OpenSSL_version")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Version(int type);
}
