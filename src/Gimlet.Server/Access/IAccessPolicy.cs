namespace Gimlet.Server.Access;

/// <summary>Who may register at the server. Thread-safe; decides at once and without I/O, and what it cannot decide it refuses.</summary>
internal interface IAccessPolicy
{
    /// <summary>Null when the node may register; otherwise why not, for the error's detail.</summary>
    /// <param name="peer">The id, already proven.</param>
    /// <param name="token">The token it sent, if any.</param>
    string? Refuses(PeerId peer, string? token);

    /// <summary>False when a node that registered earlier is no longer welcome.</summary>
    /// <param name="peer">The id.</param>
    bool StillWelcome(PeerId peer);

    /// <summary>Who may use the server, as a sentence for the start-up line.</summary>
    string Description { get; }
}

/// <summary>An open server.</summary>
internal sealed class EveryoneAccess : IAccessPolicy
{
    public static EveryoneAccess Instance { get; } = new();

    public string Description => "open to everyone: any node that reaches this server may register and call others";

    public string? Refuses(PeerId peer, string? token) => null;

    public bool StillWelcome(PeerId peer) => true;
}
