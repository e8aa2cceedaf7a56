using System.Text.Json;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>
/// Writes a connection's trace as qlog 0.3 (draft-ietf-quic-qlog-main-schema, draft-ietf-quic-qlog-quic-events), which qvis reads: JSON text
/// sequences, times in milliseconds since the first event. Without data, keys and tokens; with connection ids and sizes. Not thread-safe.
/// </summary>
internal sealed class QlogTrace : IConnectionTrace
{
    /// <summary>How large a trace gets: what a browser still opens. About a million packets.</summary>
    public const long DefaultMaxBytes = 256L * 1024 * 1024;

    private readonly QlogWriter _writer;
    private readonly Utf8JsonWriter _json;
    private readonly EndpointRole _role;
    private TimeSpan? _start;
    private PathId? _firstPath;
    private TraceState? _state;
    private int _localAckDelayExponent = (int)TransportParameters.DefaultAckDelayExponent;
    private int _remoteAckDelayExponent = (int)TransportParameters.DefaultAckDelayExponent;

    /// <summary>Begins a trace.</summary>
    /// <param name="stream">Where it goes; owned. Each event is one write, so it should have a buffer.</param>
    /// <param name="role">Which side this is.</param>
    /// <param name="originalDestination">The Destination Connection ID of the client's very first Initial packet: the same on both sides.</param>
    /// <param name="referenceTime">The wall clock now, in milliseconds of Unix time; 0 where nobody knows.</param>
    /// <param name="maxBytes">How large the trace gets at most.</param>
    public QlogTrace(
        Stream stream,
        EndpointRole role,
        in ConnectionId originalDestination,
        double referenceTime = 0,
        long maxBytes = DefaultMaxBytes)
    {
        _writer = new QlogWriter(stream, maxBytes);
        _json = _writer.Json;
        _role = role;
        WriteHeader(originalDestination, referenceTime);
    }

    private EndpointRole Peer => _role == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;

    /// <inheritdoc/>
    public void ConnectionStarted(TimeSpan now, PathId path, in ConnectionId source, in ConnectionId destination)
    {
        _firstPath = path;
        if (TryBegin(now, "connectivity:connection_started"u8, path: null))
        {
            // Addresses are the business of who owns the paths.
            _json.WriteString("src_ip"u8, ""u8);
            _json.WriteString("dst_ip"u8, ""u8);
            _json.WriteString("protocol"u8, "QUIC"u8);
            QlogText.WriteId(_json, "src_cid"u8, source);
            QlogText.WriteId(_json, "dst_cid"u8, destination);
            End();
        }
    }

    /// <inheritdoc/>
    public void StateUpdated(TimeSpan now, TraceState state)
    {
        if (TryBegin(now, "connectivity:connection_state_updated"u8, path: null))
        {
            if (_state is { } old)
            {
                _json.WriteString("old"u8, QlogText.Of(old));
            }

            _json.WriteString("new"u8, QlogText.Of(state));
            End();
            _state = state;
        }
    }

    /// <inheritdoc/>
    public void ConnectionClosed(TimeSpan now, CloseReason reason)
    {
        if (TryBegin(now, "connectivity:connection_closed"u8, path: null))
        {
            QlogConnection.WriteClose(_json, reason);
            End();
            _writer.Flush();
        }
    }

    /// <inheritdoc/>
    public void ParametersSet(TimeSpan now, bool isLocal, TransportParameters parameters)
    {
        if (isLocal)
        {
            _localAckDelayExponent = (int)parameters.AckDelayExponent;
        }
        else
        {
            _remoteAckDelayExponent = (int)parameters.AckDelayExponent;
        }

        if (TryBegin(now, "transport:parameters_set"u8, path: null))
        {
            _json.WriteString("owner"u8, isLocal ? "local"u8 : "remote"u8);
            QlogConnection.WriteParameters(_json, parameters);
            End();
        }
    }

    /// <inheritdoc/>
    public void PacketSent(TimeSpan now, PathId path, PacketType type, long packetNumber, int size, ReadOnlySpan<byte> payload)
    {
        if (TryBegin(now, "transport:packet_sent"u8, path))
        {
            WritePacket(type, packetNumber, size, payload, _role, _localAckDelayExponent);
            End();
        }
    }

    /// <inheritdoc/>
    public void PacketReceived(TimeSpan now, PathId path, PacketType type, long packetNumber, int size, ReadOnlySpan<byte> payload)
    {
        if (TryBegin(now, "transport:packet_received"u8, path))
        {
            WritePacket(type, packetNumber, size, payload, Peer, _remoteAckDelayExponent);
            End();
        }
    }

    /// <inheritdoc/>
    public void PacketDropped(TimeSpan now, PathId path, PacketType? type, int size, PacketDropReason reason)
    {
        if (TryBegin(now, "transport:packet_dropped"u8, path))
        {
            _json.WriteStartObject("header"u8);
            _json.WriteString("packet_type"u8, type is { } known ? QlogText.Of(known) : "unknown"u8);
            _json.WriteEndObject();
            WriteSize(size, payloadLength: null);
            _json.WriteString("trigger"u8, QlogText.Of(reason));
            _json.WriteStartObject("details"u8);
            _json.WriteString("reason"u8, QlogText.DetailOf(reason));
            _json.WriteEndObject();
            End();
        }
    }

    /// <inheritdoc/>
    public void PacketLost(TimeSpan now, PathId path, PacketType type, long packetNumber, PacketLossReason? reason)
    {
        if (TryBegin(now, "recovery:packet_lost"u8, path))
        {
            WritePacketHeader(type, packetNumber);
            if (reason is { } known)
            {
                _json.WriteString("trigger"u8, QlogText.Of(known));
            }

            End();
        }
    }

    /// <inheritdoc/>
    public void MetricsUpdated(TimeSpan now, PathId path, in TraceMetrics metrics)
    {
        if (TryBegin(now, "recovery:metrics_updated"u8, path))
        {
            QlogConnection.WriteMetrics(_json, metrics);
            End();
        }
    }

    /// <inheritdoc/>
    public void KeyUpdated(TimeSpan now, EndpointRole sender, PacketNumberSpace space, long generation, KeyUpdateTrigger trigger)
    {
        if (TryBegin(now, "security:key_updated"u8, path: null))
        {
            _json.WriteString("key_type"u8, QlogText.KeyOf(sender, space));
            if (space == PacketNumberSpace.Application)
            {
                _json.WriteNumber("generation"u8, generation);
            }

            _json.WriteString("trigger"u8, QlogText.Of(trigger));
            End();
        }
    }

    /// <inheritdoc/>
    public void KeyDiscarded(TimeSpan now, PacketNumberSpace space)
    {
        WriteKeyDiscarded(now, EndpointRole.Client, space);
        WriteKeyDiscarded(now, EndpointRole.Server, space);
    }

    /// <inheritdoc/>
    public void PathUpdated(TimeSpan now, PathId path, TracePathState state)
    {
        if (TryBegin(now, "connectivity:migration_state_updated"u8, path))
        {
            _json.WriteString("new"u8, QlogText.Of(state));
            QlogText.WritePath(_json, "path_id"u8, path);
            End();
        }
    }

    /// <inheritdoc/>
    public void MtuUpdated(TimeSpan now, PathId path, int old, int current)
    {
        if (TryBegin(now, "connectivity:mtu_updated"u8, path))
        {
            _json.WriteNumber("old"u8, old);
            _json.WriteNumber("new"u8, current);
            End();
        }
    }

    public void Dispose() => _writer.Dispose();

    private void WriteHeader(in ConnectionId originalDestination, double referenceTime)
    {
        _writer.Begin();
        _json.WriteString("qlog_version"u8, "0.3"u8);
        _json.WriteString("qlog_format"u8, "JSON-SEQ"u8);
        _json.WriteString("title"u8, "Gimlet.Quic"u8);
        _json.WriteStartObject("trace"u8);
        _json.WriteStartObject("vantage_point"u8);
        _json.WriteString("name"u8, "Gimlet.Quic"u8);
        _json.WriteString("type"u8, _role == EndpointRole.Client ? "client"u8 : "server"u8);
        _json.WriteEndObject();
        _json.WriteStartObject("common_fields"u8);
        QlogText.WriteId(_json, "ODCID"u8, originalDestination);
        QlogText.WriteId(_json, "group_id"u8, originalDestination);
        _json.WriteString("time_format"u8, "relative"u8);
        _json.WriteNumber("reference_time"u8, referenceTime);
        _json.WriteStartArray("protocol_type"u8);
        _json.WriteStringValue("QUIC"u8);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndObject();
        _writer.End();
    }

    // Of the first path nothing is said: qlog's default is the path of the handshake.
    private bool TryBegin(TimeSpan now, ReadOnlySpan<byte> name, PathId? path)
    {
        if (_writer.HasEnded)
        {
            return false;
        }

        _start ??= now;
        _writer.Begin();
        QlogText.WriteMilliseconds(_json, "time"u8, now - _start.Value);
        _json.WriteString("name"u8, name);
        if (path is { } known && known != _firstPath)
        {
            QlogText.WritePath(_json, "path"u8, known);
        }

        _json.WriteStartObject("data"u8);
        return true;
    }

    private void End()
    {
        _json.WriteEndObject();
        _writer.End();
    }

    private void WritePacket(
        PacketType type, long packetNumber, int size, ReadOnlySpan<byte> payload, EndpointRole sender, int ackDelayExponent)
    {
        WritePacketHeader(type, packetNumber);
        if (type is PacketType.Retry or PacketType.VersionNegotiation)
        {
            WriteSize(size, payloadLength: null);
            return;
        }

        // RFC 9000 section 18.2: ack_delay_exponent is for 1-RTT packets; the others have the default.
        WriteSize(size, payload.Length);
        int exponent = type == PacketType.OneRtt ? ackDelayExponent : (int)TransportParameters.DefaultAckDelayExponent;
        QlogFrames.Write(_json, payload, type, sender, exponent);
    }

    private void WritePacketHeader(PacketType type, long packetNumber)
    {
        _json.WriteStartObject("header"u8);
        _json.WriteString("packet_type"u8, QlogText.Of(type));
        if (type is not (PacketType.Retry or PacketType.VersionNegotiation))
        {
            _json.WriteNumber("packet_number"u8, packetNumber);
        }

        _json.WriteEndObject();
    }

    private void WriteSize(int size, int? payloadLength)
    {
        _json.WriteStartObject("raw"u8);
        _json.WriteNumber("length"u8, size);
        if (payloadLength is { } length)
        {
            _json.WriteNumber("payload_length"u8, length);
        }

        _json.WriteEndObject();
    }

    private void WriteKeyDiscarded(TimeSpan now, EndpointRole sender, PacketNumberSpace space)
    {
        if (TryBegin(now, "security:key_discarded"u8, path: null))
        {
            _json.WriteString("key_type"u8, QlogText.KeyOf(sender, space));
            _json.WriteString("trigger"u8, "tls"u8);
            End();
        }
    }
}
