using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>What the endpoint read from the Initial that begins a server's connection.</summary>
/// <param name="Destination">The Destination Connection ID of this Initial: its keys derive from it.</param>
/// <param name="Source">The client's Source Connection ID.</param>
/// <param name="OriginalDestination">The Destination Connection ID of the client's very first Initial; the same, but after a Retry.</param>
/// <param name="RetrySource">Our Source Connection ID of the Retry, where there was one.</param>
/// <param name="IsAddressValidated">A token proved that the client has its address: no limit of three times what came (RFC 9000 section 8.1).</param>
internal readonly record struct ServerStart(
    ConnectionId Destination, ConnectionId Source, ConnectionId OriginalDestination, ConnectionId? RetrySource, bool IsAddressValidated);
