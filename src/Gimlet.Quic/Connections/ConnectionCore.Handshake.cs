using System.Net.Security;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>The handshake: TLS, keys, transport parameters, Retry and Version Negotiation (RFC 9000 sections 6 to 8, RFC 9001 section 4).</content>
internal sealed partial class ConnectionCore
{
    // RFC 9001 section 6.5: old read keys are kept for three PTOs.
    private const int KeyRetentionPtos = 3;

    private readonly StatelessResetToken _localToken;
    private readonly TimeSpan _handshakeDeadline;
    private TlsEndpoint _tls = null!;
    private OneRttProtection? _oneRtt;
    private TlsSecret? _pendingWriteSecret;
    private TlsSecret? _pendingReadSecret;
    private TimeSpan? _dropKeysAt;
    private ConnectionId _peerHandshakeId;
    private ConnectionId? _retrySource;
    private ReadOnlyMemory<byte> _token;
    private ReadOnlyMemory<byte> _newToken;
    private bool _hasServerId;
    private bool _isHandshakeDonePending;
    private bool _isNewTokenPending;

    /// <summary>A server gives the client a token for its next connection (RFC 9000 section 8.1.3).</summary>
    public void SendNewToken(ReadOnlyMemory<byte> token)
    {
        _newToken = token;
        _isNewTokenPending = true;
    }

    private void StartClient(TimeSpan now, TlsClientOptions options, ReadOnlyMemory<byte> token)
    {
        _token = token;
        OriginalDestination = ConnectionId.Create(_random, ConnectionId.MinInitialLength);
        _peerHandshakeId = OriginalDestination;
        InstallInitialKeys(OriginalDestination);
        TransportParameters parameters = LocalParameters.OfClient(_settings, _localId);
        OpenTrace(now, parameters);
        var client = new TlsClient(
            options with
            {
                TransportParameters = LocalParameters.Encode(parameters, EndpointRole.Client, _random),
                Curves = _settings.Protection.Curves,
            },
            _random);
        _tls = client;
        client.Start();
        DrainTls(now);
    }

    private void StartServer(TimeSpan now, TlsServerOptions options, in ServerStart start)
    {
        OriginalDestination = start.OriginalDestination;
        _peerHandshakeId = start.Source;
        _remoteIds.SetInitial(start.Source);
        _ = _remoteIds.TryAssign(_current.Id);
        InstallInitialKeys(start.Destination);
        TransportParameters parameters = LocalParameters.OfServer(_settings, _localId, _localToken, start);
        OpenTrace(now, parameters);
        _tls = new TlsServer(
            options with
            {
                TransportParameters = LocalParameters.Encode(parameters, EndpointRole.Server, _random),
                Curves = _settings.Protection.Curves,
            },
            _random);

        // RFC 9002 appendix A.8: "Assume clients validate the server's address implicitly."
        _loss.IsPeerAddressValidated = true;
    }

    private void OpenTrace(TimeSpan now, TransportParameters parameters)
    {
        _trace = _settings.OpenTrace?.Invoke(Role, OriginalDestination);
        _trace?.ConnectionStarted(now, _current.Id, _localId, _peerHandshakeId);
        _trace?.ParametersSet(now, isLocal: true, parameters);
        _trace?.StateUpdated(now, TraceState.Attempted);
    }

    private void InstallInitialKeys(in ConnectionId destination)
    {
        using var secrets = InitialSecrets.Derive(destination);
        _initial.Sealer?.Dispose();
        _initial.Opener?.Dispose();
        _initial.Sealer = new PacketSealer(
            _settings.Protection, PacketCipher.Aes128GcmSha256, secrets.WriteSecret(Role), _settings.AeadLimits);
        _initial.Opener = new PacketOpener(_settings.Protection, PacketCipher.Aes128GcmSha256, secrets.ReadSecret(Role), _forgeries);
    }

    // RFC 9000 section 7.2: the client sends to the id of the server's first packet from then on.
    private void LearnServerId(in ConnectionId source)
    {
        if (!_hasServerId)
        {
            _hasServerId = true;
            _peerHandshakeId = source;
            _remoteIds.SetInitial(source);
            _ = _remoteIds.TryAssign(_current.Id);
        }
    }

    // Gives TLS what came in order, level by level: bytes of a later level wait here until TLS reads it.
    private void ReadHandshake(TimeSpan now)
    {
        bool hasRead;
        do
        {
            hasRead = false;
            foreach (PacketSpace space in (ReadOnlySpan<PacketSpace>)[_initial, _handshake, _application])
            {
                while (space.Level <= _tls.ReadLevel && _phase == ClosePhase.Open && space.CryptoIn.TryPeek(out ReadOnlyMemory<byte> bytes))
                {
                    _tls.Handle(space.Level, bytes.Span);
                    space.CryptoIn.Advance(bytes.Length);
                    DrainTls(now);
                    hasRead = true;
                }
            }
        }
        while (hasRead && _phase == ClosePhase.Open);
    }

    private void DrainTls(TimeSpan now)
    {
        while (_phase == ClosePhase.Open && _tls.TryPoll(out TlsEvent next))
        {
            switch (next.Kind)
            {
                case TlsEventKind.Send:
                    SpaceOf((PacketNumberSpace)next.Level).CryptoOut.Append(next.Data.Span);
                    break;
                case TlsEventKind.Secret:
                    InstallSecret(next.Secret!);
                    break;
                case TlsEventKind.TransportParameters:
                    TakePeerParameters(now, next.Data.Span);
                    break;
                case TlsEventKind.Complete:
                    OnHandshakeComplete(now);
                    break;
                case TlsEventKind.Confirmed:
                    OnHandshakeConfirmed(now);
                    break;
                case TlsEventKind.Failed:
                    OnTlsFailed(now);
                    break;
                case TlsEventKind.ApplicationProtocol:
                    // Authenticated with completion; read there.
                    break;
                default:
                    throw new InvalidOperationException($"TLS told {next.Kind}, which nobody handles.");
            }
        }
    }

    private void InstallSecret(TlsSecret secret)
    {
        if (secret.Level == EncryptionLevel.Handshake)
        {
            using (secret)
            {
                if (secret.Direction == SecretDirection.Write)
                {
                    _handshake.Sealer = new PacketSealer(_settings.Protection, CipherOf(secret), secret.Bytes, _settings.AeadLimits);
                    _loss.HasHandshakeKeys = true;
                    return;
                }

                _handshake.Opener = new PacketOpener(_settings.Protection, CipherOf(secret), secret.Bytes, _forgeries);
            }

            _hasNewKeys = true;
            return;
        }

        // A server could send 1-RTT packets before the client has proved who it is. It does not: the keys are made when both secrets are here.
        if (secret.Direction == SecretDirection.Write)
        {
            _pendingWriteSecret = secret;
        }
        else
        {
            _pendingReadSecret = secret;
        }

        if (_pendingWriteSecret is not null && _pendingReadSecret is not null)
        {
            _oneRtt = new OneRttProtection(
                _settings.Protection,
                CipherOf(secret),
                _pendingWriteSecret.Bytes,
                _pendingReadSecret.Bytes,
                _settings.AeadLimits,
                _forgeries);
            _pendingWriteSecret.Dispose();
            _pendingReadSecret.Dispose();
            _pendingWriteSecret = null;
            _pendingReadSecret = null;
        }
    }

    private static PacketCipher CipherOf(TlsSecret secret) => (PacketCipher)secret.Suite;

    private void TakePeerParameters(TimeSpan now, ReadOnlySpan<byte> encoded)
    {
        if (!TransportParameterReader.TryRead(encoded, PeerRole, out TransportParameters parameters, out QuicError error))
        {
            CloseFor(now, error);
            return;
        }

        error = Role == EndpointRole.Client
            ? ConnectionIdAuthentication.CheckServer(parameters, _peerHandshakeId, OriginalDestination, _retrySource)
            : ConnectionIdAuthentication.CheckClient(parameters, _peerHandshakeId);
        if (error.IsError)
        {
            CloseFor(now, error);
            return;
        }

        PeerParameters = parameters;
        _trace?.ParametersSet(now, isLocal: false, parameters);
        _idle.Negotiate(TimeSpan.FromMilliseconds(parameters.MaxIdleTimeout));
        _loss.PeerMaxAckDelay = TimeSpan.FromMilliseconds(parameters.MaxAckDelay);
        Streams.SetPeerLimits(parameters);
        _maxUdpPayload = (int)Math.Min(_settings.MaxUdpPayload, parameters.MaxUdpPayloadSize);
        _current.Mtu.SetMaximum(_maxUdpPayload);
        if (parameters.StatelessResetToken is { } token)
        {
            _remoteIds.SetInitialToken(token);
        }

        // The address is not used: a node's paths are its owner's. Its id is one of those we keep, so that the server's count and ours agree.
        if (parameters.PreferredAddress is { } preferred)
        {
            error = _remoteIds.AddPreferred(preferred.ConnectionId, preferred.ResetToken);
            if (error.IsError)
            {
                CloseFor(now, error);
            }
        }
    }

    private void OnHandshakeComplete(TimeSpan now)
    {
        IsConnected = true;
        _trace?.StateUpdated(now, TraceState.HandshakeComplete);

        // RFC 9000 section 5.1.1: with the first flight under 1-RTT keys, so that a path can be used at once (docs/protocol.md section 5).
        _localIds.SetPeerLimit(PeerParameters!.ActiveConnectionIdLimit);
        Tell(ConnectionEventKind.Connected);
        UseRememberedPath(now);
        _hasNewKeys = true;
    }

    private void OnHandshakeConfirmed(TimeSpan now)
    {
        _trace?.StateUpdated(now, TraceState.HandshakeConfirmed);
        _loss.IsHandshakeConfirmed = true;
        _oneRtt!.ConfirmHandshake();
        if (Role == EndpointRole.Server)
        {
            _isHandshakeDonePending = true;
        }

        // RFC 9001 section 4.9.2: "An endpoint MUST discard its Handshake keys when the TLS handshake is confirmed".
        DiscardSpace(now, _initial);
        DiscardSpace(now, _handshake);
        Tell(ConnectionEventKind.Confirmed);
    }

    private QuicError HandleHandshakeDone(TimeSpan now)
    {
        if (_tls is TlsClient client)
        {
            client.Confirm();
            DrainTls(now);
        }

        return QuicError.None;
    }

    private void OnTlsFailed(TimeSpan now)
    {
        TlsError error = _tls.Error!;

        // The reason may quote what the owner's code said; it stays here. The alert says enough to the peer.
        CloseFor(now, new QuicError((TransportErrorCode)error.Code, FrameType.Crypto, string.Empty), error.Reason);
    }

    private void OnClientHandshakePacket(in Arrival arrival)
    {
        // RFC 9000 section 8.1: "receipt of a packet protected with Handshake keys confirms that the peer successfully processed an Initial packet": the
        // client has its address. RFC 9001 section 4.9.1: "a server MUST discard Initial keys when it first successfully processes a Handshake packet."
        _current.Lift();
        DiscardSpace(arrival.Now, _initial);
    }

    private void DiscardSpace(TimeSpan now, PacketSpace space)
    {
        if (!space.IsDiscarded)
        {
            space.Discard();
            FramesOf(space).Release();
            _loss.DiscardSpace(space.Number);
            _trace?.KeyDiscarded(now, space.Number);
        }
    }

    // Theirs: it made us follow. Otherwise it is the answer to an update of our own, which was counted when it began.
    private void OnKeysUpdatedByPeer(TimeSpan now, bool isTheirs)
    {
        _dropKeysAt = now + (_current.Recovery.PtoPeriod(_application.Number, _loss.PeerMaxAckDelay) * KeyRetentionPtos);
        Counters.KeyUpdates += isTheirs ? 1 : 0;
        _trace?.KeyUpdated(now, PeerRole, PacketNumberSpace.Application, _oneRtt!.ReadGeneration, KeyUpdateTrigger.RemoteUpdate);
    }

    private void HandleRetry(in Arrival arrival, Span<byte> datagram)
    {
        // RFC 9000 section 17.2.5.2: "A client MUST accept and process at most one Retry packet for each connection attempt. After the client has received and
        // processed an Initial or Retry packet from the server, it MUST discard any subsequent Retry packets that it receives."
        if (Role != EndpointRole.Client || _hasServerId || _retrySource is not null || !RetryPacket.TryRead(datagram, out RetryPacket retry))
        {
            Drop(arrival, PacketType.Retry, datagram.Length, PacketDropReason.Unexpected);
            return;
        }

        using var integrity = new RetryIntegrity(_settings.Protection);
        if (!integrity.IsValid(OriginalDestination, retry) || retry.Source == OriginalDestination)
        {
            // RFC 9000 section 17.2.5.2: "A client MUST discard a Retry packet that contains a Source Connection ID field that is identical to the
            // Destination Connection ID field of its Initial packet."
            Drop(arrival, PacketType.Retry, datagram.Length, PacketDropReason.DecryptionFailure);
            return;
        }

        _retrySource = retry.Source;
        _peerHandshakeId = retry.Source;
        _token = retry.Token.ToArray();
        InstallInitialKeys(retry.Source);
        _loss.OnRetry();
    }

    private void HandleVersionNegotiation(in Arrival arrival, Span<byte> datagram)
    {
        // RFC 9000 section 6.2: "A client MUST discard any Version Negotiation packet if it has received and successfully processed any other packet,
        // including an earlier Version Negotiation packet. A client MUST discard a Version Negotiation packet that lists the QUIC version selected by the
        // client."
        if (Role != EndpointRole.Client
            || _hasServerId
            || _retrySource is not null
            || !VersionNegotiationPacket.TryRead(datagram, out VersionNegotiationPacket packet)
            || packet.Lists(QuicVersion.Version1)
            || !_localId.Matches(packet.DestinationConnectionId)
            || !OriginalDestination.Matches(packet.SourceConnectionId))
        {
            Drop(arrival, PacketType.VersionNegotiation, datagram.Length, PacketDropReason.Unexpected);
            return;
        }

        Finish(new CloseReason(CloseKind.VersionNegotiation, 0, FrameType.Padding, "the server does not speak QUIC version 1"));
    }
}
