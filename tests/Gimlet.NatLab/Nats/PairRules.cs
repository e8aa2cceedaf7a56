namespace Gimlet.NatLab.Nats;

/// <summary>Which pairs of NATs can be punched without guessing ports.</summary>
internal static class PairRules
{
    /// <summary>
    /// A NAT that maps per destination shows the peer a port that nobody was told. The other side must let an unknown port of a known address in, so its
    /// filter must not depend on the port.
    /// </summary>
    internal static bool CanMeet(NatKind a, NatKind b)
        => a != NatKind.UdpBlocked && b != NatKind.UdpBlocked
            && (!MapsPerDestination(a) || !FiltersByPort(b))
            && (!MapsPerDestination(b) || !FiltersByPort(a));

    private static bool MapsPerDestination(NatKind kind) => kind is NatKind.Symmetric or NatKind.SequentialSymmetric;

    private static bool FiltersByPort(NatKind kind)
        => kind is NatKind.PortRestricted or NatKind.Firewall || MapsPerDestination(kind);
}
