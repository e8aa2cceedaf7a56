using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Protection;

/// <summary>
/// The keys of 1-RTT packets, both directions, and their updates (RFC 9001 section 6). Keys have generations, counted from 0; the Key Phase bit
/// is the lowest bit of the generation. Sending may be one generation ahead of receiving: from our own update until the peer follows.
/// </summary>
internal sealed class OneRttProtection : IDisposable
{
    private readonly IProtectionProvider _provider;
    private readonly PacketCipher _cipher;
    private readonly AeadLimits _limits;
    private readonly ForgeryCount _forgeries;

    // RFC 9001 section 6.1: "The header protection key is not updated."
    private readonly IHeaderProtector _writeHeader;
    private readonly IHeaderProtector _readHeader;

    private SecretBytes _writeSecret;
    private AeadKey _write;
    private long _firstSealed = long.MaxValue;
    private long _largestAcknowledged = PacketNumber.None;
    private bool _isConfirmed;

    // RFC 9001 section 6.3: "endpoints MUST be able to retain two sets of packet protection keys for receiving packets: the current and the next.
    // Retaining the previous keys in addition to these might improve performance". All three are here.
    private SecretBytes _nextReadSecret;
    private AeadKey? _previousRead;
    private AeadKey _read;
    private AeadKey _nextRead;
    private long _largestOpenedBefore = PacketNumber.None;
    private long _largestOpened = PacketNumber.None;
    private long _firstOpened = long.MaxValue;

    /// <summary>Makes the keys of generation 0, and the next ones for receiving.</summary>
    /// <param name="provider">Whose implementation.</param>
    /// <param name="cipher">The suite.</param>
    /// <param name="writeSecret">Our application traffic secret.</param>
    /// <param name="readSecret">The peer's application traffic secret.</param>
    /// <param name="limits">How often keys may be used.</param>
    /// <param name="forgeries">The connection's count.</param>
    public OneRttProtection(
        IProtectionProvider provider,
        PacketCipher cipher,
        ReadOnlySpan<byte> writeSecret,
        ReadOnlySpan<byte> readSecret,
        AeadLimits limits,
        ForgeryCount forgeries)
    {
        _provider = provider;
        _cipher = cipher;
        _limits = limits;
        _forgeries = forgeries;
        _writeSecret = new SecretBytes(writeSecret);
        using (var keys = PacketProtectionKeys.Derive(cipher, writeSecret))
        {
            _write = new AeadKey(provider, keys);
            _writeHeader = provider.CreateHeaderProtector(cipher, keys.HeaderKey);
        }

        using (var keys = PacketProtectionKeys.Derive(cipher, readSecret))
        {
            _read = new AeadKey(provider, keys);
            _readHeader = provider.CreateHeaderProtector(cipher, keys.HeaderKey);
        }

        // RFC 9001 section 6.3: "Endpoints are generally expected to have current and next receive packet protection keys available": whoever
        // forges a Key Phase bit learns nothing from how long its packet takes.
        _nextReadSecret = PacketProtectionKeys.NextSecret(cipher, readSecret);
        _nextRead = AeadKey.FromSecret(provider, cipher, _nextReadSecret.Span);
    }

    /// <summary>The generation of the keys that packets are sealed with.</summary>
    public int WriteGeneration { get; private set; }

    /// <summary>The newest generation of which a packet was opened.</summary>
    public int ReadGeneration { get; private set; }

    /// <summary>Whether packets of the generation before can still be opened. Dropped three PTOs after an update by the owner of the clock.</summary>
    public bool HasPreviousKeys => _previousRead is not null;

    /// <summary>Whether another packet may be sealed; otherwise the connection ends with AEAD_LIMIT_REACHED.</summary>
    public bool CanSeal => _write.SealedCount < _limits.Confidentiality;

    /// <summary>
    /// RFC 9001 section 6.6: "Endpoints MUST initiate a key update before sending more protected packets than the confidentiality limit for the
    /// selected AEAD permits." True from half of that on.
    /// </summary>
    public bool IsUpdateDue => _write.SealedCount >= _limits.UpdateFrom;

    /// <summary>
    /// Whether an update may begin. RFC 9001 section 6.1: not "prior to having confirmed the handshake", and not "unless it has received an
    /// acknowledgment for a packet that was sent protected with keys from the current key phase"; section 6.5: not before three PTOs after the
    /// last one, which is when the previous keys are dropped.
    /// </summary>
    public bool CanUpdate =>
        _isConfirmed && WriteGeneration == ReadGeneration && !HasPreviousKeys && _largestAcknowledged >= _firstSealed;

    /// <summary>The handshake is confirmed (RFC 9001 section 4.1.2).</summary>
    public void ConfirmHandshake() => _isConfirmed = true;

    /// <summary>Begins a key update, if one is permitted.</summary>
    public bool TryUpdate()
    {
        if (!CanUpdate)
        {
            return false;
        }

        AdvanceWrite();
        return true;
    }

    /// <summary>Seals a packet in place, and sets its Key Phase bit.</summary>
    /// <inheritdoc cref="PacketSealer.Seal"/>
    public int Seal(Span<byte> packet, in PacketLayout layout, long packetNumber, int payloadLength)
    {
        if (!CanSeal)
        {
            throw new InvalidOperationException("The confidentiality limit of the keys is reached (RFC 9001 section 6.6).");
        }

        packet[0] = (byte)((packet[0] & ~HeaderBits.KeyPhase) | (IsOdd(WriteGeneration) ? HeaderBits.KeyPhase : 0));
        _firstSealed = Math.Min(_firstSealed, packetNumber);
        return Sealing.Seal(_write, _writeHeader, packet, layout, packetNumber, payloadLength);
    }

    /// <summary>Opens a packet in place; an authentic one of the next generation makes that one current, for sending too.</summary>
    /// <inheritdoc cref="PacketOpener.Open"/>
    public OpenedPacket Open(Span<byte> packet, int packetNumberOffset, long largestReceived)
    {
        if (_forgeries.IsLimitReached)
        {
            return Opening.LimitReached;
        }

        if (!Opening.TryRemoveHeader(_readHeader, packet, packetNumberOffset, largestReceived, out UncoveredPacket uncovered))
        {
            return new OpenedPacket(OpenResult.TooShort);
        }

        int generation = GenerationOf(packet[0], uncovered.PacketNumber);
        if (!KeyOf(generation).Open(packet, uncovered.PayloadOffset, uncovered.PacketNumber))
        {
            return Opening.CountForgery(_forgeries);
        }

        QuicError error = Account(generation, uncovered.PacketNumber);
        return error.IsError ? new OpenedPacket(OpenResult.Violation, error) : Opening.Check(packet, uncovered, generation);
    }

    /// <summary>The peer acknowledged packets.</summary>
    /// <param name="largestAcknowledged">The largest number that the ACK frame acknowledges.</param>
    /// <param name="carrierGeneration">The generation of the packet that the frame came in.</param>
    /// <returns>KEY_UPDATE_ERROR, or none.</returns>
    public QuicError OnAcknowledged(long largestAcknowledged, int carrierGeneration)
    {
        // RFC 9001 section 6.2: "An endpoint that receives an acknowledgment that is carried in a packet protected with old keys where any
        // acknowledged packet was protected with newer keys MAY treat that as a connection error of type KEY_UPDATE_ERROR."
        if (largestAcknowledged >= _firstSealed && carrierGeneration < WriteGeneration)
        {
            return new QuicError(TransportErrorCode.KeyUpdateError, "packets of new keys are acknowledged under old keys");
        }

        _largestAcknowledged = Math.Max(_largestAcknowledged, largestAcknowledged);
        return QuicError.None;
    }

    /// <summary>
    /// RFC 9001 section 6.5: "An endpoint SHOULD retain old read keys for no more than three times the PTO after having received a packet protected
    /// using the new keys."
    /// </summary>
    public void DropPreviousKeys()
    {
        _previousRead?.Dispose();
        _previousRead = null;
    }

    /// <summary>Frees and wipes all keys and secrets.</summary>
    public void Dispose()
    {
        DropPreviousKeys();
        _write.Dispose();
        _read.Dispose();
        _nextRead.Dispose();
        _writeSecret.Dispose();
        _nextReadSecret.Dispose();
        _writeHeader.Dispose();
        _readHeader.Dispose();
    }

    private static bool IsOdd(int generation) => (generation & 1) != 0;

    // RFC 9001 section 6.5: "A recovered packet number that is lower than any packet number from the current key phase uses the previous packet
    // protection keys; a recovered packet number that is higher than any packet number from the current key phase requires the use of the
    // next packet protection keys."
    private int GenerationOf(byte first, long packetNumber)
    {
        bool isOdd = (first & HeaderBits.KeyPhase) != 0;
        if (isOdd == IsOdd(ReadGeneration))
        {
            return ReadGeneration;
        }

        return HasPreviousKeys && packetNumber < _firstOpened ? ReadGeneration - 1 : ReadGeneration + 1;
    }

    private AeadKey KeyOf(int generation)
    {
        if (generation == ReadGeneration)
        {
            return _read;
        }

        return generation > ReadGeneration || _previousRead is null ? _nextRead : _previousRead;
    }

    // RFC 9001 section 6.4: "An endpoint that successfully removes protection with old keys when newer keys were used for packets with lower
    // packet numbers MUST treat this as a connection error of type KEY_UPDATE_ERROR." Whichever of the two comes first.
    private QuicError Account(int generation, long packetNumber)
    {
        if (generation < ReadGeneration)
        {
            _largestOpenedBefore = Math.Max(_largestOpenedBefore, packetNumber);
            return QuicError.None;
        }

        long newestOfOlderKeys = generation == ReadGeneration ? _largestOpenedBefore : _largestOpened;
        if (packetNumber < newestOfOlderKeys)
        {
            return new QuicError(TransportErrorCode.KeyUpdateError, "new keys on a packet that precedes one with old keys");
        }

        if (generation > ReadGeneration)
        {
            // RFC 9001 section 6.2: "If an endpoint detects a second update before it has sent any packets with updated keys containing an
            // acknowledgment for the packet that initiated the key update, it indicates that its peer has updated keys twice without
            // awaiting confirmation. An endpoint MAY treat such consecutive key updates as a connection error of type KEY_UPDATE_ERROR."
            if (WriteGeneration > 0 && WriteGeneration == ReadGeneration && _write.SealedCount == 0)
            {
                return new QuicError(TransportErrorCode.KeyUpdateError, "a second key update before the first was acknowledged");
            }

            AdvanceRead();
        }

        _firstOpened = Math.Min(_firstOpened, packetNumber);
        _largestOpened = Math.Max(_largestOpened, packetNumber);
        return QuicError.None;
    }

    private void AdvanceRead()
    {
        DropPreviousKeys();
        _previousRead = _read;
        _read = _nextRead;
        ReadGeneration++;
        _largestOpenedBefore = _largestOpened;
        _largestOpened = PacketNumber.None;
        _firstOpened = long.MaxValue;

        // Only an authentic packet comes here, so what it costs to derive keys tells a forger nothing.
        SecretBytes next = PacketProtectionKeys.NextSecret(_cipher, _nextReadSecret.Span);
        _nextReadSecret.Dispose();
        _nextReadSecret = next;
        _nextRead = AeadKey.FromSecret(_provider, _cipher, next.Span);

        // RFC 9001 section 6.2: "Sending keys MUST be updated before sending an acknowledgment for the packet that was received with updated keys."
        if (WriteGeneration < ReadGeneration)
        {
            AdvanceWrite();
        }
    }

    private void AdvanceWrite()
    {
        SecretBytes next = PacketProtectionKeys.NextSecret(_cipher, _writeSecret.Span);
        _writeSecret.Dispose();
        _writeSecret = next;

        // RFC 9001 section 6.4: "An endpoint never sends packets that are protected with old keys."
        _write.Dispose();
        _write = AeadKey.FromSecret(_provider, _cipher, next.Span);
        WriteGeneration++;
        _firstSealed = long.MaxValue;
    }
}
