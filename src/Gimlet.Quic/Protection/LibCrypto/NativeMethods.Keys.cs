using System.Runtime.InteropServices;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <content>The functions of OpenSSL 3 that elliptic curves need. All that return an int return 1 for success, and 0 or less for failure.</content>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "EVP_PKEY_CTX_new_from_name", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial KeyContext NewKeyContext(nint libraryContext, string algorithm, nint properties);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_CTX_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial KeyContext NewKeyContext(KeyHandle key, nint engine);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_CTX_free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void FreeKeyContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_paramgen_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int BeginParameters(KeyContext context);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_CTX_set_group_name", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetGroup(KeyContext context, string name);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_paramgen")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MakeParameters(KeyContext context, nint* key);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_keygen_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int BeginKey(KeyContext context);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_keygen")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MakeKey(KeyContext context, nint* key);

    /// <summary>Reads a PrivateKeyInfo.</summary>
    [LibraryImport(Library, EntryPoint = "d2i_AutoPrivateKey")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial KeyHandle ReadPrivateKey(nint target, byte** bytes, CLong length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial KeyHandle CopyKey(KeyHandle key);

    /// <summary>Wipes a private key as well.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_PKEY_free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void FreeKey(nint key);

    /// <summary>1 when both have the same curve.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_PKEY_parameters_eq")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int HaveEqualParameters(KeyHandle left, KeyHandle right);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_get_octet_string_param")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int GetBytes(KeyHandle key, byte* name, byte* output, nuint capacity, nuint* length);

    /// <summary>Fails for what is no point of the curve.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_PKEY_set1_encoded_public_key")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetPoint(KeyHandle key, byte* point, nuint length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_derive_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int BeginAgreement(KeyContext context);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_derive_set_peer_ex")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetPeer(KeyContext context, KeyHandle peer, int validate);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_derive")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Agree(KeyContext context, byte* secret, nuint* length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_verify_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int BeginVerification(KeyContext context);

    /// <summary>1 for a good signature, 0 or less for a bad one or a failure.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_PKEY_verify")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Verify(KeyContext context, byte* signature, nuint signatureLength, byte* hash, nuint hashLength);
}
