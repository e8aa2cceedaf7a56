namespace Gimlet.Quic.Hosting;

/// <summary>
/// Tokens of NEW_TOKEN frames, for the next connection to the same host (RFC 9000 section 8.1.3). Bounded by hosts and by size: a server chooses both
/// the number and the length. Each token is used once, so that nobody can link more than two connections by it.
/// </summary>
internal sealed class TokenStore
{
    // As many servers as one client talks to in turn; 256 tokens of 512 bytes are 128 KB.
    private const int MaxHosts = 256;
    private const int MaxTokenLength = 512;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _tokens = new(StringComparer.OrdinalIgnoreCase);
    private readonly Queue<string> _order = new();

    /// <summary>Keeps the newest token of a host.</summary>
    public void Put(string? host, ReadOnlyMemory<byte> token)
    {
        if (host is null || token.Length is 0 or > MaxTokenLength)
        {
            return;
        }

        lock (_gate)
        {
            if (!_tokens.ContainsKey(host))
            {
                // Hosts whose token was taken are still in the queue; it is as long as the bound says, and no longer.
                while (_order.Count >= MaxHosts)
                {
                    _ = _tokens.Remove(_order.Dequeue());
                }

                _order.Enqueue(host);
            }

            _tokens[host] = token.ToArray();
        }
    }

    /// <summary>Takes the token of a host, or nothing.</summary>
    public ReadOnlyMemory<byte> Take(string? host)
    {
        if (host is null)
        {
            return default;
        }

        lock (_gate)
        {
            return _tokens.Remove(host, out ReadOnlyMemory<byte> token) ? token : default;
        }
    }
}
