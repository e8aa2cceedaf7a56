using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>What workers are told, byte for byte as in docs/workers.md: no spaces, the names in that order.</summary>
internal static class WorkerAnswers
{
    // Nothing here is put into HTML; what came readable goes back readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary><c>udp_endpoint_ack</c> with status success.</summary>
    public static ReadOnlyMemory<byte> EndpointStored { get; } = """{"type":"udp_endpoint_ack","status":"success"}"""u8.ToArray();

    public static ReadOnlyMemory<byte> EndpointRefused(string detail) => Error("udp_endpoint_ack", detail);

    /// <summary>An echo.</summary>
    /// <param name="payload">As it was written; empty for none.</param>
    /// <param name="workerId">Who asked.</param>
    public static ReadOnlyMemory<byte> Echo(ReadOnlySpan<byte> payload, string workerId)
    {
        var buffer = new ArrayBufferWriter<byte>(payload.Length + 256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        Begin(writer, "echo_response");
        writer.WritePropertyName("original_payload"u8);
        writer.WriteRawValue(payload.IsEmpty ? "null"u8 : payload, skipInputValidation: true);
        writer.WriteString("processed_by_rendezvous"u8, $"Rendezvous processed echo for {workerId}");
        return End(writer, buffer);
    }

    public static ReadOnlyMemory<byte> Challenge(ReadOnlySpan<byte> nonce)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using var writer = new Utf8JsonWriter(buffer, Options);
        Begin(writer, "peer_id_challenge");
        writer.WriteBase64String("nonce"u8, nonce);
        return End(writer, buffer);
    }

    public static ReadOnlyMemory<byte> Proven(PeerId peer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        Begin(writer, "peer_id_proof");
        writer.WriteString("status"u8, "success"u8);
        writer.WriteString("peer_id"u8, peer.ToString());
        return End(writer, buffer);
    }

    public static ReadOnlyMemory<byte> NotProven(string detail) => Error("peer_id_proof", detail);

    /// <summary>An introduction.</summary>
    /// <param name="workerId">The other worker.</param>
    /// <param name="endpoint">Where it is.</param>
    /// <param name="peer">Its peer id, where both have proven theirs.</param>
    public static ReadOnlyMemory<byte> Offer(string workerId, TransportAddress endpoint, PeerId? peer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        Begin(writer, "p2p_connection_offer");
        writer.WriteString("peer_worker_id"u8, workerId);
        writer.WriteString("peer_udp_ip"u8, endpoint.ToIPAddress().ToString());
        writer.WriteNumber("peer_udp_port"u8, endpoint.Port);
        if (peer is { } id)
        {
            writer.WriteString("peer_id"u8, id.ToString());
        }

        return End(writer, buffer);
    }

    private static ReadOnlyMemory<byte> Error(string type, string detail)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        Begin(writer, type);
        writer.WriteString("status"u8, "error"u8);
        writer.WriteString("detail"u8, detail);
        return End(writer, buffer);
    }

    private static void Begin(Utf8JsonWriter writer, string type)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
    }

    private static ReadOnlyMemory<byte> End(Utf8JsonWriter writer, ArrayBufferWriter<byte> buffer)
    {
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
