using System.Buffers;
using System.Text.Json;
using Gimlet.Server.Observability;
using Gimlet.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>What the rendezvous answers over plain HTTP (docs/workers.md).</summary>
internal static class WorkerApi
{
    /// <summary>Bytes of a request's body; 4 KiB, ten times two worker ids.</summary>
    private const int MaxBody = 4096;

    public static Task HomeAsync(HttpContext context) => HttpAnswers.WriteAsync(context, StatusCodes.Status200OK, static writer =>
        writer.WriteString("message"u8, "This is a Gimlet rendezvous for workers. Workers register at /ws/register/{worker_id} by WebSocket."));

    public static Task IpAsync(HttpContext context, WorkersHost host)
    {
        TransportAddress remote = host.Proxies.Read(context).Remote;
        return HttpAnswers.WriteAsync(context, StatusCodes.Status200OK, writer => writer.WriteString("ip"u8, remote.ToIPAddress().ToString()));
    }

    public static Task DebugAsync(HttpContext context, WorkersHost host) => ForOperatorsAsync(context, host, () =>
    {
        (WorkerCounts counts, List<WorkerView> workers) = host.Core.Describe();
        return HttpAnswers.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteNumber("connected_workers_count"u8, counts.Connected);
            writer.WriteStartObject("workers"u8);
            foreach (WorkerView worker in workers)
            {
                writer.WriteStartObject(worker.Id);
                WriteKnown(writer, worker);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        });
    });

    public static Task ListAsync(HttpContext context, WorkersHost host) => ForOperatorsAsync(context, host, () =>
    {
        (WorkerCounts counts, List<WorkerView> workers) = host.Core.Describe();
        return HttpAnswers.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteNumber("connected"u8, counts.Connected);
            writer.WriteNumber("waiting"u8, counts.Waiting);
            writer.WriteNumber("paired"u8, counts.Paired);
            writer.WriteStartArray("workers"u8);
            foreach (WorkerView worker in workers)
            {
                writer.WriteStartObject();
                writer.WriteString("worker_id"u8, worker.Id);
                writer.WriteString("state"u8, worker.State);
                writer.WriteString("group"u8, worker.Group);
                writer.WriteString("peer_id"u8, worker.Peer?.ToString());
                writer.WriteString("peer_worker_id"u8, worker.Partner);
                WriteKnown(writer, worker);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    });

    public static Task ConnectAsync(HttpContext context, WorkersHost host) => ForOperatorsAsync(context, host, async () =>
    {
        (string A, string B)? ids = await ReadAsync(context).ConfigureAwait(false);
        if (ids is not { } two)
        {
            await HttpAnswers.RefuseAsync(context, StatusCodes.Status400BadRequest, """The body must be {"worker_a_id":"A","worker_b_id":"B"}""").ConfigureAwait(false);
        }
        else if (host.Core.Introduce(two.A, two.B) is { } refusal)
        {
            host.Metrics.Refused(refusal.Kind);
            await HttpAnswers.RefuseAsync(context, refusal.Status, refusal.Detail).ConfigureAwait(false);
        }
        else
        {
            await HttpAnswers.WriteAsync(context, StatusCodes.Status200OK, writer =>
            {
                writer.WriteString("status"u8, "offered"u8);
                writer.WriteString("worker_a_id"u8, two.A);
                writer.WriteString("worker_b_id"u8, two.B);
            }).ConfigureAwait(false);
        }
    });

    private static Task ForOperatorsAsync(HttpContext context, WorkersHost host, Func<Task> answer)
    {
        if (host.Operators.Refuses(context) is not { } problem)
        {
            return answer();
        }

        host.Metrics.Refused("operator");
        return HttpAnswers.RefuseAsync(context, StatusCodes.Status403Forbidden, problem);
    }

    private static void WriteKnown(Utf8JsonWriter writer, in WorkerView worker)
    {
        writer.WriteString("websocket_observed_ip"u8, worker.Remote.ToIPAddress().ToString());
        writer.WriteNumber("websocket_observed_port"u8, worker.Remote.Port);
        writer.WriteString("http_reported_public_ip"u8, worker.ReportedIp?.ToString());
        if (worker.Endpoint.IsEmpty)
        {
            writer.WriteNull("stun_reported_udp_ip"u8);
            writer.WriteNull("stun_reported_udp_port"u8);
        }
        else
        {
            writer.WriteString("stun_reported_udp_ip"u8, worker.Endpoint.ToIPAddress().ToString());
            writer.WriteNumber("stun_reported_udp_port"u8, worker.Endpoint.Port);
        }

        writer.WriteBoolean("websocket_connected"u8, worker.IsConnected);
    }

    // Null when the body is not what it should be.
    private static async Task<(string A, string B)?> ReadAsync(HttpContext context)
    {
        // The server around this may allow no bodies at all, or large ones.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBody;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxBody + 1);
        try
        {
            int length = await context.Request.Body.ReadAtLeastAsync(buffer.AsMemory(0, MaxBody + 1), MaxBody + 1, throwOnEndOfStream: false, context.RequestAborted).ConfigureAwait(false);
            return length > MaxBody ? null : Parse(buffer.AsSpan(0, length));
        }
        catch (BadHttpRequestException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (string A, string B)? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var document = JsonDocument.ParseValue(ref reader);
            return !reader.Read()
                && document.RootElement.ValueKind == JsonValueKind.Object
                && Name(document.RootElement, "worker_a_id"u8) is { } a
                && Name(document.RootElement, "worker_b_id"u8) is { } b
                    ? (a, b)
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // RFC 8259 section 8.2: half a surrogate pair in a member's name is JSON, and no text to compare.
            return null;
        }
    }

    // What is no name is not known, and the answer says so; nothing else happens with it.
    private static string? Name(JsonElement body, ReadOnlySpan<byte> property)
    {
        if (!body.TryGetProperty(property, out JsonElement value) || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: JSON, and no text.
            return null;
        }
    }
}
