using System.Net;
using System.Text.Json;
using Gimlet.Signalling;

namespace Gimlet.Worker.Rendezvous;

/// <summary>
/// Keeps what the rendezvous says when it refuses the upgrade: a WebSocket client tells the status alone, and the reason is in the body, <c>{"detail":"..."}</c>.
/// </summary>
internal sealed class RefusalReader(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    // A sentence; what is longer is a page of a proxy.
    private const int MaxBody = 4096;

    /// <summary>The status and the reason of the refusal; null where there was none.</summary>
    public (HttpStatusCode Status, string? Detail)? Refusal { get; private set; }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            Refusal = (response.StatusCode, await ReadDetailAsync(response, cancellationToken).ConfigureAwait(false));
        }

        return response;
    }

    private static async Task<string?> ReadDetailAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            byte[] bytes = new byte[MaxBody];
            int length = await body.ReadAtLeastAsync(bytes, MaxBody, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            using var json = JsonDocument.Parse(bytes.AsMemory(0, length));
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("detail", out JsonElement detail) && detail.ValueKind == JsonValueKind.String
                    ? PlainText.Of(detail.GetString(), string.Empty)
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or HttpRequestException)
        {
            // Whoever answered is no rendezvous; the status says enough.
            return null;
        }
    }
}
