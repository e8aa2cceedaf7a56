namespace Gimlet;

/// <summary>The one table of error kinds: enum, stable string, what a user can do.</summary>
public static class GimletErrorKindExtensions
{
    /// <summary>The stable string of a kind, such as <c>punch-failed</c>.</summary>
    /// <param name="kind">The kind.</param>
    public static string ToKindString(this GimletErrorKind kind) => Row(kind).Text;

    /// <summary>What usually helps, in one sentence.</summary>
    /// <param name="kind">The kind.</param>
    public static string DefaultHint(this GimletErrorKind kind) => Row(kind).Hint;

    private static (string Text, string Hint) Row(GimletErrorKind kind) => kind switch
    {
        GimletErrorKind.BadUsage => ("bad-usage", "See --help for what is accepted."),
        GimletErrorKind.ServerUnreachable => ("server-unreachable", "Check the server's URL, that it runs, and that this machine may reach it."),
        GimletErrorKind.RendezvousRejected => ("rendezvous-rejected", "Ask the server's operator for access, or use another server."),
        GimletErrorKind.RendezvousNoRelay => ("rendezvous-no-relay", "Use a server that relays, or give either side a public address, IPv6, or a port mapping."),
        GimletErrorKind.PeerOffline => ("peer-offline", "Check that the other side is running and uses the same server."),
        GimletErrorKind.PeerNotReachable => ("peer-not-reachable", "Both people must run connect within the same few seconds; run discover again, the address may have changed."),
        GimletErrorKind.Refused => ("refused", "The other side decides who may connect; ask it to allow this node's id, or for a ticket."),
        GimletErrorKind.ReflexTimeout => ("reflex-timeout", "UDP to the STUN server seems blocked; --public-address can name the address by hand."),
        GimletErrorKind.PunchFailed => ("punch-failed", "A public address, IPv6, or a port mapping on either side makes a direct path possible."),
        GimletErrorKind.PortMapUnavailable => ("port-map-unavailable", "Switch on PCP, NAT-PMP or UPnP at the router, or forward the port by hand and name it with --public-address."),
        GimletErrorKind.Unsupported => ("unsupported", "Update the other side."),
        GimletErrorKind.TimedOut => ("timed-out", "Try again, or allow more time with --timeout."),
        GimletErrorKind.Transport => ("transport", "Connect again."),
        GimletErrorKind.LocalFault => ("local-fault", "The message names what on this machine is in the way."),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not an error kind."),
    };
}
