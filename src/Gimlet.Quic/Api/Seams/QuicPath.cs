namespace Gimlet.Quic;

/// <summary>
/// A way for datagrams, as the owner of the sockets numbers it: a pair of UDP addresses or a relay; QUIC does not know which. A number is never
/// used again for another way.
/// </summary>
/// <param name="Value">The owner's number.</param>
public readonly record struct QuicPath(int Value);
