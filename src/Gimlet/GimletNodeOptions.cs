using System.Net;
using Gimlet.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gimlet;

/// <summary>How a node is to be. Only <see cref="Servers"/> is needed, and not even that for connections without a server.</summary>
public sealed record GimletNodeOptions
{
    /// <summary>The node's key; null makes one for this run only. The caller keeps and disposes a key that it passes.</summary>
    public NodeIdentity? Identity { get; init; }

    /// <summary>The rendezvous servers, the first one is home: <c>http(s)://host[:port]</c>.</summary>
    public IReadOnlyList<Uri> Servers { get; init; } = [];

    /// <summary>The access token of <see cref="Servers"/>, where they ask for one. Servers that only a ticket names never get it: tickets are made by others.</summary>
    public string? ServerToken { get; init; }

    /// <summary>How long the first registration may take before the start fails. 10 s: what a person waits for a page.</summary>
    public TimeSpan ServerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A start fails where no server completes the registration in time, or all refuse this node. False: the start waits for none, and the node registers when it
    /// can; until then it is of use to whoever has its address.
    /// </summary>
    public bool RequireServer { get; init; } = true;

    /// <summary>The local UDP port; 0 for any.</summary>
    public int Port { get; init; }

    /// <summary>Takes any port when <see cref="Port"/> is in use, instead of failing.</summary>
    public bool PortIsPreference { get; init; }

    /// <summary>STUN servers as <c>host[:port]</c>; empty for the ones that the rendezvous servers name.</summary>
    public IReadOnlyList<string> StunServers { get; init; } = [];

    /// <summary>The public address, when it is known better than STUN knows it; advertised first. Port 0 means the local port.</summary>
    public IPEndPoint? PublicAddress { get; init; }

    /// <summary>Where the cloud's metadata service is asked when STUN answers nothing; null to not ask.</summary>
    public Uri? MetadataAddress { get; init; } = Fallbacks.CloudMetadata.DefaultBaseAddress;

    /// <summary>Who may connect.</summary>
    public PeerPolicy Policy { get; init; } = PeerPolicy.Everyone;

    /// <summary>
    /// Callers are introduced only after this node said yes, one round trip later, even where everyone may connect. Always so where
    /// <see cref="Policy"/> is not <see cref="PeerPolicy.Everyone"/>.
    /// </summary>
    public bool IntroduceOnAccept { get; init; }

    /// <summary>Takes part in no direct paths: everything goes by the relay.</summary>
    public bool NoHolepunch { get; init; }

    /// <summary>
    /// The application protocols (ALPN) that peers may dial, each with its own <see cref="GimletNode.AcceptAsync(string, CancellationToken)"/>; the first is
    /// what this node dials where nothing else is said. Empty: nobody can connect to this node.
    /// </summary>
    public IReadOnlyList<string> Protocols { get; init; } = ["gimlet"];

    /// <summary>Which paths connections may use, where a dial says nothing else.</summary>
    public PathPolicy PathPolicy { get; init; } = PathPolicy.RelayThenDirect;

    /// <summary>Loopback addresses are candidates; null for "when all servers are on loopback".</summary>
    public bool? AllowLoopback { get; init; }

    /// <summary>Timers and bounds.</summary>
    public TraversalOptions Traversal { get; init; } = new();

    /// <summary>
    /// What the application does with its first connection, played while the node starts, so that the real one does not wait for the just-in-time compiler: it is given a node to
    /// dial with and a node to be dialled, both on the loopback address, with this node's <see cref="Protocols"/>, and is ended after two seconds. The start waits for it; an error in it
    /// is logged and has no other consequence. Null: the library rehearses its own part.
    /// </summary>
    public Func<GimletNode, GimletNode, CancellationToken, Task>? Rehearse { get; init; }

    /// <summary>Where log lines go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Sockets and servers.</summary>
    internal Hosting.NodeGround Ground { get; init; } = Hosting.NodeGround.Real;

    /// <summary>What this node dials where nothing else is said; null where it speaks nothing.</summary>
    internal string? FirstProtocol => Protocols.Count > 0 ? Protocols[0] : null;

    internal PathPolicy EffectivePolicy => NoHolepunch ? PathPolicy.RelayOnly : PathPolicy;

    internal bool LoopbackAllowed => AllowLoopback ?? (Servers.Count > 0 && Servers.All(s => s.IsLoopback));

    /// <summary>Checks the values.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>; the message names the value and the remedy.</exception>
    public void Validate()
    {
        foreach (Uri server in Servers)
        {
            if (!server.IsAbsoluteUri || (server.Scheme != Uri.UriSchemeHttp && server.Scheme != Uri.UriSchemeHttps))
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"The server '{server}' is not a URL that begins with http:// or https://.", "Write it as https://gimlet.example.org or http://192.0.2.1:8080.");
            }

            if (server.AbsoluteUri.Length > byte.MaxValue)
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"The server '{server}' is longer than {byte.MaxValue} characters, which no ticket can carry.");
            }
        }

        if (Port is < 0 or > ushort.MaxValue)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"The port {Port} is not between 0 and 65535.");
        }

        foreach (string stun in StunServers)
        {
            if (!Stun.Client.StunServerAddress.TryParse(stun, out _, out string? problem))
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"The STUN server '{stun}' is not HOST[:PORT]: {problem}");
            }
        }

        if (PublicAddress is not null)
        {
            ValidatePublicAddress(PublicAddress);
        }

        if (MetadataAddress is not null && (!MetadataAddress.IsAbsoluteUri || MetadataAddress.Scheme != Uri.UriSchemeHttp))
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"The metadata address '{MetadataAddress}' is not a URL that begins with http://.");
        }

        foreach (string protocol in Protocols)
        {
            int length = System.Text.Encoding.UTF8.GetByteCount(protocol ?? string.Empty);
            if (length is 0 or > Signalling.SignalProtocol.MaxProtocolLength)
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"The protocol '{protocol}' has {length} bytes; it must have 1 to {Signalling.SignalProtocol.MaxProtocolLength}.");
            }
        }

        if (NoHolepunch && !PathPolicy.AllowsRelay)
        {
            throw new GimletException(
                GimletErrorKind.BadUsage,
                "NoHolepunch takes part in no direct paths, and PathPolicy.DirectOnly uses nothing else.",
                "Leave out NoHolepunch (--no-holepunch), or choose a policy with the relay (--path).");
        }

        if (ServerTimeout <= TimeSpan.Zero)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"ServerTimeout is {ServerTimeout}; it must be longer than zero.");
        }

        Traversal.Validate();
    }

    internal static void ValidatePublicAddress(IPEndPoint address)
    {
        // Port 0 is the local port, so any port will do for the look at the rest.
        if (!Candidates.CandidatePolicy.MayAdvertise(new TransportAddress(address.Address, 1), allowLoopback: true))
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"The public address {address} is none that a peer could send to.", "Write the address of the router as the outside sees it, such as 203.0.113.7 or 203.0.113.7:4242.");
        }
    }
}
