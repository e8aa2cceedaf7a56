using System.Net.Security;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tls;

/// <summary>
/// One side of a TLS 1.3 handshake as QUIC uses it (RFC 8446, RFC 9001 section 4): handshake bytes in, events out. Owns no socket, no
/// packet, no clock. <see cref="Handle"/> takes bytes, then <see cref="TryPoll"/> is called until it is false. Not thread-safe.
/// </summary>
internal abstract class TlsEndpoint : IDisposable
{
    private readonly Queue<TlsEvent> _events = [];
    private readonly HandshakeBuffer _input = new();
    private readonly bool _isServer;
    private readonly TlsOptions _options;
    private bool _disposed;

    private protected TlsEndpoint(TlsOptions options, bool isServer, string? serverName)
    {
        _options = options;
        _isServer = isServer;
        Proof = new PeerProof(options, peerIsServer: !isServer, serverName);
        KeyLog = new KeyLog(options.KeyLog);
    }

    /// <summary>Why the handshake failed, or null.</summary>
    public TlsError? Error { get; private set; }

    /// <summary>RFC 9001 section 4.1.1: "the TLS handshake is considered complete when the TLS stack has reported that".</summary>
    public bool IsComplete { get; private set; }

    /// <summary>RFC 9001 section 4.1.2: at the server with completion, at the client when HANDSHAKE_DONE comes.</summary>
    public bool IsConfirmed { get; private set; }

    /// <summary>The level that bytes are taken from now.</summary>
    public EncryptionLevel ReadLevel { get; private protected set; }

    /// <summary>The peer's quic_transport_parameters; authenticated once <see cref="IsComplete"/>.</summary>
    public ReadOnlyMemory<byte> PeerTransportParameters { get; private set; }

    /// <summary>The protocol both agreed on.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; private set; }

    /// <summary>The accepted certificate of the peer; null before, and for a client that showed none.</summary>
    public PeerCertificate? Peer => Proof.Accepted;

    /// <summary>The suite both agreed on, or null before.</summary>
    public TlsCipherSuite? Suite { get; private set; }

    private protected Transcript Transcript { get; } = new();

    private protected PeerProof Proof { get; }

    private protected KeyLog KeyLog { get; }

    private protected HandshakeKeys? Keys { get; private set; }

    /// <summary>The client's random, the name of the handshake in a key log.</summary>
    private protected byte[] ClientRandom { get; set; } = [];

    /// <summary>Takes bytes of CRYPTO frames, in order, in pieces of any size.</summary>
    /// <param name="level">The level of the packets they came in.</param>
    /// <param name="bytes">Copied when they are kept.</param>
    public void Handle(EncryptionLevel level, ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Error is not null || bytes.IsEmpty)
        {
            return;
        }

        // RFC 9001 section 4.1.3: "If the packet is from a previously installed encryption level, it MUST NOT contain data that extends
        // past the end of previously received data in that flow. Implementations MUST treat any violations of this requirement as a
        // connection error of type PROTOCOL_VIOLATION." Bytes of a later level are the caller's to keep until we are there.
        if (level != ReadLevel)
        {
            Fail(TlsError.ProtocolViolation($"handshake bytes at {level} while {ReadLevel} is read"));
            return;
        }

        _input.Append(bytes);
        if (ProcessMessages() is { } error)
        {
            Fail(error);
        }

        _input.ReleaseIfEmpty();
    }

    /// <summary>Takes the next event.</summary>
    public bool TryPoll(out TlsEvent next)
    {
        if (_events.TryDequeue(out next))
        {
            return true;
        }

        // Hardly anything comes after the handshake, and a connection may be idle for hours.
        if (IsComplete)
        {
            _events.TrimExcess();
        }

        return false;
    }

    /// <summary>Wipes every secret, also those in events that nobody took.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Release();
            while (_events.TryDequeue(out TlsEvent forgotten))
            {
                forgotten.Secret?.Dispose();
            }
        }
    }

    /// <summary>Whether a message may come now.</summary>
    private protected abstract bool Expects(HandshakeType type);

    /// <summary>Handles an expected message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="message">With its header, for the transcript.</param>
    private protected abstract TlsError? Process(HandshakeType type, ReadOnlySpan<byte> message);

    /// <summary>Why a message may not come now.</summary>
    private protected virtual TlsError Unexpected(HandshakeType type) => type == HandshakeType.KeyUpdate

        // RFC 9001 section 6: "Endpoints MUST treat the receipt of a TLS KeyUpdate message as a connection error of type 0x010a".
        ? TlsAlert.UnexpectedMessage.Because("a KeyUpdate message: QUIC has its own key update")
        : TlsAlert.UnexpectedMessage.Because($"a message of type {(byte)type} that may not come now");

    private protected static ReadOnlySpan<byte> BodyOf(ReadOnlySpan<byte> message) => message[HandshakeBuffer.HeaderLength..];

    private protected void Raise(TlsEventKind kind) => _events.Enqueue(new TlsEvent(kind));

    private protected void Send(EncryptionLevel level, TlsWriter writer) =>
        _events.Enqueue(new TlsEvent(TlsEventKind.Send, level, writer.Written));

    private protected void TellTransportParameters(ReadOnlySpan<byte> parameters)
    {
        PeerTransportParameters = parameters.ToArray();
        _events.Enqueue(new TlsEvent(TlsEventKind.TransportParameters, Data: PeerTransportParameters));
    }

    private protected void TellProtocol(SslApplicationProtocol protocol)
    {
        ApplicationProtocol = protocol;
        Raise(TlsEventKind.ApplicationProtocol);
    }

    private protected void TellSecret(EncryptionLevel level, SecretDirection direction, byte[] secret) =>
        _events.Enqueue(new TlsEvent(TlsEventKind.Secret, level, Secret: new TlsSecret(level, direction, Keys!.Suite, secret)));

    /// <summary>The hellos are exchanged: derives and tells the handshake secrets, and reads at that level from now on.</summary>
    private protected void EnterHandshake(TlsCipherSuite suite, ReadOnlySpan<byte> shared)
    {
        Suite = suite;
        Keys = new HandshakeKeys(suite);
        Keys.EnterHandshake(shared, Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]));
        KeyLog.Write(KeyLog.ClientHandshake, ClientRandom, Keys.ClientHandshake);
        KeyLog.Write(KeyLog.ServerHandshake, ClientRandom, Keys.ServerHandshake);
        TellSecret(EncryptionLevel.Handshake, SecretDirection.Write, _isServer ? Keys.ServerHandshake : Keys.ClientHandshake);
        TellSecret(EncryptionLevel.Handshake, SecretDirection.Read, _isServer ? Keys.ClientHandshake : Keys.ServerHandshake);
        ReadLevel = EncryptionLevel.Handshake;
    }

    /// <summary>The server's Finished is the last message in the transcript.</summary>
    private protected void DeriveApplicationSecrets()
    {
        Keys!.EnterApplication(Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]));
        KeyLog.Write(KeyLog.ClientTraffic, ClientRandom, Keys.ClientApplication);
        KeyLog.Write(KeyLog.ServerTraffic, ClientRandom, Keys.ServerApplication);
    }

    /// <summary>Both Finished are there: nothing of the handshake is needed any more.</summary>
    private protected void Complete()
    {
        IsComplete = true;
        ReadLevel = EncryptionLevel.OneRtt;
        Raise(TlsEventKind.Complete);
        Release();
    }

    private protected void SetConfirmed()
    {
        IsConfirmed = true;
        Raise(TlsEventKind.Confirmed);
    }

    private protected TlsError? CheckFinished(ReadOnlySpan<byte> message) => FinishedMessage.Check(
        BodyOf(message),
        Keys!.Suite,
        _isServer ? Keys.ClientHandshake : Keys.ServerHandshake,
        Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]));

    private protected TlsError? CheckCertificateVerify(ReadOnlySpan<byte> message) =>
        Proof.TakeVerify(BodyOf(message), Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]));

    /// <summary>Appends Certificate and, unless it is empty, CertificateVerify to a flight.</summary>
    private protected void WriteCertificate(TlsWriter writer, TlsIdentity? identity)
    {
        int start = writer.Length;
        CertificateMessage.Write(writer, identity);
        AddToTranscript(writer, start);
        if (identity is not null)
        {
            start = writer.Length;
            ReadOnlySpan<byte> hash = Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]);
            CertificateVerifyMessage.Write(writer, identity.Scheme, identity.Sign(HandshakeSignature.Content(_isServer, hash)));
            AddToTranscript(writer, start);
        }
    }

    /// <summary>Appends our Finished to a flight.</summary>
    private protected void WriteFinished(TlsWriter writer)
    {
        int start = writer.Length;
        FinishedMessage.Write(
            writer,
            Keys!.Suite,
            _isServer ? Keys.ServerHandshake : Keys.ClientHandshake,
            Transcript.Current(stackalloc byte[CipherSuites.MaxHashLength]));
        AddToTranscript(writer, start);
    }

    /// <summary>Adds what a flight got since <paramref name="start"/>.</summary>
    private protected void AddToTranscript(TlsWriter writer, int start) => Transcript.Add(writer.Written.Span[start..]);

    /// <summary>Releases what only the handshake needs.</summary>
    private protected virtual void Release()
    {
        Keys?.Dispose();
        Transcript.Dispose();
        Proof.Dispose();
    }

    private TlsError? ProcessMessages()
    {
        while (_input.TryPeek(out HandshakeType type, out int length))
        {
            // Before the body is here: a peer gets nothing held that would be refused anyway.
            if (!Expects(type))
            {
                return Unexpected(type);
            }

            int limit = type == HandshakeType.Certificate ? _options.Limits.MaxCertificateMessageBytes : _options.Limits.MaxMessageBytes;
            if (length > limit)
            {
                return TlsError.CryptoBufferExceeded($"a message of type {(byte)type} with {length} bytes; the limit is {limit}");
            }

            if (!_input.TryTake(out ReadOnlySpan<byte> message))
            {
                return null;
            }

            EncryptionLevel before = ReadLevel;
            if (Process(type, message) is { } error)
            {
                return error;
            }

            // RFC 9001 section 4.1.3: "When TLS provides keys for a higher encryption level, if there is data from a previous encryption
            // level that TLS has not consumed, this MUST be treated as a connection error of type PROTOCOL_VIOLATION."
            if (ReadLevel != before && !_input.IsEmpty)
            {
                return TlsError.ProtocolViolation($"handshake bytes at {before} after the keys for {ReadLevel}");
            }
        }

        return null;
    }

    private void Fail(TlsError error)
    {
        Error = error;
        IsComplete = false;
        Raise(TlsEventKind.Failed);
        Release();
    }
}
