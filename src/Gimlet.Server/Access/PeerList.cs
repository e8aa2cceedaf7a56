namespace Gimlet.Server.Access;

/// <summary>The text form of a list of peer ids.</summary>
internal static class PeerList
{
    /// <summary>Reads a list.</summary>
    /// <param name="text">One id per line; <c>#</c> starts a comment.</param>
    /// <exception cref="FormatException">A line is no peer id; the message says which, and what is wrong with it.</exception>
    public static List<PeerId> Parse(string text)
    {
        var peers = new List<PeerId>();
        int number = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            number++;
            int comment = line.IndexOf('#');
            ReadOnlySpan<char> entry = (comment < 0 ? line : line[..comment]).Trim();
            if (entry.IsEmpty)
            {
                continue;
            }

            peers.Add(PeerId.TryParse(entry.ToString(), out PeerId peer, out string? problem)
                ? peer
                : throw new FormatException($"line {number} is not a peer id: {problem}"));
        }

        return peers;
    }
}
