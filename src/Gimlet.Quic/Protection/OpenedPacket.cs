namespace Gimlet.Quic.Protection;

/// <summary>What became of a packet that was to be opened.</summary>
internal enum OpenResult
{
    /// <summary>The payload is plaintext.</summary>
    Opened,

    /// <summary>Drop it: RFC 9001 section 5.4.2: "An endpoint MUST discard packets that are not long enough to contain a complete sample."</summary>
    TooShort,

    /// <summary>Drop it: it does not authenticate. Its last 16 bytes are as they came, for the comparison with stateless reset tokens.</summary>
    NotAuthentic,

    /// <summary>The packet is authentic and breaks a rule: close the connection with <see cref="OpenedPacket.Error"/>.</summary>
    Violation,

    /// <summary>Close the connection with AEAD_LIMIT_REACHED, and open nothing more.</summary>
    LimitReached,
}

/// <summary>A packet that was opened, or why not.</summary>
/// <param name="Result">What became of it; the rest is set only for <see cref="OpenResult.Opened"/>.</param>
/// <param name="PacketNumber">The full packet number.</param>
/// <param name="PayloadOffset">Where the frames begin.</param>
/// <param name="PayloadLength">The frames in bytes.</param>
/// <param name="Generation">Which keys opened it: 0 for the first, one more for each key update.</param>
/// <param name="Error">The error of a violation, or of a limit.</param>
internal readonly record struct OpenedPacket(
    OpenResult Result, long PacketNumber, int PayloadOffset, int PayloadLength, int Generation, Wire.QuicError Error)
{
    /// <summary>Makes a result without a packet.</summary>
    public OpenedPacket(OpenResult result, Wire.QuicError error = default)
        : this(result, PacketNumber: Wire.PacketNumber.None, PayloadOffset: 0, PayloadLength: 0, Generation: 0, error)
    {
    }
}
