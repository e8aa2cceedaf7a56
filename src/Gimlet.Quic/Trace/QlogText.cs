using System.Globalization;
using System.Text.Json;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>The words of qlog for values of ours.</summary>
internal static class QlogText
{
    /// <summary>Writes an id in hexadecimal.</summary>
    public static void WriteId(Utf8JsonWriter json, ReadOnlySpan<byte> name, in ConnectionId id)
    {
        Span<byte> bytes = stackalloc byte[ConnectionId.MaxLength];
        id.CopyTo(bytes);
        Span<byte> text = stackalloc byte[2 * ConnectionId.MaxLength];
        _ = Convert.TryToHexStringLower(bytes[..id.Length], text, out int length);
        json.WriteString(name, text[..length]);
    }

    /// <summary>Writes a path's number; qlog's are text.</summary>
    public static void WritePath(Utf8JsonWriter json, ReadOnlySpan<byte> name, PathId path)
    {
        Span<byte> text = stackalloc byte[11];
        _ = path.Value.TryFormat(text, out int length, provider: CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    /// <summary>Writes a time, to the microsecond.</summary>
    public static void WriteMilliseconds(Utf8JsonWriter json, ReadOnlySpan<byte> name, TimeSpan time) =>
        json.WriteNumber(name, Math.Round(time.TotalMilliseconds, 3));

    public static ReadOnlySpan<byte> Of(PacketType type) => type switch
    {
        PacketType.Initial => "initial"u8,
        PacketType.ZeroRtt => "0RTT"u8,
        PacketType.Handshake => "handshake"u8,
        PacketType.Retry => "retry"u8,
        PacketType.OneRtt => "1RTT"u8,
        PacketType.VersionNegotiation => "version_negotiation"u8,
        _ => "unknown"u8,
    };

    public static ReadOnlySpan<byte> Of(TraceState state) => state switch
    {
        TraceState.Attempted => "attempted"u8,
        TraceState.PeerValidated => "peer_validated"u8,
        TraceState.HandshakeStarted => "handshake_started"u8,
        TraceState.HandshakeComplete => "handshake_complete"u8,
        TraceState.HandshakeConfirmed => "handshake_confirmed"u8,
        TraceState.Closing => "closing"u8,
        TraceState.Draining => "draining"u8,
        _ => "closed"u8,
    };

    public static ReadOnlySpan<byte> Of(PacketDropReason reason) => reason switch
    {
        PacketDropReason.KeyUnavailable => "key_unavailable"u8,
        PacketDropReason.DecryptionFailure => "decryption_failure"u8,
        PacketDropReason.Duplicate => "duplicate"u8,
        PacketDropReason.UnsupportedVersion => "unsupported"u8,
        PacketDropReason.Unexpected or PacketDropReason.UnknownPath or PacketDropReason.BufferFull => "rejected"u8,
        _ => "invalid"u8,
    };

    public static ReadOnlySpan<byte> DetailOf(PacketDropReason reason) => reason switch
    {
        PacketDropReason.HeaderInvalid => "header"u8,
        PacketDropReason.KeyUnavailable => "keys are not there"u8,
        PacketDropReason.DecryptionFailure => "not authentic"u8,
        PacketDropReason.Duplicate => "came before"u8,
        PacketDropReason.Unexpected => "not wanted now"u8,
        PacketDropReason.UnsupportedVersion => "version"u8,
        PacketDropReason.TooSmall => "too small"u8,
        PacketDropReason.UnknownPath => "path"u8,
        _ => "buffer full"u8,
    };

    public static ReadOnlySpan<byte> Of(PacketLossReason reason) => reason switch
    {
        PacketLossReason.ReorderingThreshold => "reordering_threshold"u8,
        PacketLossReason.TimeThreshold => "time_threshold"u8,
        _ => "path_removed"u8,
    };

    public static ReadOnlySpan<byte> Of(KeyUpdateTrigger trigger) => trigger switch
    {
        KeyUpdateTrigger.LocalUpdate => "local_update"u8,
        KeyUpdateTrigger.RemoteUpdate => "remote_update"u8,
        _ => "tls"u8,
    };

    public static ReadOnlySpan<byte> Of(TracePathState state) => state switch
    {
        TracePathState.ProbingStarted => "probing_started"u8,
        TracePathState.ProbingSuccessful => "probing_successful"u8,
        TracePathState.ProbingAbandoned => "probing_abandoned"u8,
        _ => "migration_complete"u8,
    };

    /// <summary>The name of the secret that a side protects its packets with.</summary>
    public static ReadOnlySpan<byte> KeyOf(EndpointRole sender, PacketNumberSpace space) => (sender, space) switch
    {
        (EndpointRole.Server, PacketNumberSpace.Initial) => "server_initial_secret"u8,
        (_, PacketNumberSpace.Initial) => "client_initial_secret"u8,
        (EndpointRole.Server, PacketNumberSpace.Handshake) => "server_handshake_secret"u8,
        (_, PacketNumberSpace.Handshake) => "client_handshake_secret"u8,
        (EndpointRole.Server, _) => "server_1rtt_secret"u8,
        _ => "client_1rtt_secret"u8,
    };
}
