using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>
/// Walks the frames of a packet's payload. <see cref="MoveNext"/> first; then, for every type but PADDING, PING and HANDSHAKE_DONE, which
/// are nothing but their type, the frame's own <c>TryRead</c> with this reader. When either returns false, <see cref="Error"/> says
/// whether the payload ended or what is wrong with it; nothing after an error is read.
/// </summary>
internal ref struct FrameReader
{
    private readonly PacketType _packet;
    private readonly EndpointRole _sender;
    private WireReader _reader;
    private int _start;
    private bool _hasBody;

    /// <summary>Begins with a payload.</summary>
    /// <param name="payload">What packet protection protected.</param>
    /// <param name="packet">The packet it came in.</param>
    /// <param name="sender">Who sent it: a client must not send some frames.</param>
    public FrameReader(ReadOnlySpan<byte> payload, PacketType packet, EndpointRole sender)
    {
        _reader = new WireReader(payload);
        _packet = packet;
        _sender = sender;

        // RFC 9000 section 12.4: "An endpoint MUST treat receipt of a packet containing no frames as a connection error of type
        // PROTOCOL_VIOLATION."
        if (payload.IsEmpty)
        {
            Error = new QuicError(TransportErrorCode.ProtocolViolation, "a packet without frames");
        }
    }

    /// <summary>The type of the current frame.</summary>
    public FrameType Type { get; private set; }

    /// <summary>The error that ends the connection, or <see cref="QuicError.None"/>.</summary>
    public QuicError Error { get; private set; }

    /// <summary>How many bytes of the current frame were read: the whole frame, once its body was. A run of PADDING is one frame.</summary>
    public readonly int FrameLength => _reader.Position - _start;

    /// <summary>Goes to the next frame.</summary>
    /// <returns>False at the end of the payload, or after an error.</returns>
    /// <exception cref="InvalidOperationException">The body of the current frame was not read.</exception>
    public bool MoveNext()
    {
        if (Error.IsError || _reader.IsAtEnd)
        {
            return false;
        }

        if (_hasBody)
        {
            throw new InvalidOperationException($"The body of the {Type} frame was not read.");
        }

        _start = _reader.Position;
        ReadOnlySpan<byte> rest = _reader.Remaining;
        if (rest[0] == (byte)FrameType.Padding)
        {
            int next = rest.IndexOfAnyExcept((byte)FrameType.Padding);
            _ = _reader.TryReadBytes(next < 0 ? rest.Length : next, out _);
            Type = FrameType.Padding;
            return true;
        }

        return TryReadType();
    }

    /// <summary>Begins the body of a frame.</summary>
    /// <param name="isType">Whether <see cref="Type"/> is what the caller reads.</param>
    /// <exception cref="InvalidOperationException">It is not, or the body was read before.</exception>
    internal void BeginBody(bool isType)
    {
        if (!isType || !_hasBody)
        {
            throw new InvalidOperationException($"The current frame is {Type}, and its body is {(_hasBody ? "another one's" : "read already")}.");
        }

        _hasBody = false;
    }

    internal bool TryReadInteger(out long value) => _reader.TryReadInteger(out value) || FailCut();

    internal bool TryReadByte(out byte value) => _reader.TryReadByte(out value) || FailCut();

    internal bool TryReadBytes(long length, out ReadOnlySpan<byte> value) => _reader.TryReadBytes(length, out value) || FailCut();

    /// <summary>Reads all that is left of the packet.</summary>
    internal ReadOnlySpan<byte> ReadRest()
    {
        _ = _reader.TryReadBytes(_reader.Remaining.Length, out ReadOnlySpan<byte> rest);
        return rest;
    }

    /// <summary>What is left of the packet, not read.</summary>
    internal readonly ReadOnlySpan<byte> Remaining => _reader.Remaining;

    /// <summary>Ends the walk.</summary>
    /// <returns>False.</returns>
    internal bool Fail(string reason, TransportErrorCode code = TransportErrorCode.FrameEncodingError)
    {
        Error = new QuicError(code, Type, reason);
        return false;
    }

    private bool FailCut() => Fail("the packet ends in the middle of a frame");

    private bool TryReadType()
    {
        if (!_reader.TryReadInteger(out long type))
        {
            Type = FrameType.Padding;
            return FailCut();
        }

        Type = (FrameType)type;

        // RFC 9000 section 12.4: "An endpoint MAY treat the receipt of a frame type that uses a longer encoding than necessary as a connection
        // error of type PROTOCOL_VIOLATION."
        if (FrameLength != VariableLengthInteger.LengthOf(type))
        {
            return Fail("a frame type is not in its shortest encoding", TransportErrorCode.ProtocolViolation);
        }

        // RFC 9000 section 12.4: "An endpoint MUST treat the receipt of a frame of unknown type as a connection error of type
        // FRAME_ENCODING_ERROR."
        if (!FrameRules.IsKnown(Type))
        {
            return Fail("a frame of an unknown type");
        }

        // RFC 9000 section 12.4: "An endpoint MUST treat receipt of a frame in a packet type that is not permitted as a connection error of
        // type PROTOCOL_VIOLATION."
        if (!FrameRules.IsAllowed(Type, _packet))
        {
            return Fail("a frame that its packet must not contain", TransportErrorCode.ProtocolViolation);
        }

        // RFC 9000 sections 19.7 and 19.20: "A server MUST treat receipt of a NEW_TOKEN [HANDSHAKE_DONE] frame as a connection error of type
        // PROTOCOL_VIOLATION."
        if (_sender == EndpointRole.Client && FrameRules.IsServerOnly(Type))
        {
            return Fail("a client sent a frame of servers", TransportErrorCode.ProtocolViolation);
        }

        _hasBody = Type is not (FrameType.Ping or FrameType.HandshakeDone);
        return true;
    }
}
