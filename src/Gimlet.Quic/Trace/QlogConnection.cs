using System.Text.Json;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>The data of qlog's events that are about the connection as a whole.</summary>
internal static class QlogConnection
{
    public static void WriteClose(Utf8JsonWriter json, CloseReason reason)
    {
        bool isRemote = reason.Kind
            is CloseKind.PeerApplication or CloseKind.PeerTransport or CloseKind.StatelessReset or CloseKind.VersionNegotiation;
        json.WriteString("owner"u8, isRemote ? "remote"u8 : "local"u8);
        switch (reason.Kind)
        {
            case CloseKind.LocalApplication or CloseKind.PeerApplication:
                json.WriteNumber("application_code"u8, reason.Code);
                json.WriteString("trigger"u8, "application"u8);
                break;
            case CloseKind.LocalTransport or CloseKind.PeerTransport:
                json.WriteNumber("connection_code"u8, reason.Code);
                json.WriteString("trigger"u8, "error"u8);
                break;
            case CloseKind.IdleTimeout:
                json.WriteString("trigger"u8, "idle_timeout"u8);
                break;
            case CloseKind.HandshakeTimeout:
                json.WriteString("trigger"u8, "handshake_timeout"u8);
                break;
            case CloseKind.StatelessReset:
                json.WriteString("trigger"u8, "stateless_reset"u8);
                break;
            case CloseKind.VersionNegotiation:
                json.WriteString("trigger"u8, "version_mismatch"u8);
                break;
            default:
                json.WriteString("trigger"u8, "aborted"u8);
                break;
        }

        json.WriteString("reason"u8, reason.Reason);
    }

    public static void WriteParameters(Utf8JsonWriter json, TransportParameters parameters)
    {
        WriteId(json, "original_destination_connection_id"u8, parameters.OriginalDestinationConnectionId);
        WriteId(json, "initial_source_connection_id"u8, parameters.InitialSourceConnectionId);
        WriteId(json, "retry_source_connection_id"u8, parameters.RetrySourceConnectionId);
        json.WriteBoolean("disable_active_migration"u8, parameters.DisableActiveMigration);
        json.WriteNumber("max_idle_timeout"u8, parameters.MaxIdleTimeout);
        json.WriteNumber("max_udp_payload_size"u8, parameters.MaxUdpPayloadSize);
        json.WriteNumber("ack_delay_exponent"u8, parameters.AckDelayExponent);
        json.WriteNumber("max_ack_delay"u8, parameters.MaxAckDelay);
        json.WriteNumber("active_connection_id_limit"u8, parameters.ActiveConnectionIdLimit);
        json.WriteNumber("initial_max_data"u8, parameters.InitialMaxData);
        json.WriteNumber("initial_max_stream_data_bidi_local"u8, parameters.InitialMaxStreamDataBidirectionalLocal);
        json.WriteNumber("initial_max_stream_data_bidi_remote"u8, parameters.InitialMaxStreamDataBidirectionalRemote);
        json.WriteNumber("initial_max_stream_data_uni"u8, parameters.InitialMaxStreamDataUnidirectional);
        json.WriteNumber("initial_max_streams_bidi"u8, parameters.InitialMaxStreamsBidirectional);
        json.WriteNumber("initial_max_streams_uni"u8, parameters.InitialMaxStreamsUnidirectional);
        json.WriteNumber("max_datagram_frame_size"u8, parameters.MaxDatagramFrameSize);
        json.WriteBoolean("grease_quic_bit"u8, parameters.GreaseQuicBit);
        json.WriteNumber("gimlet_paths"u8, parameters.GimletPaths);
    }

    public static void WriteMetrics(Utf8JsonWriter json, in TraceMetrics metrics)
    {
        WriteTime(json, "smoothed_rtt"u8, metrics.SmoothedRtt);
        WriteTime(json, "min_rtt"u8, metrics.MinRtt);
        WriteTime(json, "latest_rtt"u8, metrics.LatestRtt);
        WriteTime(json, "rtt_variance"u8, metrics.RttVariance);
        WriteNumber(json, "pto_count"u8, metrics.PtoCount);
        WriteNumber(json, "congestion_window"u8, metrics.CongestionWindow);
        WriteNumber(json, "bytes_in_flight"u8, metrics.BytesInFlight);
        WriteNumber(json, "ssthresh"u8, metrics.SlowStartThreshold);
        WriteNumber(json, "pacing_rate"u8, metrics.PacingRate);
    }

    private static void WriteId(Utf8JsonWriter json, ReadOnlySpan<byte> name, ConnectionId? id)
    {
        if (id is { } known)
        {
            QlogText.WriteId(json, name, known);
        }
    }

    private static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, TimeSpan? time)
    {
        if (time is { } known)
        {
            QlogText.WriteMilliseconds(json, name, known);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? number)
    {
        if (number is { } known)
        {
            json.WriteNumber(name, known);
        }
    }
}
