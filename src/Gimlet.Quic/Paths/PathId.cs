namespace Gimlet.Quic.Paths;

/// <summary>
/// A way for datagrams, as the owner of the paths numbers it: a pair of UDP addresses or a relay; QUIC does not know which. A number is never
/// used again for another way.
/// </summary>
/// <param name="Value">The owner's number.</param>
internal readonly record struct PathId(int Value);
