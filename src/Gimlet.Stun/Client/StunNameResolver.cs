using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Stun.Client;

/// <summary>What a name resolved to.</summary>
/// <param name="Server">The server that was asked for.</param>
/// <param name="Addresses">Its addresses, as the resolver ordered them; empty on failure.</param>
/// <param name="Error">Why there is none; <see langword="null"/> on success.</param>
public sealed record StunResolution(StunServerAddress Server, IReadOnlyList<TransportAddress> Addresses, string? Error)
{
    /// <summary>What to hand to a <see cref="StunQuery"/>: one target per address, or one that says that there is none.</summary>
    public IEnumerable<StunTarget> ToTargets() => Error is null
        ? Addresses.Select(address => new StunTarget(Server, address))
        : [StunTarget.Unresolved(Server, Error)];
}

/// <summary>
/// Turns the names of STUN servers into addresses, A and AAAA at once. No failure of the network is ever an exception: DNS that is
/// broken must not stop a node.
/// </summary>
public sealed class StunNameResolver
{
    /// <summary>
    /// At most this many addresses of one family per name: enough for a pool with one dead member, too few to make a name a means of
    /// sending many packets.
    /// </summary>
    public const int MaxAddressesPerFamily = 2;

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookup;
    private readonly TimeProvider _time;

    /// <summary>Resolves through the operating system.</summary>
    public StunNameResolver()
        : this(static (host, cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken), TimeProvider.System)
    {
    }

    /// <summary>Resolves through a function.</summary>
    /// <param name="lookup">Gives all addresses of a name; may throw.</param>
    /// <param name="time">Measures the timeout.</param>
    public StunNameResolver(Func<string, CancellationToken, Task<IPAddress[]>> lookup, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        ArgumentNullException.ThrowIfNull(time);
        _lookup = lookup;
        _time = time;
    }

    /// <summary>
    /// How long a name may take, 3 s by default: as long as a query waits for its servers. A resolver that retries over a dead
    /// server takes 5 s and more.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Resolves one name. An IP address resolves to itself without any lookup.</summary>
    /// <param name="server">The server.</param>
    /// <param name="cancellationToken">Gives up early.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing else is thrown.</exception>
    public async Task<StunResolution> ResolveAsync(StunServerAddress server, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (server.TryGetAddress(out TransportAddress literal))
        {
            return new StunResolution(server, [literal], Error: null);
        }

        IPAddress[] found;
        try
        {
            found = await _lookup(server.Host, cancellationToken).WaitAsync(Timeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return Failed(server, $"The name {server.Host} did not resolve within {Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever a resolver throws, SocketException or worse, means the same here: no address, and a reason.
            return Failed(server, $"The name {server.Host} does not resolve: {failure.Message}");
        }

        List<TransportAddress> addresses =
            [.. Take(found, AddressFamily.InterNetwork, server.Port), .. Take(found, AddressFamily.InterNetworkV6, server.Port)];
        return addresses.Count > 0
            ? new StunResolution(server, addresses, Error: null)
            : Failed(server, $"The name {server.Host} has no IPv4 or IPv6 address.");
    }

    private static IEnumerable<TransportAddress> Take(IPAddress[] found, AddressFamily family, int port) => found
        .Where(ip => ip.AddressFamily == family)
        .Select(ip => new TransportAddress(ip, port))
        .Distinct()
        .Take(MaxAddressesPerFamily);

    private static StunResolution Failed(StunServerAddress server, string error) => new(server, [], error);
}
