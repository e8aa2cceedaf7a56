using System.Security.Cryptography;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Stateless resets (RFC 9000 section 10.3): what an endpoint says to a packet of a connection that it does not know any more. One per endpoint;
/// tokens may be made by any thread, resets are written by one at a time.
/// </summary>
internal sealed class StatelessReset : IDisposable
{
    /// <summary>The key in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>
    /// RFC 9000 section 10.3: "The resulting minimum size of 21 bytes": two fixed bits, 38 unpredictable ones, and the token.
    /// </summary>
    public const int MinLength = 5 + StatelessResetToken.Length;

    /// <summary>
    /// Resets in a second. A server that was started anew has this many clients back within a second of their next packets; answering takes
    /// less than a percent of a core.
    /// </summary>
    public const int PerSecond = 1000;

    // RFC 9000 section 10.3: "An endpoint that sends a Stateless Reset in response to a packet that is 43 bytes or shorter SHOULD send a
    // Stateless Reset that is one byte shorter than the packet it responds to."
    private const int ShortPacket = 43;

    // What is longer is answered with 42 to 73 bytes, as an acknowledgement might have.
    private const int LengthBits = 0x1f;

    private readonly SecretBytes _key;
    private readonly Action<Span<byte>> _random;
    private AnswerLimit _limit = new(PerSecond);

    /// <summary>Takes a key.</summary>
    /// <param name="key">32 bytes. Where it is the same after a restart, connections of before can be reset.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    public StatelessReset(ReadOnlySpan<byte> key, Action<Span<byte>> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        _key = new SecretBytes(key);
        _random = random;
    }

    /// <summary>Draws a key.</summary>
    public StatelessReset(Action<Span<byte>> random)
    {
        _key = new SecretBytes(KeyLength);
        random(_key.Span);
        _random = random;
    }

    /// <summary>The token of one of our connection ids, always the same: nothing has to be remembered.</summary>
    /// <param name="id">RFC 9000 section 10.3.2: an endpoint of this kind "cannot provide a zero-length connection ID".</param>
    public StatelessResetToken TokenFor(in ConnectionId id)
    {
        // RFC 9000 section 10.3.2: "HMAC(static_key, connection_id)", "truncated to 16 bytes".
        Span<byte> bytes = stackalloc byte[ConnectionId.MaxLength];
        id.CopyTo(bytes);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key.Span, bytes[..id.Length], hash);
        return new StatelessResetToken(hash);
    }

    /// <summary>Writes the answer to a datagram whose first packet has a short header and leads to no connection.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="receivedLength">The datagram in bytes.</param>
    /// <param name="destination">The Destination Connection ID it came with; the reset is for this id.</param>
    /// <param name="answer">At least 73 bytes.</param>
    /// <param name="length">The length of the answer.</param>
    /// <returns>False when the datagram must not be answered, or there were too many of its kind.</returns>
    public bool TryWrite(TimeSpan now, int receivedLength, in ConnectionId destination, Span<byte> answer, out int length)
    {
        length = 0;

        // RFC 9000 section 10.3.3: "An endpoint MUST ensure that every Stateless Reset that it sends is smaller than the packet that triggered it,
        // unless it maintains state sufficient to prevent looping."
        if (receivedLength <= MinLength || !_limit.TryTake(now))
        {
            return false;
        }

        Span<byte> lengthBits = stackalloc byte[1];
        _random(lengthBits);
        length = receivedLength <= ShortPacket
            ? receivedLength - 1
            : Math.Min(receivedLength - 1, ShortPacket - 1 + (lengthBits[0] & LengthBits));

        // RFC 9000 section 10.3: "The remainder of the first byte and an arbitrary number of bytes following it are set to values that SHOULD be
        // indistinguishable from random."
        _random(answer[..length]);
        answer[0] = (byte)((answer[0] & ~HeaderBits.Long) | HeaderBits.Fixed);
        TokenFor(destination).CopyTo(answer[(length - StatelessResetToken.Length)..length]);
        return true;
    }

    public void Dispose() => _key.Dispose();
}
