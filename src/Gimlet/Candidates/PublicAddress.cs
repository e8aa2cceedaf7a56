using Gimlet.Sockets;

namespace Gimlet;

/// <summary>The public address of a node's port, as far as it is known.</summary>
/// <param name="Address">The address; empty while nothing is known.</param>
/// <param name="Source">How it became known.</param>
/// <param name="Explanation">In words: who saw it, or why a fallback was used.</param>
public sealed record PublicAddress(TransportAddress Address, PublicAddressSource Source, string Explanation);
