using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gimlet.Signalling;

/// <summary>Text frames to messages and back.</summary>
internal static class SignalCodec
{
    /// <summary>Reads a text frame. Never throws: what cannot be read is reported in words.</summary>
    /// <param name="utf8">The frame.</param>
    /// <param name="message">The message; of the base class when its type is unknown.</param>
    /// <param name="problem">What is wrong with the frame.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out SignalMessage? message, [NotNullWhen(false)] out string? problem)
    {
        message = null;
        try
        {
            message = JsonSerializer.Deserialize(utf8, SignalJson.Default.SignalMessage);
            problem = message is null ? "the frame is JSON null" : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or FormatException or InvalidOperationException)
        {
            problem = e.Message;
        }

        return message is not null && problem is null;
    }

    public static byte[] Write(SignalMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, SignalJson.Default.SignalMessage);
}

/// <summary>Byte strings as base64url without padding, the form of every key, nonce and signature on the wire.</summary>
internal sealed class Base64UrlConverter : JsonConverter<byte[]>
{
    public override byte[]? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("a base64url string is expected");
        }

        // No escapes are possible in base64url, so the raw token is the value.
        ReadOnlySpan<byte> text = reader.ValueSpan;
        try
        {
            return Base64Url.DecodeFromUtf8(text);
        }
        catch (FormatException e)
        {
            throw new JsonException("not a base64url string", e);
        }
    }

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Base64Url.EncodeToString(value));
}

/// <summary>Source-generated JSON of the signalling protocol: no reflection, so it trims and compiles ahead of time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    MaxDepth = 8,
    Converters = [typeof(Base64UrlConverter)])]
[JsonSerializable(typeof(SignalMessage))]
internal sealed partial class SignalJson : JsonSerializerContext;
