using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Gimlet.Quic.Tests.Tls.Interop;

/// <summary>
/// What GnuTLS 3.7 offers to QUIC implementations: handshake messages and secrets without records. The library is on every Debian (its
/// package manager uses it).
/// </summary>
internal static unsafe partial class GnuTls
{
    public const int Server = 1;
    public const int Client = 1 << 1;
    public const int NonBlock = 1 << 3;
    public const int NoTickets = 1 << 10;
    public const int KeyShareTop = 1 << 11;
    public const int CredentialsCertificate = 1;
    public const int CertificateRequest = 1;
    public const int CertificateRequire = 2;
    public const int FormatPem = 1;
    public const int NameDns = 1;
    public const int ParseTls = 2;
    public const int ChangeCipherSpec = 254;
    public const int Again = -28;
    public const int Interrupted = -52;

    // client hello, encrypted extensions, TLS.
    public const uint TransportParametersFlags = (1 << 1) | (1 << 4) | (1 << 7);

    private const string Library = "libgnutls.so.30";

    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Library, out _);

    [LibraryImport(Library, EntryPoint = "gnutls_init")]
    public static partial int Init(out nint session, uint flags);

    [LibraryImport(Library, EntryPoint = "gnutls_deinit")]
    public static partial void Deinit(nint session);

    [LibraryImport(Library, EntryPoint = "gnutls_session_set_ptr")]
    public static partial void SetPointer(nint session, nint pointer);

    [LibraryImport(Library, EntryPoint = "gnutls_session_get_ptr")]
    public static partial nint GetPointer(nint session);

    [LibraryImport(Library, EntryPoint = "gnutls_priority_set_direct", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetPriority(nint session, string priorities, nint errorPosition);

    [LibraryImport(Library, EntryPoint = "gnutls_certificate_allocate_credentials")]
    public static partial int AllocateCredentials(out nint credentials);

    [LibraryImport(Library, EntryPoint = "gnutls_certificate_free_credentials")]
    public static partial void FreeCredentials(nint credentials);

    [LibraryImport(Library, EntryPoint = "gnutls_certificate_set_x509_key_mem")]
    public static partial int SetKey(nint credentials, in Datum certificate, in Datum key, int format);

    [LibraryImport(Library, EntryPoint = "gnutls_credentials_set")]
    public static partial int SetCredentials(nint session, int type, nint credentials);

    [LibraryImport(Library, EntryPoint = "gnutls_certificate_server_set_request")]
    public static partial void SetRequest(nint session, int request);

    [LibraryImport(Library, EntryPoint = "gnutls_certificate_get_peers")]
    public static partial Datum* GetPeers(nint session, out uint count);

    [LibraryImport(Library, EntryPoint = "gnutls_alpn_set_protocols")]
    public static partial int SetProtocols(nint session, in Datum protocols, uint count, uint flags);

    [LibraryImport(Library, EntryPoint = "gnutls_alpn_get_selected_protocol")]
    public static partial int GetProtocol(nint session, out Datum protocol);

    [LibraryImport(Library, EntryPoint = "gnutls_server_name_set")]
    public static partial int SetServerName(nint session, int type, byte* name, nuint length);

    [LibraryImport(Library, EntryPoint = "gnutls_handshake")]
    public static partial int Handshake(nint session);

    [LibraryImport(Library, EntryPoint = "gnutls_handshake_write")]
    public static partial int Write(nint session, int level, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "gnutls_handshake_set_read_function")]
    public static partial void SetReadFunction(nint session, delegate* unmanaged[Cdecl]<nint, int, int, byte*, nuint, int> function);

    [LibraryImport(Library, EntryPoint = "gnutls_handshake_set_secret_function")]
    public static partial void SetSecretFunction(nint session, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, nuint, int> function);

    [LibraryImport(Library, EntryPoint = "gnutls_alert_set_read_function")]
    public static partial void SetAlertFunction(nint session, delegate* unmanaged[Cdecl]<nint, int, int, int, int> function);

    [LibraryImport(Library, EntryPoint = "gnutls_transport_set_pull_function")]
    public static partial void SetPullFunction(nint session, delegate* unmanaged[Cdecl]<nint, byte*, nuint, nint> function);

    [LibraryImport(Library, EntryPoint = "gnutls_transport_set_ptr")]
    public static partial void SetTransportPointer(nint session, nint pointer);

    [LibraryImport(Library, EntryPoint = "gnutls_transport_set_errno")]
    public static partial void SetErrno(nint session, int error);

    [LibraryImport(Library, EntryPoint = "gnutls_session_ext_register", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RegisterExtension(
        nint session,
        string name,
        int type,
        int parsePoint,
        delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> receive,
        delegate* unmanaged[Cdecl]<nint, nint, int> send,
        nint deinit,
        nint pack,
        nint unpack,
        uint flags);

    [LibraryImport(Library, EntryPoint = "gnutls_buffer_append_data")]
    public static partial int Append(nint buffer, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "gnutls_strerror")]
    public static partial nint ErrorText(int error);

    /// <summary>gnutls_datum_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Datum
    {
        public byte* Data;
        public uint Length;
    }
}
