using System.Text.Json.Serialization;

namespace Gimlet.Cli.Output;

/// <summary>A worker runs.</summary>
/// <param name="WorkerId">Its name.</param>
/// <param name="PeerId">The id of its key.</param>
/// <param name="UdpPort">Its one UDP port.</param>
/// <param name="Health">Where its health check answers; null for nowhere.</param>
internal sealed record StartedEvent(
    string WorkerId,
    string PeerId,
    int UdpPort,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Health) : CliEvent("started");

/// <summary>The rendezvous knows the worker.</summary>
/// <param name="WorkerId">Its name.</param>
/// <param name="Rendezvous">The URL.</param>
/// <param name="PeerId">The id that it has proven; null for none.</param>
internal sealed record RegisteredEvent(
    string WorkerId,
    string Rendezvous,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? PeerId) : CliEvent("registered");

/// <summary>The address at which others reach the worker.</summary>
/// <param name="Address">The address.</param>
/// <param name="Source">stun, configured, cloud-metadata or local.</param>
/// <param name="Explanation">In words.</param>
internal sealed record EndpointEvent(string Address, string Source, string Explanation) : CliEvent("endpoint");

/// <summary>The rendezvous offers another worker.</summary>
/// <param name="PeerWorkerId">Its name.</param>
/// <param name="PeerId">Its proven id; null for none.</param>
internal sealed record OfferEvent(
    string PeerWorkerId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? PeerId) : CliEvent("offer");

/// <summary>The rendezvous is gone, or refuses the worker; connections live on.</summary>
/// <param name="Reason">In words.</param>
/// <param name="RetryMs">When it is tried again.</param>
internal sealed record RendezvousLostEvent(string Reason, double RetryMs) : CliEvent("rendezvous-lost");
