using System.Globalization;
using System.Text;
using System.Text.Json;
using Gimlet.Signalling;

namespace Gimlet.Server.Workers;

/// <summary>Reads what workers say. Nothing that a worker can send makes it throw; names that are not known are passed over.</summary>
internal static class WorkerMessageReader
{
    /// <summary>What is quoted of an unknown type in a log.</summary>
    private const int QuotedLength = 64;

    public static WorkerMessage Read(ReadOnlySpan<byte> utf8)
    {
        // The reader does not recurse, so a payload may be as deep as a message is long: what can be read can be echoed.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = Math.Max(utf8.Length, 1) });
        try
        {
            return Read(ref reader, utf8);
        }
        catch (JsonException)
        {
            return new WorkerMessage { Problem = "it is not JSON" };
        }
        catch (InvalidOperationException)
        {
            // RFC 8259 section 8.2: half a surrogate pair in a name is grammatical JSON, and the name of nothing. The whole message ends with it, so that a message
            // of a thousand such names costs one exception and not a thousand.
            return new WorkerMessage { Problem = "a name in it is no text" };
        }
    }

    private static WorkerMessage Read(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        var message = new WorkerMessage();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            // The rest may be no JSON either; nobody needs to know.
            return new WorkerMessage { Problem = "it is not a JSON object" };
        }

        string? type = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            Name name = NameOf(ref reader);
            _ = reader.Read();
            int start = (int)reader.TokenStartIndex;
            string? text = name switch
            {
                Name.Other or Name.Payload => null,
                Name.UdpPort => PortOf(ref reader) ?? TextOf(ref reader, utf8),
                _ => TextOf(ref reader, utf8),
            };
            reader.Skip();
            switch (name)
            {
                case Name.Type: type = text; break;
                case Name.Ip: message.Ip = text; break;
                case Name.UdpIp: message.UdpIp = text; break;
                case Name.UdpPort: message.UdpPort = text; break;
                case Name.PublicKey: message.PublicKey = text; break;
                case Name.Signature: message.Signature = text; break;
                case Name.PeerWorkerId: message.PeerWorkerId = text; break;
                case Name.Payload: message.Payload = utf8[start..(int)reader.BytesConsumed]; break;
                default: break;
            }
        }

        // Nothing but white space may follow: this throws where something does.
        _ = reader.Read();
        message.Kind = KindOf(type);
        if (message.Kind == WorkerMessageKind.Unknown)
        {
            message.Problem = type is null ? "it has no type" : $"its type is '{PlainText.Of(type.Length > QuotedLength ? type[..QuotedLength] : type, "")}'";
        }

        return message;
    }

    private static WorkerMessageKind KindOf(string? type) => type switch
    {
        "register_public_ip" => WorkerMessageKind.RegisterPublicIp,
        "update_udp_endpoint" => WorkerMessageKind.UpdateUdpEndpoint,
        "echo_request" => WorkerMessageKind.EchoRequest,
        "prove_peer_id" => WorkerMessageKind.ProvePeerId,
        "resume_pairing" => WorkerMessageKind.ResumePairing,
        "end_pairing" => WorkerMessageKind.EndPairing,
        _ => WorkerMessageKind.Unknown,
    };

    private static Name NameOf(scoped ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("type"u8) ? Name.Type
        : reader.ValueTextEquals("ip"u8) ? Name.Ip
        : reader.ValueTextEquals("udp_ip"u8) ? Name.UdpIp
        : reader.ValueTextEquals("udp_port"u8) ? Name.UdpPort
        : reader.ValueTextEquals("payload"u8) ? Name.Payload
        : reader.ValueTextEquals("public_key"u8) ? Name.PublicKey
        : reader.ValueTextEquals("signature"u8) ? Name.Signature
        : reader.ValueTextEquals("peer_worker_id"u8) ? Name.PeerWorkerId
        : Name.Other;

    // RFC 8259 section 6 knows one kind of number: 41002.0 and 4.1002e4 are what some languages write for 41002. Null for what is no port as a number.
    private static string? PortOf(scoped ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDecimal(out decimal number) && number is >= 1 and <= ushort.MaxValue && decimal.IsInteger(number)
            ? ((int)number).ToString(CultureInfo.InvariantCulture)
            : null;

    // The reader stays at the value's first token.
    private static string? TextOf(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                try
                {
                    return reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    // RFC 8259 section 8.2: half a surrogate pair is grammatical JSON, and no text.
                    return Encoding.UTF8.GetString(reader.ValueSpan);
                }

            default:
                Utf8JsonReader ahead = reader;
                int start = (int)ahead.TokenStartIndex;
                ahead.Skip();
                return Encoding.UTF8.GetString(utf8[start..(int)ahead.BytesConsumed]);
        }
    }

    private enum Name
    {
        Other,
        Type,
        Ip,
        UdpIp,
        UdpPort,
        Payload,
        PublicKey,
        Signature,
        PeerWorkerId,
    }
}
