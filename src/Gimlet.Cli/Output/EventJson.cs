using System.Text.Json.Serialization;

namespace Gimlet.Cli.Output;

/// <summary>The JSON of every event, generated at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(IdEvent))]
[JsonSerializable(typeof(ReadyEvent))]
[JsonSerializable(typeof(DiscoveredEvent))]
[JsonSerializable(typeof(StunFailedEvent))]
[JsonSerializable(typeof(NatEvent))]
[JsonSerializable(typeof(ListeningEvent))]
[JsonSerializable(typeof(DialingEvent))]
[JsonSerializable(typeof(ConnectedEvent))]
[JsonSerializable(typeof(PathEvent))]
[JsonSerializable(typeof(PongEvent))]
[JsonSerializable(typeof(LostEvent))]
[JsonSerializable(typeof(PingEvent))]
[JsonSerializable(typeof(ClosedEvent))]
[JsonSerializable(typeof(PipeClosedEvent))]
[JsonSerializable(typeof(StartedEvent))]
[JsonSerializable(typeof(RegisteredEvent))]
[JsonSerializable(typeof(EndpointEvent))]
[JsonSerializable(typeof(OfferEvent))]
[JsonSerializable(typeof(RendezvousLostEvent))]
[JsonSerializable(typeof(BenchEvent))]
[JsonSerializable(typeof(SummaryEvent))]
[JsonSerializable(typeof(StepEvent))]
[JsonSerializable(typeof(WarningEvent))]
[JsonSerializable(typeof(ErrorEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
