using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tls;

/// <summary>The client's side (RFC 8446 appendix A.1). <see cref="Start"/> comes first and once.</summary>
internal sealed class TlsClient : TlsEndpoint
{
    private readonly TlsClientOptions _options;
    private readonly Action<Span<byte>> _random;
    private readonly ExtensionType[] _requested;
    private List<EphemeralKey> _shares = [];
    private State _state;
    private bool _retried;
    private TlsCipherSuite _retriedSuite;
    private bool _certificateRequested;
    private TlsIdentity? _shownIdentity;

    /// <summary>Makes a client that has not spoken yet.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="random">Fills a span with random bytes; keys come from the platform.</param>
    /// <exception cref="ArgumentException">A share is to be sent of a group that is not offered.</exception>
    public TlsClient(TlsClientOptions options, Action<Span<byte>> random)
        : base(options, isServer: false, options.NormalizedServerName)
    {
        if (options.KeyShareGroups?.Except(options.Groups).Any() == true)
        {
            throw new ArgumentException("KeyShareGroups must be among Groups.", nameof(options));
        }

        _options = options;
        _random = random;
        _requested = ClientHelloWriter.Requested(options);
    }

    private enum State
    {
        Start,
        ServerHello,
        EncryptedExtensions,
        CertificateOrRequest,
        Certificate,
        CertificateVerify,
        Finished,
        Complete,
    }

    /// <summary>Sends the ClientHello.</summary>
    /// <exception cref="InvalidOperationException">Called twice.</exception>
    public void Start()
    {
        if (_state != State.Start)
        {
            throw new InvalidOperationException("The handshake is already under way.");
        }

        ClientRandom = new byte[ClientHello.RandomLength];
        _random(ClientRandom);
        CreateShares(_options.KeyShareGroups ?? [_options.Groups[0]]);
        SendClientHello(cookie: []);
        _state = State.ServerHello;
    }

    /// <summary>HANDSHAKE_DONE came (RFC 9001 section 4.1.2). A second one changes nothing.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete, so the frame cannot have been read.</exception>
    public void Confirm()
    {
        if (!IsComplete)
        {
            throw new InvalidOperationException("The handshake is not complete.");
        }

        if (!IsConfirmed)
        {
            SetConfirmed();
        }
    }

    private protected override bool Expects(HandshakeType type) => _state switch
    {
        State.ServerHello => type == HandshakeType.ServerHello,
        State.EncryptedExtensions => type == HandshakeType.EncryptedExtensions,
        State.CertificateOrRequest => type is HandshakeType.Certificate or HandshakeType.CertificateRequest,
        State.Certificate => type == HandshakeType.Certificate,
        State.CertificateVerify => type == HandshakeType.CertificateVerify,
        State.Finished => type == HandshakeType.Finished,
        State.Complete => type == HandshakeType.NewSessionTicket,
        _ => false,
    };

    // RFC 9001 section 4.4: "servers MUST NOT send post-handshake TLS CertificateRequest messages, and clients MUST treat receipt of such
    // messages as a connection error of type PROTOCOL_VIOLATION."
    private protected override TlsError Unexpected(HandshakeType type) =>
        _state == State.Complete && type == HandshakeType.CertificateRequest
            ? TlsError.ProtocolViolation("a CertificateRequest after the handshake")
            : base.Unexpected(type);

    private protected override TlsError? Process(HandshakeType type, ReadOnlySpan<byte> message) => type switch
    {
        HandshakeType.ServerHello => OnServerHello(message),
        HandshakeType.EncryptedExtensions => OnEncryptedExtensions(message),
        HandshakeType.CertificateRequest => OnCertificateRequest(message),
        HandshakeType.Certificate => OnCertificate(message),
        HandshakeType.CertificateVerify => OnCertificateVerify(message),
        HandshakeType.Finished => OnFinished(message),
        _ => NewSessionTicketMessage.Check(BodyOf(message), _options.Limits),
    };

    private protected override void Release()
    {
        base.Release();
        DisposeShares();
    }

    private TlsError? OnServerHello(ReadOnlySpan<byte> message)
    {
        if ((ServerHello.Parse(BodyOf(message), _options.Limits, out ServerHello hello)
            ?? ServerHelloCheck.Check(hello, _options, _requested)) is { } error)
        {
            return error;
        }

        if (hello.IsRetryRequest)
        {
            return OnRetryRequest(hello, message);
        }

        // RFC 8446 section 4.1.4: "clients MUST check that the cipher suite supplied in the ServerHello is the same as that in the
        // HelloRetryRequest and otherwise abort the handshake with an "illegal_parameter" alert."
        if (_retried && hello.CipherSuite != _retriedSuite)
        {
            return TlsAlert.IllegalParameter.Because("ServerHello has another suite than HelloRetryRequest");
        }

        if (!hello.Extensions.TryFind(ExtensionType.KeyShare, out ReadOnlySpan<byte> body))
        {
            return TlsAlert.MissingExtension.Because("ServerHello without key_share");
        }

        if (!KeyShareExtension.TryParseServerShare(body, out NamedGroup group, out ReadOnlySpan<byte> point))
        {
            return TlsAlert.DecodeError.Because("ServerHello's key_share is malformed");
        }

        // RFC 8446 section 4.2.8: the share "MUST be in the same group as the KeyShareEntry value offered by the client".
        Span<byte> shared = stackalloc byte[EllipticCurves.MaxFieldLength];
        EphemeralKey? own = _shares.Find(share => share.Group == group);
        shared = shared[..(own?.SharedLength ?? 0)];
        if (own is null || !own.TryAgree(point, shared))
        {
            return TlsAlert.IllegalParameter.Because("the server's share is of a group that we sent none of, or no point of its curve");
        }

        if (!_retried)
        {
            Transcript.Begin(hello.CipherSuite.Hash());
        }

        Transcript.Add(message);
        DisposeShares();
        EnterHandshake(hello.CipherSuite, shared);
        CryptographicOperations.ZeroMemory(shared);
        _state = State.EncryptedExtensions;
        return null;
    }

    private TlsError? OnRetryRequest(ServerHello hello, ReadOnlySpan<byte> message)
    {
        // RFC 8446 section 4.1.4: "If a client receives a second HelloRetryRequest in the same connection [...], it MUST abort the
        // handshake with an "unexpected_message" alert."
        if (_retried)
        {
            return TlsAlert.UnexpectedMessage.Because("a second HelloRetryRequest");
        }

        if (ServerHelloCheck.CheckRetry(hello, _options, _shares, out NamedGroup? group, out ReadOnlySpan<byte> cookie) is { } error)
        {
            return error;
        }

        _retried = true;
        _retriedSuite = hello.CipherSuite;
        Transcript.Begin(_retriedSuite.Hash());
        Transcript.ReplaceWithMessageHash();
        Transcript.Add(message);
        if (group is { } wanted)
        {
            DisposeShares();
            CreateShares([wanted]);
        }

        SendClientHello(cookie);
        return null;
    }

    private TlsError? OnEncryptedExtensions(ReadOnlySpan<byte> message)
    {
        TlsError? error;
        if ((error = EncryptedExtensions.Parse(BodyOf(message), _options.Limits, out ExtensionList extensions)) is not null
            || (error = ExtensionRules.CheckResponse(extensions, ExtensionPlace.EncryptedExtensions, _requested)) is not null
            || (error = EncryptedExtensions.CheckIgnored(extensions)) is not null
            || (error = EncryptedExtensions.ReadProtocol(
                extensions, _options.ApplicationProtocols, out SslApplicationProtocol protocol)) is not null)
        {
            return error;
        }

        // RFC 9001 section 8.2: "endpoints that receive ClientHello or EncryptedExtensions messages without the quic_transport_parameters
        // extension MUST close the connection with an error of type 0x016d (equivalent to a fatal TLS missing_extension alert)".
        if (!extensions.TryFind(ExtensionType.QuicTransportParameters, out ReadOnlySpan<byte> parameters))
        {
            return TlsAlert.MissingExtension.Because("EncryptedExtensions without quic_transport_parameters");
        }

        Transcript.Add(message);
        TellTransportParameters(parameters);
        TellProtocol(protocol);
        _state = State.CertificateOrRequest;
        return null;
    }

    private TlsError? OnCertificateRequest(ReadOnlySpan<byte> message)
    {
        if (CertificateRequestMessage.Parse(BodyOf(message), _options.Limits, out UInt16List schemes) is { } error)
        {
            return error;
        }

        // RFC 8446 section 4.4.2: a client without a suitable certificate "MUST send a Certificate message containing no certificates".
        _certificateRequested = true;
        _shownIdentity = _options.Identity is { } identity && schemes.Contains((ushort)identity.Scheme) ? identity : null;
        Transcript.Add(message);
        _state = State.Certificate;
        return null;
    }

    private TlsError? OnCertificate(ReadOnlySpan<byte> message)
    {
        if (Proof.TakeCertificate(BodyOf(message)) is { } error)
        {
            return error;
        }

        // RFC 8446 section 4.4.2.4: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a
        // "decode_error" alert."
        if (Proof.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("the server's Certificate is empty");
        }

        Transcript.Add(message);
        _state = State.CertificateVerify;
        return null;
    }

    private TlsError? OnCertificateVerify(ReadOnlySpan<byte> message)
    {
        if (CheckCertificateVerify(message) is { } error)
        {
            return error;
        }

        Transcript.Add(message);
        _state = State.Finished;
        return null;
    }

    private TlsError? OnFinished(ReadOnlySpan<byte> message)
    {
        if (CheckFinished(message) is { } error)
        {
            return error;
        }

        Transcript.Add(message);
        DeriveApplicationSecrets();

        var flight = new TlsWriter();
        if (_certificateRequested)
        {
            WriteCertificate(flight, _shownIdentity);
        }

        WriteFinished(flight);
        Send(EncryptionLevel.Handshake, flight);
        TellSecret(EncryptionLevel.OneRtt, SecretDirection.Write, Keys!.ClientApplication);
        TellSecret(EncryptionLevel.OneRtt, SecretDirection.Read, Keys.ServerApplication);
        _state = State.Complete;
        Complete();
        return null;
    }

    private void SendClientHello(ReadOnlySpan<byte> cookie)
    {
        var writer = new TlsWriter(TlsWriter.HelloCapacity);
        ClientHelloWriter.Write(writer, _options, ClientRandom, _shares, cookie);
        AddToTranscript(writer, start: 0);
        Send(EncryptionLevel.Initial, writer);
    }

    private void CreateShares(IReadOnlyList<NamedGroup> groups) => _shares = [.. groups.Select(group => EphemeralKey.Create(_options.Curves, group))];

    private void DisposeShares()
    {
        foreach (EphemeralKey share in _shares)
        {
            share.Dispose();
        }

        _shares = [];
    }
}
