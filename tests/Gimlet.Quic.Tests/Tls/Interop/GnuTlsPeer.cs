using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls.Interop;

/// <summary>One side of a handshake, spoken by GnuTLS, in the shape of our own: bytes in, bytes and secrets out.</summary>
internal sealed unsafe class GnuTlsPeer : IDisposable
{
    private const int TryAgain = 11;

    private readonly nint _session;
    private readonly nint _credentials;
    private readonly byte[] _parameters;
    private GCHandle _self;

    public GnuTlsPeer(Settings settings)
    {
        _parameters = settings.TransportParameters;
        _self = GCHandle.Alloc(this);
        nint self = GCHandle.ToIntPtr(_self);
        int role = settings.IsServer ? GnuTls.Server : GnuTls.Client;
        Check(GnuTls.Init(out _session, (uint)(role | GnuTls.NonBlock | GnuTls.NoTickets | GnuTls.KeyShareTop)));
        GnuTls.SetPointer(_session, self);
        Check(GnuTls.SetPriority(_session, settings.Priorities, 0));
        Check(GnuTls.AllocateCredentials(out _credentials));
        if (settings.CertificatePem is { } certificate)
        {
            SetKey(certificate, settings.KeyPem!);
        }

        Check(GnuTls.SetCredentials(_session, GnuTls.CredentialsCertificate, _credentials));
        if (settings.RequestsCertificate)
        {
            GnuTls.SetRequest(_session, GnuTls.CertificateRequire);
        }

        byte[] protocol = Encoding.ASCII.GetBytes(settings.Protocol);
        fixed (byte* bytes = protocol)
        {
            Check(GnuTls.SetProtocols(_session, new GnuTls.Datum { Data = bytes, Length = (uint)protocol.Length }, 1, 0));
        }

        if (settings.ServerName is { } name)
        {
            byte[] host = Encoding.ASCII.GetBytes(name);
            fixed (byte* bytes = host)
            {
                Check(GnuTls.SetServerName(_session, GnuTls.NameDns, bytes, (nuint)host.Length));
            }
        }

        Check(GnuTls.RegisterExtension(
            _session,
            "quic_transport_parameters",
            57,
            GnuTls.ParseTls,
            &OnExtension,
            &OnExtensionWanted,
            0,
            0,
            0,
            GnuTls.TransportParametersFlags));
        GnuTls.SetReadFunction(_session, &OnMessage);
        GnuTls.SetSecretFunction(_session, &OnSecrets);
        GnuTls.SetAlertFunction(_session, &OnAlert);
        GnuTls.SetTransportPointer(_session, _session);
        GnuTls.SetPullFunction(_session, &OnPull);
    }

    public Queue<(EncryptionLevel Level, byte[] Bytes)> Outgoing { get; } = [];

    public Dictionary<(EncryptionLevel Level, SecretDirection Direction), byte[]> Secrets { get; } = [];

    public byte[]? PeerTransportParameters { get; private set; }

    public bool IsComplete { get; private set; }

    /// <summary>What GnuTLS says went wrong, or null.</summary>
    public string? Error { get; private set; }

    public string Protocol => GnuTls.GetProtocol(_session, out GnuTls.Datum protocol) == 0
        ? Encoding.ASCII.GetString(protocol.Data, (int)protocol.Length)
        : string.Empty;

    public byte[]? PeerCertificate
    {
        get
        {
            GnuTls.Datum* peers = GnuTls.GetPeers(_session, out uint count);
            return count == 0 ? null : new ReadOnlySpan<byte>(peers[0].Data, (int)peers[0].Length).ToArray();
        }
    }

    public void Handle(EncryptionLevel level, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            int result = GnuTls.Write(_session, ToNative(level), data, (nuint)bytes.Length);
            if (result < 0)
            {
                Error ??= Text(result);
            }
        }

        Advance();
    }

    public void Advance()
    {
        if (IsComplete || Error is not null)
        {
            return;
        }

        int result = GnuTls.Handshake(_session);
        IsComplete = result == 0;
        if (result is < 0 and not GnuTls.Again and not GnuTls.Interrupted)
        {
            Error = Text(result);
        }
    }

    public void Dispose()
    {
        GnuTls.Deinit(_session);
        GnuTls.FreeCredentials(_credentials);
        _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnMessage(nint session, int level, int type, byte* data, nuint length)
    {
        // The compatibility mode of TLS over TCP; QUIC has none.
        if (type != GnuTls.ChangeCipherSpec)
        {
            Of(session).Outgoing.Enqueue((FromNative(level), new ReadOnlySpan<byte>(data, (int)length).ToArray()));
        }

        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnSecrets(nint session, int level, byte* read, byte* write, nuint length)
    {
        GnuTlsPeer peer = Of(session);
        if (read is not null)
        {
            peer.Secrets[(FromNative(level), SecretDirection.Read)] = new ReadOnlySpan<byte>(read, (int)length).ToArray();
        }

        if (write is not null)
        {
            peer.Secrets[(FromNative(level), SecretDirection.Write)] = new ReadOnlySpan<byte>(write, (int)length).ToArray();
        }

        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnAlert(nint session, int level, int alertLevel, int alert)
    {
        // Without this it would try to send a record; what went wrong shows in the result of gnutls_handshake.
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint OnPull(nint session, byte* data, nuint length)
    {
        GnuTls.SetErrno(session, TryAgain);
        return -1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnExtension(nint session, byte* data, nuint length)
    {
        Of(session).PeerTransportParameters = new ReadOnlySpan<byte>(data, (int)length).ToArray();
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnExtensionWanted(nint session, nint buffer)
    {
        fixed (byte* data = Of(session)._parameters)
        {
            return GnuTls.Append(buffer, data, (nuint)Of(session)._parameters.Length);
        }
    }

    private static GnuTlsPeer Of(nint session) => (GnuTlsPeer)GCHandle.FromIntPtr(GnuTls.GetPointer(session)).Target!;

    // GNUTLS_ENCRYPTION_LEVEL_INITIAL, EARLY, HANDSHAKE, APPLICATION.
    private static int ToNative(EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => 0,
        EncryptionLevel.Handshake => 2,
        _ => 3,
    };

    private static EncryptionLevel FromNative(int level) => level switch
    {
        0 => EncryptionLevel.Initial,
        2 => EncryptionLevel.Handshake,
        _ => EncryptionLevel.OneRtt,
    };

    private static string Text(int error) => Marshal.PtrToStringUTF8(GnuTls.ErrorText(error)) ?? $"{error}";

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new InvalidOperationException(Text(result));
        }
    }

    private void SetKey(string certificatePem, string keyPem)
    {
        byte[] certificate = Encoding.ASCII.GetBytes(certificatePem);
        byte[] key = Encoding.ASCII.GetBytes(keyPem);
        fixed (byte* certificateBytes = certificate)
        fixed (byte* keyBytes = key)
        {
            Check(GnuTls.SetKey(
                _credentials,
                new GnuTls.Datum { Data = certificateBytes, Length = (uint)certificate.Length },
                new GnuTls.Datum { Data = keyBytes, Length = (uint)key.Length },
                GnuTls.FormatPem));
        }
    }

    /// <summary>How this side behaves.</summary>
    internal sealed record Settings
    {
        public required bool IsServer { get; init; }

        /// <summary>A priority string without groups and ciphers of others.</summary>
        public required string Priorities { get; init; }

        public required byte[] TransportParameters { get; init; }

        public string Protocol { get; init; } = "gimlet";

        public string? CertificatePem { get; init; }

        public string? KeyPem { get; init; }

        public bool RequestsCertificate { get; init; }

        public string? ServerName { get; init; }
    }
}
