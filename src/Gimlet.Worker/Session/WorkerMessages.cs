using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gimlet.Sockets;

namespace Gimlet.Worker.Session;

/// <summary>The messages of the rendezvous, as bytes (docs/workers.md, "Messages"). Reading never throws, whatever comes.</summary>
internal static class WorkerMessages
{
    // What is signed are 32 bytes; a rendezvous that sends more is not one.
    private const int MaxNonceLength = 64;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>register_public_ip</c>.</summary>
    public static byte[] RegisterPublicIp(string address) => Write(("type", "register_public_ip"), ("ip", address));

    /// <summary><c>update_udp_endpoint</c>.</summary>
    public static byte[] UpdateUdpEndpoint(TransportAddress address)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "update_udp_endpoint");
            writer.WriteString("udp_ip", address.ToIPAddress().ToString());
            writer.WriteNumber("udp_port", address.Port);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary><c>prove_peer_id</c>, the question for a nonce.</summary>
    public static byte[] AskForChallenge() => Write(("type", "prove_peer_id"));

    /// <summary><c>prove_peer_id</c>, the answer.</summary>
    public static byte[] ProvePeerId(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> signature) =>
        Write(("type", "prove_peer_id"), ("public_key", Convert.ToBase64String(publicKey)), ("signature", Convert.ToBase64String(signature)));

    /// <summary><c>resume_pairing</c>.</summary>
    public static byte[] ResumePairing(string peerWorkerId) => Write(("type", "resume_pairing"), ("peer_worker_id", peerWorkerId));

    /// <summary><c>end_pairing</c>.</summary>
    public static byte[] EndPairing() => Write(("type", "end_pairing"));

    /// <summary>Reads a frame; null for one that is none of ours or means nothing to a worker.</summary>
    /// <param name="frame">The text, in UTF-8.</param>
    public static WorkerMessage? Read(ReadOnlyMemory<byte> frame)
    {
        try
        {
            using var json = JsonDocument.Parse(frame);
            return json.RootElement.ValueKind == JsonValueKind.Object ? Read(json.RootElement) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a text with half a character in it. Nothing that a rendezvous says may end a worker.
            return null;
        }
    }

    private static WorkerMessage? Read(JsonElement message) => Text(message, "type") switch
    {
        "p2p_connection_offer" => ReadOffer(message),
        "udp_endpoint_ack" => new EndpointAck(IsSuccess(message), Detail(message)),
        "peer_id_challenge" => Bytes(message, "nonce") is { } nonce ? new ProofChallenge(nonce) : null,
        "peer_id_proof" => new ProofVerdict(IsSuccess(message), Text(message, "peer_id"), Detail(message)),
        _ => null,
    };

    private static WorkerMessage ReadOffer(JsonElement message)
    {
        string? worker = Text(message, "peer_worker_id");
        string? ip = Text(message, "peer_udp_ip");
        int port = Port(message);
        if (!WorkerNames.IsValid(worker) || !IPAddress.TryParse(ip, out IPAddress? address) || port == 0)
        {
            return new MalformedOffer($"worker '{Short(worker)}' at '{Short(ip)}', port {port}");
        }

        PeerId? peer = null;
        if (message.TryGetProperty("peer_id", out JsonElement named) && named.ValueKind != JsonValueKind.Null)
        {
            if (Text(message, "peer_id") is not { } text || !global::Gimlet.PeerId.TryParse(text, out PeerId id, out _))
            {
                return new MalformedOffer($"worker '{worker}' with a peer id that is none");
            }

            peer = id;
        }

        return new Offer(worker!, new IPEndPoint(address, port), peer);
    }

    private static bool IsSuccess(JsonElement message) => Text(message, "status") == "success";

    private static string Detail(JsonElement message) => Short(Text(message, "detail"));

    // What another machine says goes into messages for people: bounded, and without control characters.
    private static string Short(string? text) => Signalling.PlainText.Of(text, "nothing");

    private static string? Text(JsonElement message, string name) =>
        message.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement message, string name) =>
        message.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
        && value.TryGetBytesFromBase64(out byte[]? bytes) && bytes.Length is > 0 and <= MaxNonceLength
            ? bytes
            : null;

    // A number, or a numeric string; 0 for neither.
    private static int Port(JsonElement message) =>
        message.TryGetProperty("peer_udp_port", out JsonElement value)
            ? value.ValueKind switch
            {
                JsonValueKind.Number => value.TryGetUInt16(out ushort number) ? number : 0,
                JsonValueKind.String => ushort.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) ? number : 0,
                _ => 0,
            }
            : 0;

    private static byte[] Write(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            writer.WriteStartObject();
            foreach ((string name, string value) in fields)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>A message of the rendezvous that means something to a worker.</summary>
internal abstract record WorkerMessage;

/// <summary>Somebody to connect to.</summary>
internal sealed record Offer(string WorkerId, IPEndPoint Address, PeerId? PeerId) : WorkerMessage;

/// <summary>An offer of nobody: the rendezvous has paired this worker, and only it knows with whom.</summary>
internal sealed record MalformedOffer(string Detail) : WorkerMessage;

/// <summary>What became of the endpoint.</summary>
internal sealed record EndpointAck(bool IsSuccess, string Detail) : WorkerMessage;

/// <summary>What is to be signed.</summary>
internal sealed record ProofChallenge(byte[] Nonce) : WorkerMessage;

/// <summary>What became of the proof.</summary>
internal sealed record ProofVerdict(bool IsSuccess, string? PeerId, string Detail) : WorkerMessage;
