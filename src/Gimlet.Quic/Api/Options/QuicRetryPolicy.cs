namespace Gimlet.Quic;

/// <summary>When a server answers a client's first packet with a Retry, which costs the client a round trip and the server nothing.</summary>
public sealed class QuicRetryPolicy
{
    private QuicRetryPolicy(int threshold)
    {
        Threshold = threshold;
    }

    /// <summary>
    /// <see cref="WhenHalfOpenExceeds"/> 256: a thousand handshakes a second from 100 ms away leave a hundred open, so an honest crowd stays
    /// below it; a flood from invented addresses is above it at once.
    /// </summary>
    public static QuicRetryPolicy Default { get; } = new(256);

    /// <summary>Never: clients get three times what they sent at most until they prove their address.</summary>
    public static QuicRetryPolicy Never { get; } = new(int.MaxValue);

    /// <summary>Always.</summary>
    public static QuicRetryPolicy Always { get; } = new(-1);

    /// <summary>Handshakes under way beyond which clients must prove their address.</summary>
    internal int Threshold { get; }

    /// <summary>While more handshakes than this are under way.</summary>
    /// <param name="count">0 or more.</param>
    public static QuicRetryPolicy WhenHalfOpenExceeds(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new QuicRetryPolicy(count);
    }
}
