using System.Net;
using Gimlet.Worker.Rendezvous;
using Gimlet.Worker.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gimlet.Worker;

/// <summary>How a worker is to be. Only <see cref="Rendezvous"/> is needed.</summary>
public sealed record GimletWorkerOptions
{
    /// <summary>The least length of <see cref="GroupSecret"/>, in characters: what a peer of the group sends proves it, and shorter ones can be guessed from that.</summary>
    public const int MinSecretLength = 16;

    /// <summary>The rendezvous: <c>http(s)://host[:port]</c> or <c>ws(s)://host[:port]</c>, with the path under which it is mounted, if any.</summary>
    public required Uri Rendezvous { get; init; }

    /// <summary>The name under which it registers: 1 to 128 of <c>A-Z a-z 0-9 . _ ~ : @ -</c>. By default a new UUID.</summary>
    public string WorkerId { get; init; } = Guid.NewGuid().ToString();

    /// <summary>The group, whose members meet each other and nobody else; null for none.</summary>
    public string? Group { get; init; }

    /// <summary>
    /// What every member of the group knows, and nobody else: each peer has to prove that it does, and the rendezvous never learns it. At least
    /// <see cref="MinSecretLength"/> characters; null for none.
    /// </summary>
    public string? GroupSecret { get; init; }

    /// <summary>The token that the rendezvous asks workers for; null where it asks for none.</summary>
    public string? Token { get; init; }

    /// <summary>The access token of the Gimlet server at the same URL; null where it asks for none.</summary>
    public string? ServerToken { get; init; }

    /// <summary>The worker's key; null makes one for this run only. The caller keeps and disposes a key that it passes.</summary>
    public NodeIdentity? Identity { get; init; }

    /// <summary>Proves its peer id to the rendezvous, so that two who have end with an authenticated connection. False: offers are addresses only.</summary>
    public bool ProveIdentity { get; init; } = true;

    /// <summary>The only peers that it connects to, by their proven ids; empty for everyone whom the rendezvous offers.</summary>
    public IReadOnlyList<PeerId> AllowedPeers { get; init; } = [];

    /// <summary>Connects to nobody whose peer id is not proven. Always so with <see cref="AllowedPeers"/>.</summary>
    public bool RequireAuthentication { get; init; }

    /// <summary>The one local UDP port, of STUN, punching and data; 0 for any.</summary>
    public int Port { get; init; } = 8081;

    /// <summary>Takes any port when <see cref="Port"/> is in use, instead of failing.</summary>
    public bool PortIsPreference { get; init; }

    /// <summary>STUN servers as <c>host[:port]</c>; empty for those that the rendezvous names, and a public one where it names none or none of them answers.</summary>
    public IReadOnlyList<string> StunServers { get; init; } = [];

    /// <summary>The public address, when it is known better than STUN knows it. Port 0 means the local port.</summary>
    public IPEndPoint? PublicAddress { get; init; }

    /// <summary>Where the cloud's metadata service is asked when STUN answers nothing; null to not ask.</summary>
    public Uri? MetadataAddress { get; init; } = new GimletNodeOptions().MetadataAddress;

    /// <summary>Which paths authenticated connections may use. An offer that is an address only has no relay.</summary>
    public PathPolicy PathPolicy { get; init; } = PathPolicy.RelayThenDirect;

    /// <summary>
    /// Connects to one peer only: the worker leaves the rendezvous as the peer's connection ends, or just before this side ends it, so that nobody is offered a
    /// worker that is about to go.
    /// </summary>
    public bool OnePeer { get; init; }

    /// <summary>How long an offered peer may take until it is connected. 10 s: what two people who dial each other by hand get.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the WebSocket to the rendezvous is pinged. 25 s: proxies close what is silent for 30 s and more.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How long the answer to a ping may take before the WebSocket counts as dead. 25 s.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Timers and bounds of the traversal.</summary>
    public TraversalOptions Traversal { get; init; } = new();

    /// <summary>Where log lines go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Who is asked where the rendezvous names no STUN server, or none that answers.</summary>
    internal string PublicStunServer { get; init; } = "stun.l.google.com:19302";

    /// <summary>How long the rendezvous may take to name STUN servers before <see cref="PublicStunServer"/> is asked.</summary>
    internal TimeSpan StunGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Without the secret and the tokens: options are printed by people who look for something else.</summary>
    public override string ToString() => $"{nameof(GimletWorkerOptions)} {{ {nameof(Rendezvous)} = {Rendezvous}, {nameof(WorkerId)} = {WorkerId}, {nameof(Group)} = {Group} }}";

    /// <summary>Checks the values.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>; the message names the value and the remedy.</exception>
    public void Validate()
    {
        if (Rendezvous is null || !RendezvousAddress.IsValid(Rendezvous))
        {
            throw BadUsage($"The rendezvous '{Rendezvous}' is not a URL that begins with http://, https://, ws:// or wss://.", "Write it as https://gimlet.example.org or ws://192.0.2.1:8080.");
        }

        if (!WorkerNames.IsValid(WorkerId))
        {
            throw BadUsage($"The worker id '{WorkerId}' is not one: {WorkerNames.Rule}.", "Leave it out for a random one.");
        }

        if (Group is not null && !WorkerNames.IsValid(Group))
        {
            throw BadUsage($"The group '{Group}' is not one: {WorkerNames.Rule}.", "Leave it out for none.");
        }

        if (GroupSecret is { Length: < MinSecretLength })
        {
            throw BadUsage(
                $"The group's secret has {GroupSecret.Length} characters; it must have at least {MinSecretLength}.", "Make one with openssl rand -hex 16, the same for the whole group.");
        }

        CheckToken("worker token", nameof(Token), Token);
        CheckToken("server token", nameof(ServerToken), ServerToken);
        if (!ProveIdentity && (RequireAuthentication || AllowedPeers.Count > 0))
        {
            throw BadUsage("Proven peers only are wanted, and this worker proves nothing itself, so it is offered none.", "Leave ProveIdentity on.");
        }

        foreach ((string name, TimeSpan value) in new[] { (nameof(PeerTimeout), PeerTimeout), (nameof(PingInterval), PingInterval), (nameof(PingTimeout), PingTimeout) })
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromHours(1))
            {
                throw BadUsage($"{name} is {value}; it must be longer than zero and at most an hour.", "Leave it out for the default.");
            }
        }

        NodeOptions().Validate();
    }

    internal GimletNodeOptions NodeOptions() => new()
    {
        Identity = Identity,
        Servers = [RendezvousAddress.OfServer(Rendezvous)],
        ServerToken = ServerToken,
        RequireServer = false,
        Port = Port,
        PortIsPreference = PortIsPreference,
        StunServers = StunServers,
        PublicAddress = PublicAddress,
        MetadataAddress = MetadataAddress,
        Policy = AllowedPeers.Count > 0 ? PeerPolicy.Only(AllowedPeers) : PeerPolicy.Everyone,
        Protocols = [GimletWorker.Protocol],
        PathPolicy = PathPolicy,
        Traversal = Traversal with { ServerlessTimeout = PeerTimeout },
        LoggerFactory = LoggerFactory,
        TimeProvider = TimeProvider,
    };

    // It goes into a header of HTTP as it is. The message has no part of it: messages are logged.
    private static void CheckToken(string what, string option, string? token)
    {
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw BadUsage($"The {what} ({option}) has a character that is not printable ASCII.", "Is there a line break or a space at its end?");
        }
    }

    private static GimletException BadUsage(string message, string hint) => new(GimletErrorKind.BadUsage, message, hint);
}
