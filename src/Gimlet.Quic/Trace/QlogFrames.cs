using System.Globalization;
using System.Text;
using System.Text.Json;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>
/// Lists the frames of a payload as qlog does (draft-ietf-quic-qlog-quic-events, the QUIC frame definitions). What is secret stays out: data, address
/// tokens, reset tokens.
/// </summary>
internal static class QlogFrames
{
    /// <summary>
    /// How many frames of one packet are written; the rest is counted. A packet of the largest size has 65,000 PING frames, which would be megabytes.
    /// </summary>
    public const int MaxFrames = 64;

    // An ACK of that many ranges says enough; one that fills a packet has hundreds.
    private const int MaxRanges = 64;

    /// <summary>Writes the property <c>frames</c>.</summary>
    /// <param name="json">The event's data.</param>
    /// <param name="payload">The frames; may be anything.</param>
    /// <param name="packet">The packet they are in.</param>
    /// <param name="sender">Who wrote them.</param>
    /// <param name="ackDelayExponent">The sender's, for ACK frames.</param>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> payload, PacketType packet, EndpointRole sender, int ackDelayExponent)
    {
        json.WriteStartArray("frames"u8);
        var reader = new FrameReader(payload, packet, sender);
        int count = 0;
        while (count < MaxFrames && reader.MoveNext())
        {
            json.WriteStartObject();
            bool isRead = TryWriteFrame(json, ref reader, ackDelayExponent);
            json.WriteEndObject();
            count++;
            if (!isRead)
            {
                break;
            }
        }

        if (reader.Error.IsError)
        {
            // Of an unknown type qlog says "unknown"; what follows cannot be read.
            json.WriteStartObject();
            json.WriteString("frame_type"u8, "unknown"u8);
            json.WriteNumber("raw_frame_type"u8, (long)reader.Error.FrameType);
            json.WriteString("error"u8, reader.Error.Reason);
            json.WriteEndObject();
        }
        else if (count == MaxFrames && reader.Remaining.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("frame_type"u8, "unknown"u8);
            json.WriteNumber("omitted_bytes"u8, reader.Remaining.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // False when the frame was cut short: the reader has the error then.
    private static bool TryWriteFrame(Utf8JsonWriter json, scoped ref FrameReader reader, int ackDelayExponent)
    {
        if (FrameRules.IsStream(reader.Type))
        {
            return TryWriteStream(json, ref reader);
        }

        switch (reader.Type)
        {
            case FrameType.Padding:
                WriteType(json, "padding"u8);
                json.WriteNumber("payload_length"u8, reader.FrameLength);
                return true;
            case FrameType.Ping:
                WriteType(json, "ping"u8);
                return true;
            case FrameType.HandshakeDone:
                WriteType(json, "handshake_done"u8);
                return true;
            case FrameType.Ack or FrameType.AckEcn:
                return TryWriteAck(json, ref reader, ackDelayExponent);
            case FrameType.Crypto:
                WriteType(json, "crypto"u8);
                return CryptoFrame.TryRead(ref reader, out CryptoFrame crypto)
                    && WriteNumbers(json, "offset"u8, crypto.Offset, "length"u8, crypto.Data.Length);
            case FrameType.NewToken:
                WriteType(json, "new_token"u8);
                return NewTokenFrame.TryRead(ref reader, out NewTokenFrame newToken) && WriteNumber(json, "length"u8, newToken.Token.Length);
            case FrameType.PathChallenge:
                WriteType(json, "path_challenge"u8);
                return PathChallengeFrame.TryRead(ref reader, out PathChallengeFrame challenge) && WriteData(json, challenge.Data);
            case FrameType.PathResponse:
                WriteType(json, "path_response"u8);
                return PathResponseFrame.TryRead(ref reader, out PathResponseFrame response) && WriteData(json, response.Data);
            case FrameType.NewConnectionId or FrameType.RetireConnectionId:
                return TryWriteConnectionId(json, ref reader);
            case FrameType.ConnectionClose or FrameType.ApplicationClose:
                return TryWriteClose(json, ref reader);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                WriteType(json, "datagram"u8);
                return DatagramFrame.TryRead(ref reader, out DatagramFrame datagram) && WriteNumber(json, "length"u8, datagram.Data.Length);
            default:
                return TryWriteControl(json, ref reader);
        }
    }

    private static bool TryWriteStream(Utf8JsonWriter json, scoped ref FrameReader reader)
    {
        WriteType(json, "stream"u8);
        if (!StreamFrame.TryRead(ref reader, out StreamFrame frame))
        {
            return false;
        }

        json.WriteNumber("stream_id"u8, frame.StreamId);
        json.WriteNumber("offset"u8, frame.Offset);
        json.WriteNumber("length"u8, frame.Data.Length);
        if (frame.IsFinal)
        {
            json.WriteBoolean("fin"u8, true);
        }

        return true;
    }

    private static bool TryWriteAck(Utf8JsonWriter json, scoped ref FrameReader reader, int ackDelayExponent)
    {
        WriteType(json, "ack"u8);
        if (!AckFrame.TryRead(ref reader, out AckFrame frame))
        {
            return false;
        }

        // In milliseconds; the field counts units of 2 to the power of the exponent, in microseconds.
        json.WriteNumber("ack_delay"u8, frame.Delay * (double)(1 << ackDelayExponent) / 1000);
        json.WriteStartArray("acked_ranges"u8);
        int count = 0;
        foreach (AckRange range in frame)
        {
            if (count++ == MaxRanges)
            {
                break;
            }

            json.WriteStartArray();
            json.WriteNumberValue(range.Smallest);
            json.WriteNumberValue(range.Largest);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        if (frame.Ecn is { } ecn)
        {
            json.WriteNumber("ect1"u8, ecn.Ect1);
            json.WriteNumber("ect0"u8, ecn.Ect0);
            json.WriteNumber("ce"u8, ecn.CongestionExperienced);
        }

        return true;
    }

    private static bool TryWriteConnectionId(Utf8JsonWriter json, scoped ref FrameReader reader)
    {
        if (reader.Type == FrameType.RetireConnectionId)
        {
            WriteType(json, "retire_connection_id"u8);
            return RetireConnectionIdFrame.TryRead(ref reader, out RetireConnectionIdFrame retire)
                && WriteNumber(json, "sequence_number"u8, retire.SequenceNumber);
        }

        WriteType(json, "new_connection_id"u8);
        if (!NewConnectionIdFrame.TryRead(ref reader, out NewConnectionIdFrame frame))
        {
            return false;
        }

        json.WriteNumber("sequence_number"u8, frame.SequenceNumber);
        json.WriteNumber("retire_prior_to"u8, frame.RetirePriorTo);
        json.WriteNumber("connection_id_length"u8, frame.ConnectionId.Length);
        QlogText.WriteId(json, "connection_id"u8, frame.ConnectionId);
        return true;
    }

    private static bool TryWriteClose(Utf8JsonWriter json, scoped ref FrameReader reader)
    {
        WriteType(json, "connection_close"u8);
        if (!ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame frame))
        {
            return false;
        }

        json.WriteString("error_space"u8, frame.IsApplication ? "application"u8 : "transport"u8);
        json.WriteNumber("error_code"u8, frame.ErrorCode);
        json.WriteNumber("raw_error_code"u8, frame.ErrorCode);

        // From the peer, perhaps not UTF-8: what cannot be read becomes U+FFFD.
        json.WriteString("reason"u8, Encoding.UTF8.GetString(frame.Reason));
        if (!frame.IsApplication)
        {
            json.WriteNumber("trigger_frame_type"u8, (long)frame.FrameType);
        }

        return true;
    }

    // The frames that are nothing but numbers.
    private static bool TryWriteControl(Utf8JsonWriter json, scoped ref FrameReader reader)
    {
        switch (reader.Type)
        {
            case FrameType.ResetStream:
                WriteType(json, "reset_stream"u8);
                return ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame reset)
                    && WriteNumbers(json, "stream_id"u8, reset.StreamId, "error_code"u8, reset.ErrorCode)
                    && WriteNumber(json, "final_size"u8, reset.FinalSize);
            case FrameType.StopSending:
                WriteType(json, "stop_sending"u8);
                return StopSendingFrame.TryRead(ref reader, out StopSendingFrame stop)
                    && WriteNumbers(json, "stream_id"u8, stop.StreamId, "error_code"u8, stop.ErrorCode);
            case FrameType.MaxData:
                WriteType(json, "max_data"u8);
                return MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData) && WriteNumber(json, "maximum"u8, maxData.MaximumData);
            case FrameType.MaxStreamData:
                WriteType(json, "max_stream_data"u8);
                return MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame maxStreamData)
                    && WriteNumbers(json, "stream_id"u8, maxStreamData.StreamId, "maximum"u8, maxStreamData.MaximumStreamData);
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                WriteType(json, "max_streams"u8);
                WriteStreamType(json, reader.Type == FrameType.MaxStreamsBidirectional);
                return MaxStreamsFrame.TryRead(ref reader, out MaxStreamsFrame maxStreams) && WriteNumber(json, "maximum"u8, maxStreams.MaximumStreams);
            case FrameType.DataBlocked:
                WriteType(json, "data_blocked"u8);
                return DataBlockedFrame.TryRead(ref reader, out DataBlockedFrame dataBlocked) && WriteNumber(json, "limit"u8, dataBlocked.MaximumData);
            case FrameType.StreamDataBlocked:
                WriteType(json, "stream_data_blocked"u8);
                return StreamDataBlockedFrame.TryRead(ref reader, out StreamDataBlockedFrame streamBlocked)
                    && WriteNumbers(json, "stream_id"u8, streamBlocked.StreamId, "limit"u8, streamBlocked.MaximumStreamData);
            default:
                WriteType(json, "streams_blocked"u8);
                WriteStreamType(json, reader.Type == FrameType.StreamsBlockedBidirectional);
                return StreamsBlockedFrame.TryRead(ref reader, out StreamsBlockedFrame blocked) && WriteNumber(json, "limit"u8, blocked.MaximumStreams);
        }
    }

    private static void WriteType(Utf8JsonWriter json, ReadOnlySpan<byte> type) => json.WriteString("frame_type"u8, type);

    private static void WriteStreamType(Utf8JsonWriter json, bool isBidirectional) =>
        json.WriteString("stream_type"u8, isBidirectional ? "bidirectional"u8 : "unidirectional"u8);

    private static bool WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> name, long value)
    {
        json.WriteNumber(name, value);
        return true;
    }

    private static bool WriteNumbers(
        Utf8JsonWriter json, ReadOnlySpan<byte> firstName, long first, ReadOnlySpan<byte> secondName, long second)
    {
        json.WriteNumber(firstName, first);
        json.WriteNumber(secondName, second);
        return true;
    }

    private static bool WriteData(Utf8JsonWriter json, ulong data)
    {
        Span<byte> text = stackalloc byte[2 * sizeof(ulong)];
        _ = data.TryFormat(text, out _, "x16", CultureInfo.InvariantCulture);
        json.WriteString("data"u8, text);
        return true;
    }
}
