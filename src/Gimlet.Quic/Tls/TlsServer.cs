using System.Security.Cryptography;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Extensions;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tls;

/// <summary>The server's side (RFC 8446 appendix A.2). Waits for a ClientHello.</summary>
internal sealed class TlsServer : TlsEndpoint
{
    private readonly TlsServerOptions _options;
    private readonly Action<Span<byte>> _random;
    private State _state;
    private byte[] _fixedPart = [];
    private NamedGroup? _retriedGroup;

    /// <summary>Makes a server for one handshake.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="random">Fills a span with random bytes; keys come from the platform.</param>
    public TlsServer(TlsServerOptions options, Action<Span<byte>> random)
        : base(options, isServer: true, serverName: null)
    {
        _options = options;
        _random = random;
    }

    private enum State
    {
        ClientHello,
        SecondClientHello,
        Certificate,
        CertificateVerify,
        Finished,
        Complete,
    }

    /// <summary>The host name that the client asked for, or null.</summary>
    public string? ServerName { get; private set; }

    private protected override bool Expects(HandshakeType type) => _state switch
    {
        State.ClientHello or State.SecondClientHello => type == HandshakeType.ClientHello,
        State.Certificate => type == HandshakeType.Certificate,
        State.CertificateVerify => type == HandshakeType.CertificateVerify,
        State.Finished => type == HandshakeType.Finished,
        _ => false,
    };

    private protected override TlsError? Process(HandshakeType type, ReadOnlySpan<byte> message) => type switch
    {
        HandshakeType.ClientHello => OnClientHello(message),
        HandshakeType.Certificate => OnCertificate(message),
        HandshakeType.CertificateVerify => OnCertificateVerify(message),
        _ => OnFinished(message),
    };

    private TlsError? OnClientHello(ReadOnlySpan<byte> message)
    {
        TlsError? error;
        if ((error = ClientHello.Parse(BodyOf(message), _options.Limits, out ClientHello hello)) is not null
            || (error = ClientHelloCheck.Choose(hello, _options, out ClientHelloCheck choice)) is not null)
        {
            return error;
        }

        if (_state == State.SecondClientHello)
        {
            return CheckSecond(hello, choice) ?? Answer(hello, choice, message);
        }

        // A cookie is only ever given back.
        if (!choice.Cookie.IsEmpty)
        {
            return TlsAlert.IllegalParameter.Because("a cookie that we did not give");
        }

        if (choice.Share.IsEmpty || !_options.RetryCookie.IsEmpty)
        {
            Retry(hello, choice, message);
            return null;
        }

        return Answer(hello, choice, message);
    }

    private void Retry(ClientHello hello, ClientHelloCheck choice, ReadOnlySpan<byte> message)
    {
        _fixedPart = ClientHelloCheck.FixedPart(hello);
        _retriedGroup = choice.Share.IsEmpty ? choice.Group : null;
        Transcript.Begin(choice.Suite.Hash());
        Transcript.Add(message);
        Transcript.ReplaceWithMessageHash();

        var writer = new TlsWriter(TlsWriter.HelloCapacity);
        ServerHello.WriteRetryRequest(writer, choice.Suite, _retriedGroup, _options.RetryCookie.Span);
        AddToTranscript(writer, start: 0);
        Send(EncryptionLevel.Initial, writer);
        _state = State.SecondClientHello;
    }

    private TlsError? CheckSecond(ClientHello hello, ClientHelloCheck choice)
    {
        if (!CryptographicOperations.FixedTimeEquals(_fixedPart, ClientHelloCheck.FixedPart(hello)))
        {
            return TlsAlert.IllegalParameter.Because("the second ClientHello differs from the first");
        }

        // RFC 8446 section 4.1.2: "Removing the "early_data" extension (Section 4.2.10) if one was present. Early data is not permitted
        // after a HelloRetryRequest."
        if (hello.Extensions.Contains(ExtensionType.EarlyData))
        {
            return TlsAlert.IllegalParameter.Because("early_data after HelloRetryRequest");
        }

        // RFC 8446 section 4.2.8: "the client [...] MUST replace the original "key_share" extension with one containing only a new
        // KeyShareEntry for the group indicated in the selected_group field".
        if (choice.Share.IsEmpty || (_retriedGroup is { } group && (choice.Group != group || choice.ShareCount != 1)))
        {
            return TlsAlert.IllegalParameter.Because("the second ClientHello has not the one share that was asked for");
        }

        if (choice.Cookie.IsEmpty && !_options.RetryCookie.IsEmpty)
        {
            return TlsAlert.MissingExtension.Because("the second ClientHello does not give the cookie back");
        }

        return CryptographicOperations.FixedTimeEquals(_options.RetryCookie.Span, choice.Cookie)
            ? null
            : TlsAlert.IllegalParameter.Because("the second ClientHello gives another cookie back");
    }

    private TlsError? Answer(ClientHello hello, ClientHelloCheck choice, ReadOnlySpan<byte> message)
    {
        using var share = EphemeralKey.Create(_options.Curves, choice.Group);
        Span<byte> shared = stackalloc byte[share.SharedLength];
        if (!share.TryAgree(choice.Share, shared))
        {
            return TlsAlert.IllegalParameter.Because("the client's share is no point of its curve");
        }

        ServerName = choice.ServerName;
        ClientRandom = hello.Random.ToArray();
        TellTransportParameters(choice.TransportParameters);
        TellProtocol(choice.Protocol);
        if (_state == State.ClientHello)
        {
            Transcript.Begin(choice.Suite.Hash());
        }

        Transcript.Add(message);
        SendServerHello(choice, share);
        EnterHandshake(choice.Suite, shared);
        CryptographicOperations.ZeroMemory(shared);
        SendFlight();
        _state = _options.ClientCertificate == ClientCertificateMode.None ? State.Finished : State.Certificate;
        return null;
    }

    private void SendServerHello(ClientHelloCheck choice, EphemeralKey share)
    {
        // The downgrade sentinel is for servers that also speak older versions; we do not.
        Span<byte> random = stackalloc byte[ClientHello.RandomLength];
        _random(random);
        var writer = new TlsWriter(TlsWriter.HelloCapacity);
        ServerHello.Write(writer, random, choice.Suite, share);
        AddToTranscript(writer, start: 0);
        Send(EncryptionLevel.Initial, writer);
    }

    private void SendFlight()
    {
        var flight = new TlsWriter();
        EncryptedExtensions.Write(flight, ApplicationProtocol, _options.TransportParameters.Span);
        if (_options.ClientCertificate != ClientCertificateMode.None)
        {
            CertificateRequestMessage.Write(flight);
        }

        AddToTranscript(flight, start: 0);
        WriteCertificate(flight, _options.Identity);
        WriteFinished(flight);
        Send(EncryptionLevel.Handshake, flight);

        // What we send may be protected from now on; what we read may not be looked at before the client's Finished. RFC 9001 section
        // 5.7: "A server MUST NOT process incoming 1-RTT protected packets before the TLS handshake is complete."
        DeriveApplicationSecrets();
        TellSecret(EncryptionLevel.OneRtt, SecretDirection.Write, Keys!.ServerApplication);
    }

    private TlsError? OnCertificate(ReadOnlySpan<byte> message)
    {
        if (Proof.TakeCertificate(BodyOf(message)) is { } error)
        {
            return error;
        }

        // RFC 8446 section 4.4.2.4: "If the client does not send any certificates [...], the server MAY at its discretion either continue
        // the handshake without client authentication or abort the handshake with a "certificate_required" alert."
        if (Proof.IsEmpty && _options.ClientCertificate == ClientCertificateMode.Required)
        {
            return TlsAlert.CertificateRequired.Because("the client shows no certificate");
        }

        Transcript.Add(message);
        _state = Proof.IsEmpty ? State.Finished : State.CertificateVerify;
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

        TellSecret(EncryptionLevel.OneRtt, SecretDirection.Read, Keys!.ClientApplication);
        _state = State.Complete;
        Complete();

        // RFC 9001 section 4.1.2: "the TLS handshake is considered confirmed at the server when the handshake completes."
        SetConfirmed();
        return null;
    }
}
