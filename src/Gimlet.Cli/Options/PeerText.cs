using System.Net;

namespace Gimlet.Cli.Options;

/// <summary>Whom to call: a peer id, and the servers of the ticket that it came from, if any.</summary>
/// <param name="Peer">The id.</param>
/// <param name="Servers">The servers of the ticket; empty for a bare id.</param>
/// <param name="Ticket">The ticket; null for a bare id.</param>
internal sealed record CallTarget(PeerId Peer, IReadOnlyList<Uri> Servers, Ticket? Ticket = null)
{
    /// <summary>
    /// The server token of the environment is for the servers of the environment or the line: whoever wrote a ticket chose its servers, and would get it.
    /// </summary>
    public bool MayHaveToken { get; init; } = true;

    /// <summary>What the node is to be like that dials.</summary>
    /// <param name="options">As the line and the environment say.</param>
    public GimletNodeOptions Adjust(GimletNodeOptions options) => options with { Servers = Servers, ServerToken = MayHaveToken ? options.ServerToken : null };

    /// <summary>Dials.</summary>
    /// <param name="node">The node.</param>
    /// <param name="protocol">For what.</param>
    /// <param name="dialing">Called with the id of the call.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task<GimletConnection> DialAsync(GimletNode node, string protocol, Action<CallId>? dialing, CancellationToken cancellationToken) =>
        node.ConnectAsync(Peer, new ConnectOptions { Protocol = protocol, Ticket = Ticket, Dialing = dialing }, cancellationToken);
}

/// <summary>Where to find a person who is met without a server.</summary>
/// <param name="Address">The address.</param>
/// <param name="Peer">The id; null to believe whoever answers.</param>
internal sealed record ServerlessTarget(IPEndPoint Address, PeerId? Peer);

/// <summary>Peers as people write them.</summary>
internal static class PeerText
{
    /// <summary>Reads a peer id or a ticket.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is neither; the message says what is wrong with what it resembles.</exception>
    public static CallTarget ReadTarget(string text)
    {
        string trimmed = text.Trim();
        if (trimmed.StartsWith(Ticket.Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return Ticket.TryParse(trimmed, out Ticket? ticket, out string? problem)
                ? new CallTarget(ticket.Peer, ticket.Servers, ticket)
                : throw new FormatException($"it is not a valid ticket: {problem}");
        }

        return new CallTarget(ReadId(trimmed, $"it is neither a ticket (which begins with '{Ticket.Prefix}') nor a peer id: "), []);
    }

    /// <summary>Reads a peer id.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static PeerId ReadId(string text) => ReadId(text, "it is not a peer id: ");

    /// <summary>Reads <c>IP:PORT#PEERID</c> or <c>IP:PORT</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static ServerlessTarget ReadServerless(string text)
    {
        string trimmed = text.Trim();
        int hash = trimmed.IndexOf('#', StringComparison.Ordinal);
        IPEndPoint address = AddressText.ReadEndPoint(hash < 0 ? trimmed : trimmed[..hash]);
        return new ServerlessTarget(address, hash < 0 ? null : ReadId(trimmed[(hash + 1)..], "what follows the # is not a peer id: "));
    }

    private static PeerId ReadId(string text, string lead) =>
        PeerId.TryParse(text, out PeerId id, out string? problem) ? id : throw new FormatException(lead + problem);
}
