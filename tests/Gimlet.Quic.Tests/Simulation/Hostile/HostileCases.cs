using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;
using static Gimlet.Quic.Tests.Simulation.Support.RawFrames;
using static Gimlet.Quic.Wire.TransportErrorCode;

namespace Gimlet.Quic.Tests.Simulation.Hostile;

/// <summary>
/// What RFC 9000 says MUST (or SHOULD) be treated as a connection error, section by section. "MAY" is listed where this implementation does.
/// </summary>
internal static class HostileCases
{
    private const long MaxVarint = VariableLengthInteger.MaxValue;
    private const EndpointRole Client = EndpointRole.Client;
    private const EndpointRole Server = EndpointRole.Server;

    public static IReadOnlyList<HostileCase> All { get; } =
    [
        // Section 4: flow control.
        new("4.1", "a stream's limit is exceeded", null, a => a.Fill(a.Bidi(0), 1, Attack.StreamWindow), FlowControlError),
        new("4.1", "a stream's limit is exceeded by one byte far away", null,
            a => a.Frames(Stream(a.Uni(0), Attack.StreamWindow, "x")), FlowControlError),
        new("4.1", "the connection's limit is exceeded by the sum", null,
            a => a.Fill(a.Bidi(0), 0, Attack.StreamWindow).Fill(a.Bidi(1), 0, 1 + Attack.ConnectionWindow - Attack.StreamWindow), FlowControlError),
        new("4.1", "the connection's limit is exceeded by gaps", null,
            a => a.Frames(Stream(a.Bidi(0), Attack.StreamWindow - 1, "x"), Stream(a.Uni(0), Attack.StreamWindow - 1, "x")), FlowControlError),
        new("4.5", "the final size of RESET_STREAM exceeds the stream's limit", null,
            a => a.Frames(Of(FrameType.ResetStream, a.Uni(0), 7, Attack.StreamWindow + 1)), FlowControlError),
        new("4.5", "the final sizes exceed the connection's limit", null,
            a => a.Frames(
                Of(FrameType.ResetStream, a.Uni(0), 7, Attack.StreamWindow), Of(FrameType.ResetStream, a.Uni(1), 7, Attack.StreamWindow)),
            FlowControlError),
        new("4.5", "data beyond the final size", null, a => a.Frames(Stream(a.Bidi(0), 0, "abc", fin: true), Stream(a.Bidi(0), 3, "d")), FinalSizeError),
        new("4.5", "a second, larger final size", null,
            a => a.Frames(Stream(a.Bidi(0), 0, "abc", fin: true), Stream(a.Bidi(0), 3, "d", fin: true)), FinalSizeError),
        new("4.5", "a final size below what came", null, a => a.Frames(Stream(a.Bidi(0), 0, "abc"), Stream(a.Bidi(0), 0, "a", fin: true)), FinalSizeError),
        new("4.5", "a final size of RESET_STREAM below what came", null,
            a => a.Frames(Stream(a.Bidi(0), 0, "abc"), Of(FrameType.ResetStream, a.Bidi(0), 7, 2)), FinalSizeError),
        new("4.5", "a final size of RESET_STREAM other than that of FIN", null,
            a => a.Frames(Stream(a.Bidi(0), 5, "x", fin: true), Of(FrameType.ResetStream, a.Bidi(0), 7, 5)), FinalSizeError),
        new("4.5", "two final sizes of RESET_STREAM", null,
            a => a.Frames(Of(FrameType.ResetStream, a.Uni(0), 7, 5)).Frames(Of(FrameType.ResetStream, a.Uni(0), 7, 6)), FinalSizeError, NoError),
        new("4.6", "STREAM on a bidirectional stream beyond the limit", null, a => a.Frames(Stream(a.Bidi(Attack.MaxStreams), 0, "x")), StreamLimitError),
        new("4.6", "STREAM on a unidirectional stream beyond the limit", null, a => a.Frames(Stream(a.Uni(Attack.MaxStreams), 0, "x")), StreamLimitError),
        new("4.6", "STREAM on the largest stream id", null, a => a.Frames(Stream(a.Uni((1L << 60) - 1), 0, "x")), StreamLimitError),
        new("4.6", "RESET_STREAM beyond the limit", null, a => a.Frames(Of(FrameType.ResetStream, a.Bidi(Attack.MaxStreams), 0, 0)), StreamLimitError),
        new("4.6", "STOP_SENDING beyond the limit", null, a => a.Frames(Of(FrameType.StopSending, a.Bidi(Attack.MaxStreams), 0)), StreamLimitError),
        new("4.6", "MAX_STREAM_DATA beyond the limit", null, a => a.Frames(Of(FrameType.MaxStreamData, a.Bidi(Attack.MaxStreams), 9)), StreamLimitError),
        new("4.6", "STREAM_DATA_BLOCKED beyond the limit", null,
            a => a.Frames(Of(FrameType.StreamDataBlocked, a.Bidi(Attack.MaxStreams), 9)), StreamLimitError),
        new("4.6", "MAX_STREAMS of more than 2^60, bidirectional", null,
            a => a.Frames(Of(FrameType.MaxStreamsBidirectional, (1L << 60) + 1)), FrameEncodingError),
        new("4.6", "MAX_STREAMS of more than 2^60, unidirectional", null,
            a => a.Frames(Of(FrameType.MaxStreamsUnidirectional, (1L << 60) + 1)), FrameEncodingError),

        // Section 5: connection ids.
        new("5.1.1", "more connection ids than active_connection_id_limit", null, SendIdsBeyondTheLimit, ConnectionIdLimitError),

        // Section 12.4: what section 5 and all others build on.
        new("12.4", "a packet without frames", null, a => a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, [])), ProtocolViolation),
        new("12.4", "a frame of an unknown type", null, a => a.Frames(Of((FrameType)0x1f)), FrameEncodingError),
        new("12.4", "a frame of an unknown type with a long number", null, a => a.Frames(Of((FrameType)0x1234_5678)), FrameEncodingError),
        new("12.4", "a frame type that is not in its shortest form", null, a => a.Frames([0x40, 0x01]), ProtocolViolation),
        new("12.4", "a frame that is cut", null, a => a.Frames([(byte)FrameType.MaxStreamData, 0x40]), FrameEncodingError),

        // Section 13: acknowledgements.
        new("13.1", "an acknowledgement of a packet that was never sent", null, a => a.Frames(Ack(1_000_000)), ProtocolViolation),
        new("13.1", "an acknowledgement of the largest packet number", null, a => a.Frames(Ack(MaxVarint)), ProtocolViolation),

        // Section 17: headers.
        new("17.3.1", "reserved bits of a short header", null,
            a => a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, Ping, firstBits: 0x08)), ProtocolViolation),
        new("17.3.1", "the other reserved bit of a short header", null,
            a => a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, Ping, firstBits: 0x10)), ProtocolViolation),

        // Section 19: frames.
        new("19.3.1", "an ACK whose first range is negative", null, a => a.Frames(Ack(largest: 0, firstRange: 1)), FrameEncodingError),
        new("19.3.1", "an ACK with a negative range", null, a => a.Frames(Ack(5, 2, 0, 5)), FrameEncodingError),
        new("20.1", "an ACK of more ranges than there are bytes", null, a => a.Frames(Of(FrameType.Ack, 3, 0, MaxVarint, 0)), FrameEncodingError),
        new("19.4", "RESET_STREAM for a send-only stream", null, a => a.Frames(Of(FrameType.ResetStream, a.VictimUni(0), 0, 0)), StreamStateError),
        new("19.5", "STOP_SENDING for a receive-only stream", null, a => a.Frames(Of(FrameType.StopSending, a.Uni(0), 0)), StreamStateError),
        new("19.5", "STOP_SENDING for a stream that the victim has not opened", null,
            a => a.Frames(Of(FrameType.StopSending, a.VictimBidi(0), 0)), StreamStateError),
        new("19.6", "CRYPTO beyond 2^62-1", null, a => a.Frames(Of(FrameType.Crypto, MaxVarint, 1), [0]), FrameEncodingError, CryptoBufferExceeded),
        new("7.5", "CRYPTO beyond what is buffered", null, a => a.Frames(Crypto(1_000_000, new byte[10])), CryptoBufferExceeded),
        new("19.7", "NEW_TOKEN without a token", Client, a => a.Frames(NewToken([])), FrameEncodingError),
        new("19.7", "NEW_TOKEN to a server", Server, a => a.Frames(NewToken([1, 2, 3])), ProtocolViolation),
        new("19.8", "STREAM for a stream that the victim has not opened", null, a => a.Frames(Stream(a.VictimBidi(0), 0, "x")), StreamStateError),
        new("19.8", "STREAM for a send-only stream", null, a => a.Frames(Stream(a.VictimUni(0), 0, "x")), StreamStateError),
        new("19.8", "STREAM beyond 2^62-1", null, a => a.Frames(Of((FrameType)0x0e, a.Bidi(0), MaxVarint, 1), [0]), FrameEncodingError, FlowControlError),
        new("19.10", "MAX_STREAM_DATA for a stream that the victim has not opened", null,
            a => a.Frames(Of(FrameType.MaxStreamData, a.VictimBidi(0), 9)), StreamStateError),
        new("19.10", "MAX_STREAM_DATA for a receive-only stream", null, a => a.Frames(Of(FrameType.MaxStreamData, a.Uni(0), 9)), StreamStateError),
        new("19.13", "STREAM_DATA_BLOCKED for a send-only stream", null,
            a => a.Frames(Of(FrameType.StreamDataBlocked, a.VictimUni(0), 9)), StreamStateError),
        new("19.14", "STREAMS_BLOCKED at more than 2^60", null,
            a => a.Frames(Of(FrameType.StreamsBlockedBidirectional, (1L << 60) + 1)), FrameEncodingError, StreamLimitError),
        new("19.15", "NEW_CONNECTION_ID that is empty", null, a => a.Frames(NewConnectionId(8, 0, [])), FrameEncodingError),
        new("19.15", "NEW_CONNECTION_ID of 21 bytes", null, a => a.Frames(NewConnectionId(8, 0, new byte[21])), FrameEncodingError),
        new("19.15", "NEW_CONNECTION_ID that retires itself", null, a => a.Frames(NewConnectionId(8, 9, [1, 2, 3, 4])), FrameEncodingError),
        new("19.15", "two ids with one number (MAY)", null,
            a => a.Frames(NewConnectionId(1, 0, [1, 2, 3, 4]), NewConnectionId(1, 0, [1, 2, 3, 5])), ProtocolViolation),
        new("19.15", "one id with two numbers (MAY)", null,
            a => a.Frames(NewConnectionId(1, 0, [1, 2, 3, 4]), NewConnectionId(2, 0, [1, 2, 3, 4])), ProtocolViolation),
        new("19.15", "one id with two tokens (MAY)", null,
            a => a.Frames(NewConnectionId(1, 0, [1, 2, 3, 4]), NewConnectionId(1, 0, [1, 2, 3, 4], token: 1)), ProtocolViolation),
        new("19.16", "RETIRE_CONNECTION_ID of a number that was never issued", null,
            a => a.Frames(Of(FrameType.RetireConnectionId, 1000)), ProtocolViolation),
        new("19.16", "RETIRE_CONNECTION_ID of the id that the packet goes to (MAY)", null,
            a => a.Frames(Of(FrameType.RetireConnectionId, 0)), ProtocolViolation),
        new("19.20", "HANDSHAKE_DONE to a server", Server, a => a.Frames(HandshakeDone), ProtocolViolation),
        new("9001-6", "a TLS KeyUpdate message", null, a => a.Frames(Crypto(a.Peer.CryptoWritten, [24, 0, 0, 1, 0])), CryptoErrorFirst + 10),
        new("9001-6.2", "two key updates in a row (MAY)", null, UpdateTwice, KeyUpdateError),
        new("9001-6.4", "old keys above new ones", null, UseOldKeysAbove, KeyUpdateError),
        new("9221-3", "DATAGRAM where none was announced", null, a => a.Frames(Datagram([1])), ProtocolViolation),
    ];

    // The victim has the id of the handshake; every further one counts, none is retired.
    private static void SendIdsBeyondTheLimit(Attack a)
    {
        long limit = a.Peer.VictimParameters!.ActiveConnectionIdLimit;
        for (long n = 1; n <= limit; n++)
        {
            a.Frames(NewConnectionId(n, 0, [1, 2, 3, 4, 5, 6, 7, (byte)n], (byte)n));
        }
    }

    // RFC 9001 section 6.2: the second before anything that is protected with the first ones was acknowledged.
    private static void UpdateTwice(Attack a)
    {
        a.Peer.UpdateKeys();
        a.Frames(Ping);
        a.Peer.UpdateKeys();
        a.Frames(Ping);
    }

    // A packet of new keys whose number is below one of old keys. (The other order cannot be told from a forgery: the old keys are not even tried.)
    private static void UseOldKeysAbove(Attack a)
    {
        long number = a.Peer.NextNumber(PacketType.OneRtt);
        a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, Ping, number + 5));
        a.Peer.UpdateKeys();
        a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, Ping, number + 3));
    }
}
