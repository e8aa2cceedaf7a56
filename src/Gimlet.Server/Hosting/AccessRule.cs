namespace Gimlet.Server;

/// <summary>Who may register at a server. There is no other door: who may not register can call nobody and be called by nobody.</summary>
public abstract class AccessRule
{
    // A token of 16 characters from a generator holds some 90 bits, beyond any guessing over the network.
    private const int LeastTokenLength = 16;

    private protected AccessRule()
    {
    }

    /// <summary>Everyone who reaches the server.</summary>
    public static AccessRule Everyone { get; } = new EveryoneRule();

    /// <summary>Nodes that send this token when they register.</summary>
    /// <param name="token">At least 16 characters; compared in constant time.</param>
    /// <exception cref="ArgumentException">The token is too short to be a secret.</exception>
    public static AccessRule Token(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return token.Trim().Length >= LeastTokenLength
            ? new TokenRule(token.Trim())
            : throw new ArgumentException($"The access token has {token.Trim().Length} characters; it needs at least {LeastTokenLength} random ones to be a secret.", nameof(token));
    }

    /// <summary>Nodes with these ids.</summary>
    /// <param name="peers">The ids.</param>
    public static AccessRule List(IEnumerable<PeerId> peers)
    {
        ArgumentNullException.ThrowIfNull(peers);
        return new ListRule([.. peers]);
    }

    /// <summary>
    /// Nodes whose ids are in a text file: one id per line, empty lines and what follows a <c>#</c> ignored. The file is read again when
    /// it changes; nodes that are no longer in it are closed; a file that cannot be read changes nothing, and the log says why.
    /// </summary>
    /// <param name="path">The file.</param>
    public static AccessRule ListFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileRule(path);
    }

    internal sealed class EveryoneRule : AccessRule;

    internal sealed class TokenRule(string token) : AccessRule
    {
        public string Value { get; } = token;
    }

    internal sealed class ListRule(IReadOnlyList<PeerId> peers) : AccessRule
    {
        public IReadOnlyList<PeerId> Peers { get; } = peers;
    }

    internal sealed class FileRule(string path) : AccessRule
    {
        public string Path { get; } = path;
    }
}
