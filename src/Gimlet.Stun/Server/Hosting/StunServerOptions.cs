using System.Net;
using System.Net.Sockets;

namespace Gimlet.Stun.Server.Hosting;

/// <summary>Where a <see cref="StunServer"/> listens and how.</summary>
public sealed record StunServerOptions
{
    /// <summary>The port of STUN: 3478 (RFC 8489 section 18.6).</summary>
    public const int DefaultPort = 3478;

    /// <summary>
    /// Where to listen: one end point per family, all on one port; port 0 takes a port that is free on all of them. The
    /// default is port 3478 on every address of this machine.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = EveryAddress(DefaultPort);

    /// <summary>
    /// The second port for behaviour discovery (RFC 5780), at most one end point per family, all on one port; empty for a
    /// plain server. An address other than that of <see cref="Listen"/> makes a full RFC 5780 server of that family:
    /// both ports on both addresses, which then must both be given and not be the wildcard. The same address, or the
    /// wildcard, adds the port only.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Alternate { get; init; } = [];

    /// <summary>
    /// Local addresses and what the internet knows them as, for a server behind a one-to-one NAT (a cloud's elastic
    /// addresses); used for the two addresses of an RFC 5780 server.
    /// </summary>
    public IReadOnlyDictionary<IPAddress, IPAddress> PublicAddresses { get; init; } = new Dictionary<IPAddress, IPAddress>();

    /// <summary>The 32-byte key for GIMLET-PROOF, shared with the rendezvous of the same server; empty: no proofs.</summary>
    public ReadOnlyMemory<byte> ProofKey { get; init; }

    /// <summary>The wall clock for GIMLET-PROOF.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Threads on each socket of the main port, 1 to 64. One thread answers several hundred thousand requests a second;
    /// with more, each has its own socket on the same port, and the kernel spreads the clients over them (Linux). Then the
    /// port is shared, and a second server of the same user on it is not noticed.
    /// </summary>
    public int ThreadsPerSocket { get; init; } = 1;

    /// <summary>
    /// The receive buffer per socket, in bytes: at 200,000 requests a second, each counted by Linux as about 800 bytes,
    /// 4 MiB last for 25 ms, longer than a busy machine keeps a thread waiting. Systems may cap it.
    /// </summary>
    public int ReceiveBufferBytes { get; init; } = 4 << 20;

    /// <summary>The wildcard of each family that this machine has.</summary>
    /// <param name="port">The port.</param>
    public static IReadOnlyList<IPEndPoint> EveryAddress(int port) => Socket.OSSupportsIPv6
        ? [new IPEndPoint(IPAddress.Any, port), new IPEndPoint(IPAddress.IPv6Any, port)]
        : [new IPEndPoint(IPAddress.Any, port)];

    /// <summary>Checks that the values make sense together.</summary>
    /// <exception cref="ArgumentException">A value does not; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Listen);
        ArgumentNullException.ThrowIfNull(Alternate);
        ArgumentNullException.ThrowIfNull(PublicAddresses);
        ArgumentNullException.ThrowIfNull(Time);
        ArgumentOutOfRangeException.ThrowIfLessThan(ThreadsPerSocket, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ThreadsPerSocket, 64);
        if (Listen.Count == 0)
        {
            throw new ArgumentException($"{nameof(Listen)} is empty; give one end point per family.", nameof(Listen));
        }

        ValidateList(Listen, nameof(Listen));
        ValidateList(Alternate, nameof(Alternate));
        foreach (IPEndPoint alternate in Alternate)
        {
            IPEndPoint primary = Listen.FirstOrDefault(p => p.AddressFamily == alternate.AddressFamily)
                ?? throw new ArgumentException($"{nameof(Alternate)} has {alternate}, and {nameof(Listen)} has no address of that family.", nameof(Alternate));
            if (alternate.Port == primary.Port && alternate.Port != 0)
            {
                throw new ArgumentException(
                    $"{nameof(Alternate)} {alternate} must have another port than {nameof(Listen)} (RFC 5780 section 2.2).", nameof(Alternate));
            }

            if (IsWildcard(primary) && !IsWildcard(alternate))
            {
                throw new ArgumentException(
                    $"{nameof(Alternate)} names the address {alternate.Address}, so {nameof(Listen)} must name one too instead of {primary.Address}.",
                    nameof(Listen));
            }
        }
    }

    internal static bool IsWildcard(IPEndPoint endPoint) => endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);

    private static void ValidateList(IReadOnlyList<IPEndPoint> endPoints, string name)
    {
        if (endPoints.DistinctBy(e => e.AddressFamily).Count() != endPoints.Count)
        {
            throw new ArgumentException($"{name} has two end points of one family: {string.Join(", ", endPoints)}.", name);
        }

        if (endPoints.Any(e => e.Port != endPoints[0].Port))
        {
            throw new ArgumentException($"{name} has different ports: {string.Join(", ", endPoints)}.", name);
        }
    }
}
