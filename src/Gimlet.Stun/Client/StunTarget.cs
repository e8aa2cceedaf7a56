using Gimlet.Sockets;

namespace Gimlet.Stun.Client;

/// <summary>One address to ask, and the name it came from.</summary>
/// <param name="Server">The server as it was written.</param>
/// <param name="Address">Its address; empty when the name did not resolve.</param>
/// <param name="Problem">Why the name did not resolve; <see langword="null"/> when it did.</param>
public sealed record StunTarget(StunServerAddress Server, TransportAddress Address, string? Problem = null)
{
    /// <summary>A target for an address that needed no name.</summary>
    /// <param name="address">The address.</param>
    public StunTarget(TransportAddress address)
        : this(StunServerAddress.From(address), address)
    {
    }

    /// <summary>A name without an address: it is reported among the results, and nothing is sent.</summary>
    /// <param name="server">The server as it was written.</param>
    /// <param name="problem">Why it did not resolve.</param>
    public static StunTarget Unresolved(StunServerAddress server, string problem) => new(server, default, problem);
}
