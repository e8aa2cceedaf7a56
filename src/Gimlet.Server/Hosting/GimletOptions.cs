using System.Net;
using Gimlet.Server.Access;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Server;

/// <summary>How the server behaves inside any ASP.NET Core application.</summary>
public record GimletOptions
{
    /// <summary>
    /// The hosts that nodes dial, <c>host</c> or <c>host:port</c>; a node that dialled another one is refused. Empty: the addresses of
    /// this machine, and localhost.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>
    /// Networks of proxies whose X-Forwarded-For, -Host and -Proto are believed; empty: nobody's. Behind a proxy that is not named here
    /// every node seems to come from the proxy, and limits per address hit them all together.
    /// </summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Who may register; everyone, unless another rule is set. The log says which at the start.</summary>
    public AccessRule Access { get; init; } = AccessRule.Everyone;

    /// <summary>
    /// Whether the server relays datagrams between nodes that have no direct path; true. <see cref="RendezvousLimits.RelayBytesPerSecond"/> says how
    /// much for each.
    /// </summary>
    public bool Relay { get; init; } = true;

    /// <summary>What nodes may ask of the server.</summary>
    public RendezvousLimits Limits { get; init; } = new();

    /// <summary>The server's times.</summary>
    public RendezvousTimers Timers { get; init; } = new();

    /// <summary>
    /// Passes loopback candidates on to every node; false. Nodes that come from loopback themselves are told each other's
    /// loopback candidates in any case.
    /// </summary>
    public bool AllowLoopback { get; init; }

    /// <summary>
    /// The STUN server beside the rendezvous; null for none. By default port 3478 (RFC 8489 section 18.6) and, for the mapping test with
    /// two destinations, port 3479, on every address. The proof key is the server's own and not taken from here.
    /// </summary>
    public StunServerOptions? Stun { get; init; } = new() { Alternate = StunServerOptions.EveryAddress(StunServerOptions.DefaultPort + 1) };

    /// <summary>
    /// What nodes are told to ask by STUN, <c>host:port</c>, an empty host being the one they dialled; null: worked out from
    /// <see cref="Stun"/>.
    /// </summary>
    public IReadOnlyList<string>? AnnouncedStun { get; init; }

    /// <summary>Checks that the values make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it and what would be right.</exception>
    internal virtual void Validate()
    {
        ArgumentNullException.ThrowIfNull(Names);
        ArgumentNullException.ThrowIfNull(TrustedProxies);
        ArgumentNullException.ThrowIfNull(Access);
        ArgumentNullException.ThrowIfNull(Limits);
        ArgumentNullException.ThrowIfNull(Timers);
        _ = new ServedNames(Names, static _ => false);
        if ((Limits.FindProblem() ?? Timers.FindProblem()) is { } problem)
        {
            throw new ArgumentException(problem);
        }

        foreach (string announced in AnnouncedStun ?? [])
        {
            if (!AuthorityText.TrySplit(announced is [':', ..] ? "x" + announced : announced, out _, out int? port) || port is null)
            {
                throw new ArgumentException($"AnnouncedStun has '{announced}'; write host:port, or :port for the host that a node dialled.");
            }
        }
    }
}
